"""``safelight train``, ``model`` and ``forget``: heads that learn from those who agree."""

import json
from typing import TYPE_CHECKING, Any

import click

from safelight.cli.opening import AS_JSON, actor, house, placed, receipt_at, show

if TYPE_CHECKING:
    from safelight.consent.custody import Custody
    from safelight.learning.versions import Version

__all__ = ["forget", "model", "train"]


def _plain(name: str, version: "Version | None") -> dict[str, Any]:
    if version is None:
        return {"head": name, "version": 0, "state": "none"}
    return {
        "head": name,
        "version": version.version,
        "state": version.state,
        "ledger": version.document["ledger"],
        "people": version.document["people"],
        "rows": version.document["rows"],
        "model": version.hash,
        "log_index": version.entry,
    }


@click.command()
@click.argument("head")
@click.option("--release", metavar="ACCOUNT", help="Let the labels of a held account in first.")
@click.option(
    "--population",
    default="",
    metavar="AREA|FILE.csv",
    help="Whom it is for: a country, World, or a table of your own; by default the country that "
    "the policies name.",
)
@click.option(
    "--alike-only", is_flag=True, help="Publish nothing when those who gave differ from them."
)
@click.option(
    "--epsilon", type=float, help="Promise each person differential privacy: noise on the sums."
)
@click.option("--delta", type=float, default=1e-6, show_default=True, help="With --epsilon.")
@click.option(
    "--total-epsilon",
    type=float,
    help="With --epsilon: the most that all versions of the head together may reach, at most 10.",
)
@click.option(
    "--images-each",
    type=int,
    default=1,
    show_default=True,
    help="With --epsilon: images of one person that are learnt from.",
)
@click.option("--encoder", metavar="NAME", help="Not offered: it could not forget exactly.")
@placed
@AS_JSON
def train(  # noqa: PLR0913  # one for each option
    head: str,
    *,
    release: str | None,
    population: str,
    alike_only: bool,
    epsilon: float | None,
    delta: float,
    total_epsilon: float | None,
    images_each: int,
    encoder: str | None,
    as_json: bool,
    **given: Any,
) -> None:
    """Publish the next version of HEAD from all that was contributed.

    First what feedback has confirmed becomes contributions, of those who let a model learn; whoever
    no longer agrees is taken off. Whether those who gave resemble those it is for is shown before
    it learns, and noted on the version's card. What the version would tell about who is in it is
    audited; too much, and nothing is published. Labels that all others speak against are held.
    With --epsilon, noise takes the audit's place; what it costs is shown to you alone.
    """
    from safelight.consent.roles import Act  # noqa: PLC0415  # start-up cost
    from safelight.errors import LearningError  # noqa: PLC0415  # as above
    from safelight.learning.encoders import refuse_encoder  # noqa: PLC0415  # as above
    from safelight.learning.gather import gather_confirmed  # noqa: PLC0415  # as above
    from safelight.learning.noise import MOST_EPSILON, Noise  # noqa: PLC0415  # as above
    from safelight.learning.publish import Publisher  # noqa: PLC0415  # as above
    from safelight.learning.starts import open_bundled  # noqa: PLC0415  # as above

    if encoder:
        refuse_encoder()
    noise = None
    if epsilon is not None:
        most = MOST_EPSILON if total_epsilon is None else total_epsilon
        noise = Noise(epsilon=epsilon, delta=delta, most=most, rows=images_each)
    with house(given) as custody:
        custody.accesses.check(actor(), Act.RUN)
        open_bundled(custody, head)
        if release:
            _release(custody, head, release)
        came = gather_confirmed(custody, head)
        cohort = _cohort(custody, head, population)
        if not as_json:
            _tell_cohort(len(came.ids), came.known, cohort)
        if alike_only and cohort.get("flagged"):
            raise LearningError(
                "those who gave differ from those it is for, beyond chance",
                todo="ask those who are missing, or train without --alike-only",
            )
        publisher = Publisher(custody.vault, custody.log)
        made = publisher.train(head, represented=cohort, noise=noise)
    if as_json:
        gathered = {"new": len(came.ids), "known": came.known, "other": came.other}
        more = {"card": made.card, "answers": _answers(made), "noise_costs": publisher.cost}
        show(_plain(head, made) | more | {"gathered": gathered})
        return
    if came.other:
        click.secho(f"  {came.other} contributed under another label before, and stay", fg="yellow")
    _tell_trained(head, made, publisher.cost)


def _tell_trained(head: str, made: "Version", cost: dict[str, dict[str, str]]) -> None:
    click.secho(f"published: {head} version {made.version}", fg="green")
    click.echo(f"  {made.document['people']} people, ledger {made.document['ledger']}")
    _tell_card(made)
    for word, numbers in cost.items():
        told = ", ".join(f"{name} {value}" for name, value in numbers.items())
        click.echo(f"  {word} noise, on people it was not taught: {told} (for you; on no card)")


def _release(custody: "Custody", head: str, account: str) -> None:
    """Let the labels of a held account in again.

    Raises:
        LearningError: It is not held.
    """
    from safelight.consent.roles import Act  # noqa: PLC0415  # start-up cost
    from safelight.errors import LearningError  # noqa: PLC0415  # as above
    from safelight.learning import holding  # noqa: PLC0415  # as above
    from safelight.learning.ledgers import head_of  # noqa: PLC0415  # as above

    custody.accesses.check(actor(), Act.GIVE_ROLES)
    with custody.store.begin() as conn:
        if not holding.release(conn, head_of(conn, head).id, account):
            raise LearningError("this account is not held")


def _answers(version: "Version | None") -> dict[str, Any]:
    """Return what the gate lets a version do, and why not more."""
    from safelight.readers.card import Card  # noqa: PLC0415  # start-up cost
    from safelight.readers.gate import judge  # noqa: PLC0415  # as above

    if version is None or not version.card.get("reader"):
        why = version.card.get("why_no_reader") if version is not None else ""
        return {"reader": "", "state": "", "reasons": [why] if why else []}
    card = Card.from_bytes(version.card["reader"].encode())
    verdict = judge(card)
    here = version.card["here"]
    return {
        "reader": card.reader,
        "state": str(verdict.state),
        "reasons": [*verdict.reasons, *([f"not for people here: {here}"] if here else [])],
        "card": json.loads(card.to_bytes()),
    }


def _tell_answers(version: "Version") -> None:
    told = _answers(version)
    if not told["reader"]:
        click.echo(f"  answers nobody: {', '.join(told['reasons']) or 'it has no card'}")
        return
    colour = {"validated": "green", "shadow": "yellow", "refused": "red"}[told["state"]]
    click.secho(f"  answers as {told['reader']}: {told['state']}", fg=colour)
    for reason in told["reasons"]:
        click.echo(f"    - {reason}")


def _cohort(custody: "Custody", head: str, population: str) -> dict[str, Any]:
    """Return how those who contribute compare with those it is for; empty with nobody."""
    from safelight.learning.cohort import compared, givers, usual  # noqa: PLC0415  # start-up cost
    from safelight.learning.ledgers import head_of  # noqa: PLC0415  # as above

    with custody.store.read() as conn:
        people = list(givers(conn, custody.vault, head_of(conn, head).id).values())
        area = population or usual(conn, custody.consents)
    return compared(people, area).to_json() if people else {}


def _tell_cohort(new: int, known: int, cohort: dict[str, Any]) -> None:
    from safelight.cli.cohorts import tell_cohort  # noqa: PLC0415  # start-up cost

    click.echo(f"from feedback: {new} new, {known} known already")
    if cohort:
        tell_cohort(cohort)


def _tell_card(version: "Version") -> None:
    for title, part in (("audit", "audit"), ("on people it was not taught", "quality")):
        numbers = version.card.get(part) or {}
        told = ", ".join(f"{name.replace('_', ' ')} {value}" for name, value in numbers.items())
        click.echo(f"  {title}: {told or 'nothing to tell'}")
    if noise := version.card.get("noise"):
        click.echo(
            f"  promises epsilon {noise['epsilon']} at delta {noise['delta']}; all"
            f" {noise['versions']} versions together {noise['spent_epsilon']} of"
            f" {noise['most_epsilon']}"
        )
    if cohort := version.card.get("represented"):
        word = "differ from" if cohort["flagged"] else "are within chance of"
        if not cohort.get("enough", True):
            word = "are too few to be compared with"
        click.echo(f"  those who gave {word} {cohort['population']}")
    _tell_answers(version)


@click.group()
def model() -> None:
    """List, verify and describe the heads that learn."""


@model.command("list")
@placed
@AS_JSON
def model_list(*, as_json: bool, **given: Any) -> None:
    """List the heads, the version of each that is in service, and the accounts that are held."""
    from sqlalchemy import select  # noqa: PLC0415  # start-up cost

    from safelight.learning import holding  # noqa: PLC0415  # as above
    from safelight.learning.versions import newest  # noqa: PLC0415  # as above
    from safelight.store.schema.learning import heads  # noqa: PLC0415  # as above

    with house(given) as custody, custody.store.read() as conn:
        found = conn.execute(select(heads.c.id, heads.c.name).order_by(heads.c.name)).all()
        rows = [
            _plain(row.name, made := newest(conn, row.id))
            | {"answers": {name: _answers(made)[name] for name in ("reader", "state")}}
            | {"held": sorted(holding.accounts(conn, row.id, "held"))}
            for row in found
        ]
    if as_json:
        show({"heads": rows})
        return
    for row in rows:
        people = f"{row['people']} people, ledger {row['ledger'][:16]}…" if row["version"] else ""
        click.echo(f"{row['head']}  version {row['version']} {row['state']}  {people}")
        if (asked := row["answers"])["reader"]:
            click.echo(f"  answers as {asked['reader']}: {asked['state']}")
        for account in row["held"]:
            click.secho(f"  held: labels of {account}; see them, then --release", fg="yellow")
    if not rows:
        click.echo("no head learns here yet")


@model.command("verify")
@click.argument("head")
@placed
@AS_JSON
@click.pass_context
def model_verify(ctx: click.Context, /, head: str, *, as_json: bool, **given: Any) -> None:
    """Train HEAD again from what remains, and compare every hash with what is in service."""
    from safelight.consent.roles import Act  # noqa: PLC0415  # start-up cost
    from safelight.learning.verify import verify  # noqa: PLC0415  # as above

    with house(given) as custody:
        custody.accesses.check(actor(), Act.RUN)
        done = verify(custody, head)
    if as_json:
        names = ("name", "version", "ledger", "again", "rows", "problems", "notes")
        show({name: getattr(done, name) for name in names})
    else:
        for problem in done.problems:
            click.secho(f"does not hold: {problem}", fg="red")
        for one in done.notes:
            click.echo(f"note: {one}")
        if not done.problems:
            click.secho("holds: training again gives the same hashes", fg="green")
        click.echo(f"  in service: version {done.version}, ledger {done.ledger or 'none'}")
        click.echo(f"  again:      {done.rows} contributions, ledger {done.again}")
    if done.problems:
        ctx.exit(3)


@model.command("card")
@click.argument("head")
@placed
@AS_JSON
def model_card(head: str, *, as_json: bool, **given: Any) -> None:
    """Show what the version of HEAD in service is, how well it does, and what it tells of whom."""
    from safelight.errors import LearningError  # noqa: PLC0415  # start-up cost
    from safelight.learning.ledgers import head_of  # noqa: PLC0415  # as above
    from safelight.learning.versions import newest  # noqa: PLC0415  # as above

    with house(given) as custody, custody.store.read() as conn:
        made = newest(conn, head_of(conn, head).id)
    if made is None:
        raise LearningError("no version of this head was published", todo="run safelight train")
    if as_json:
        told = {"document": made.document, "card": made.card, "answers": _answers(made)}
        show(_plain(head, made) | told)
        return
    click.secho(f"{head} version {made.version}, {made.state}", bold=True)
    for name, value in made.document.items():
        click.echo(f"  {name}: {value}")
    _tell_card(made)
    click.echo(made.note or "  not signed yet")


@click.command()
@click.argument("person")
@click.option(
    "--receipt",
    metavar="FILE",
    type=click.Path(dir_okay=False),
    help="Write a receipt that proves it, for the person to keep.",
)
@placed
@AS_JSON
def forget(person: str, *, receipt: str | None, as_json: bool, **given: Any) -> None:
    """Take PERSON off every head, as if they had never been there; their images stay theirs."""
    from safelight.consent.receipts import of_withdrawal  # noqa: PLC0415  # start-up cost
    from safelight.consent.roles import Act  # noqa: PLC0415  # as above

    with receipt_at(receipt) as keep, house(given) as custody:
        custody.accesses.check(actor(), Act.WITHDRAW, person)
        wanted = custody.withdrawals.start(person, "train-a-model", actor=actor())
        done = custody.withdrawals.run(wanted)
        if receipt:
            keep(of_withdrawal(custody, done.id))
    if as_json:
        show({"withdrawal": done.id, "stage": done.stage, **done.facts})
        return
    click.secho("forgotten: no head learns from this person any more", fg="green")
    for one in done.facts["artefacts"]:
        if one["kind"] == "model":
            click.echo(f"  before: {one['before'] or 'nothing published'}")
            click.echo(f"  after:  {one['after']}")

"""``safelight feedback``, ``scoreboard``, ``represent``: where it is right, and who has given."""

from typing import TYPE_CHECKING, Any, Final

import click

from safelight.cli.opening import AS_JSON, actor, house, placed, show

if TYPE_CHECKING:
    from collections.abc import Sequence

    from safelight.feedback import Entry, Facts

__all__ = ["feedback", "represent", "scoreboard"]

_AS: Final = click.option(
    "--as", "account", metavar="CODE", help="Account that speaks; yours on this machine otherwise."
)


@click.group()
def feedback() -> None:
    """Say where a reading is right and where it needs work; nothing said is overwritten."""


@feedback.command("impress")
@click.argument("case")
@click.argument("about")
@click.argument("impression")
@_AS
@placed
@AS_JSON
def feedback_impress(
    case: str, about: str, impression: str, *, account: str | None, as_json: bool, **given: Any
) -> None:
    """Put on record what you think of ABOUT in CASE before you see the reader's answer.

    ABOUT is 'kind' or a finding's code SCHEME:VALUE; IMPRESSION is 'seen', 'not seen',
    'cannot tell', or a kind.
    """
    from safelight.feedback import Book  # noqa: PLC0415  # start-up cost

    with house(given) as custody:
        index = Book(custody).impress(account or actor(), case, about, impression)
    if as_json:
        show({"case": case, "about": about, "log_index": index})
    else:
        click.secho("on record: it stays as it is", fg="green")
        click.echo(f"  log entry {index}")


@feedback.command("reveal")
@click.argument("case")
@click.argument("about")
@_AS
@placed
@AS_JSON
def feedback_reveal(
    case: str, about: str, *, account: str | None, as_json: bool, **given: Any
) -> None:
    """Show what readers answered about ABOUT in CASE; clinicians give their own view first."""
    from safelight.feedback import Book  # noqa: PLC0415  # start-up cost

    with house(given) as custody:
        told = Book(custody).uncover(account or actor(), case, about)
    if as_json:
        show(
            [
                {"reader": one.reader, "version": one.version, "answer": one.answer or "not sure"}
                for one in told
            ]
        )
        return
    for one in told:
        click.echo(f"{one.reader} {one.version}: {one.answer or 'not sure'}")
    if not told:
        click.echo("no reader answered this")


@feedback.command("give")
@click.argument("case")
@click.argument("about")
@click.argument("verdict", type=click.Choice(["right", "needs work", "can't tell"]))
@click.option(
    "--voice",
    type=click.Choice(["person", "clinician", "consensus"]),
    required=True,
    help="As whom: 'my doctor said', a clinician, or several who agree.",
)
@click.option(
    "--basis",
    type=click.Choice(["own reading", "follow-up", "pathology"]),
    default="own reading",
    help="What it is known from.",
)
@click.option("--corrected", default="", help="What holds: 'seen', 'not seen', or a kind.")
@click.option("--reader", default="", help="Whose answer, when several readers answered.")
@click.option("--readers", type=int, default=1, help="How many agreed, in a consensus.")
@click.option("--text", default="", help="In words; what may identify anyone is taken out.")
@_AS
@placed
@AS_JSON
def feedback_give(
    case: str,
    about: str,
    verdict: str,
    *,
    account: str | None,
    as_json: bool,
    **given: Any,
) -> None:
    """Say whether what a reader answered about ABOUT in CASE is right."""
    from safelight.feedback import Basis, Book, Verdict, Voice  # noqa: PLC0415  # start-up cost

    said = {name: given.pop(name) for name in ("corrected", "reader", "readers", "text")}
    voice, basis = Voice(given.pop("voice")), Basis(given.pop("basis"))
    with house(given) as custody:
        entry = Book(custody).give(
            account or actor(), case, about, Verdict(verdict), voice=voice, basis=basis, **said
        )
    if as_json:
        show(_plain(entry))
    else:
        click.secho("recorded", fg="green")
        click.echo(f"  log entry {entry.entry}")
        if entry.text != said["text"].strip():
            click.echo(f"  your words, without what may identify anyone: {entry.text}")


@feedback.command("show")
@click.argument("case")
@placed
@AS_JSON
def feedback_show(case: str, *, as_json: bool, **given: Any) -> None:
    """Show all that was said of CASE, in the order it came."""
    from safelight.consent.roles import Act  # noqa: PLC0415  # start-up cost
    from safelight.feedback import Book  # noqa: PLC0415  # as above

    with house(given) as custody:
        book = Book(custody)
        with custody.store.read() as conn:
            found = book.case(conn, case)
        custody.accesses.check(actor(), Act.SEE_CONSENT, found.person)
        with custody.store.read() as conn:
            entries = book.of(conn, case)
    if as_json:
        show([_plain(one) for one in entries])
        return
    for one in entries:
        truth = f", so {one.truth}" if one.truth else ""
        click.echo(
            f"{one.at:%Y-%m-%d %H:%M} {one.account} ({one.voice}, {one.basis}) {one.about}:"
            f" {one.verdict}{truth}"
        )
    if not entries:
        click.echo("nothing was said yet")


def _plain(one: "Entry") -> dict[str, Any]:
    names = ("id", "case", "about", "account", "voice", "basis", "verdict", "reader", "version")
    told = {name: str(getattr(one, name)) for name in names}
    rest = {"shown": one.shown, "truth": one.truth, "readers": one.readers, "text": one.text}
    return told | rest | {"at": one.at.isoformat(), "log_index": one.entry}


@click.group(invoke_without_command=True)
@placed
@AS_JSON
@click.pass_context
def scoreboard(ctx: click.Context, /, *, as_json: bool, **given: Any) -> None:
    """Show how often each reader is right and wrong by confirmed feedback."""
    if ctx.invoked_subcommand:
        return
    from safelight.feedback import Book  # noqa: PLC0415  # start-up cost
    from safelight.feedback.cards import said  # noqa: PLC0415  # as above
    from safelight.feedback.scoreboard import Scoreboard  # noqa: PLC0415  # as above
    from safelight.pipeline.panel import Panels  # noqa: PLC0415  # as above

    with house(given) as custody:
        board = Scoreboard(custody, Book(custody))
        readers = Panels(custody).now().registry.readers
        with custody.store.read() as conn:
            page = board.public(conn, cards=said(readers))
    if as_json:
        show(page)
        return
    for one in page["readers"]:
        click.secho(f"{one['reader']} {one['version']}  {one['about']}", bold=True)
        colour = "green" if one["state"] == "validated" else "yellow"
        click.secho(f"  {one['state']} {one['reason']}".rstrip(), fg=colour)
        for line in _lines(one["all"]):
            click.echo(f"  {line}")
        if card := one["card_says"]:
            click.echo(
                f"  its card: answers {card['answered']:.0%}, misses at most"
                f" {card['missed_at_most']:.1%}, false at most {card['false_alarms_at_most']:.1%}"
            )
        for alarm in one["alarms"]:
            click.secho(f"  {alarm['kind']}: {alarm['test']} {alarm['site']}".rstrip(), fg="yellow")
    if not page["readers"]:
        click.echo("no image was read yet")


def _lines(cell: dict[str, Any]) -> list[str]:
    lines = [f"images: {cell['images']}"]
    if "answered" in cell:
        lines.append(f"answered: {cell['answered']}, confirmed: {cell['confirmed']}")
    for name, words in (("agreement", "right"), ("missed", "missed"), ("false_alarms", "false")):
        rate = cell.get(name)
        if rate and rate["value"] is not None:
            share = f"{rate['value']:.1%} ({rate['low']:.1%} to {rate['high']:.1%})"
            lines.append(f"{words}: {rate['count']} of {rate['of']}, {share}")
    return lines


@scoreboard.command("update")
@placed
@AS_JSON
def scoreboard_update(*, as_json: bool, **given: Any) -> None:
    """Look at everything again, take out of service what breaks its promise, note what is new."""
    from safelight.feedback import Book  # noqa: PLC0415  # start-up cost
    from safelight.feedback.scoreboard import Scoreboard  # noqa: PLC0415  # as above

    with house(given) as custody:
        noted = Scoreboard(custody, Book(custody)).update()
    told: list[dict[str, Any]] = [
        {"kind": one.kind, "reader": one.reader, "who": one.who, "detail": one.detail}
        for one in noted
    ]
    if as_json:
        show(told)
        return
    for one in told:
        words = ", ".join(f"{name} {value}" for name, value in one["detail"].items())
        click.echo(f"{one['kind']} {one['reader'] or one['who']}: {words}")
    if not told:
        click.echo("nothing new")


@scoreboard.command("restore")
@click.argument("reader")
@click.argument("version")
@click.argument("reason")
@placed
@AS_JSON
def scoreboard_restore(
    reader: str, version: str, reason: str, *, as_json: bool, **given: Any
) -> None:
    """Let VERSION of READER out of the shadow, with a REASON in words."""
    from safelight.feedback import Book  # noqa: PLC0415  # start-up cost
    from safelight.feedback.scoreboard import Scoreboard  # noqa: PLC0415  # as above

    with house(given) as custody:
        Scoreboard(custody, Book(custody)).restore(actor(), reader, version, reason)
    if as_json:
        show({"reader": reader, "version": version, "state": "validated"})
    else:
        click.secho(f"restored: {reader} {version}", fg="green")


@click.command()
@click.option(
    "--population",
    default="World",
    metavar="AREA|FILE.csv",
    help="A country (name or ISO 3166 code), World, or a table of your own.",
)
@click.option(
    "--cohort",
    type=click.Path(exists=True, dir_okay=False),
    metavar="FILE.csv",
    help="Compare this table (columns age, sex, region, device) and open no vault.",
)
@click.option(
    "--purpose", default="train-a-model", help="People of the vault who agree to this purpose."
)
@click.option("--sex", type=click.Choice(["F", "M"]), help="Of the population, these alone.")
@click.option("--ages", metavar="FIRST-LAST", help="Of the population, these ages alone.")
@placed
@AS_JSON
def represent(
    *,
    population: str,
    cohort: str | None,
    purpose: str,
    sex: str | None,
    ages: str | None,
    as_json: bool,
    **given: Any,
) -> None:
    """Show whether those who have given resemble those it is for, and how to weigh them."""
    from safelight.cli.cohorts import (  # noqa: PLC0415  # start-up cost
        from_file,
        from_vault,
        tell_cohort,
    )
    from safelight.learning.reference import Reference, band  # noqa: PLC0415  # as above
    from safelight.learning.represent import compare  # noqa: PLC0415  # as above

    own = population.lower().endswith(".csv")
    reference = Reference.from_csv(population) if own else Reference.packaged(population)
    if sex or ages:
        try:
            years = band(ages) if ages else None
        except ValueError:
            raise click.UsageError("ages are given as 50-69 or 50+") from None
        reference = reference.within(sex=sex or "", ages=years)
    people: Sequence[Facts]
    if cohort:
        people = from_file(cohort)
    else:
        with house(given) as custody:
            people = from_vault(custody, actor(), purpose)
    document = compare(people, reference).to_json()
    if as_json:
        show(document)
        return
    tell_cohort(document)

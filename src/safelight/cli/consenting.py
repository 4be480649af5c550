"""``safelight people``, ``consent`` and ``withdraw``: what each person said, and taking it back."""

from datetime import UTC, date, datetime, time
from typing import TYPE_CHECKING, Any, Final

import click

from safelight.cli.opening import AS_JSON, actor, house, placed, receipt_at, show

if TYPE_CHECKING:
    from safelight.consent.custody import Custody
    from safelight.consent.outcome import Outcome
    from safelight.consent.records import Recorded

__all__ = ["consent", "people", "withdraw"]

_RECEIPT: Final = click.option(
    "--receipt",
    metavar="FILE",
    type=click.Path(dir_okay=False),
    help="Write a receipt that proves it, for the person to keep.",
)
_METHOD: Final = click.option(
    "--method",
    type=click.Choice(["command", "in-person", "paper", "phone", "web"]),
    default="command",
    help="How it was said.",
)


@click.group(invoke_without_command=True)
@placed
@AS_JSON
@click.pass_context
def people(ctx: click.Context, /, *, as_json: bool, **given: Any) -> None:
    """List the people in the vault, by their codes; never by name."""
    if ctx.invoked_subcommand:
        return
    from safelight.consent.roles import Act  # noqa: PLC0415  # start-up cost

    with house(given) as custody:
        custody.accesses.check(actor(), Act.LIST_PEOPLE)
        with custody.store.read() as conn:
            rows = [
                {"person": code, "state": state, **_counted(custody, conn, code)}
                for state in ("active", "erased")
                for code in custody.vault.people.listed(conn, state)
            ]
    if as_json:
        show({"people": rows})
        return
    for row in rows:
        click.echo(f"{row['person']}  {row['state']:<7} {row['agreed']} agreed, {row['kept']} kept")
    if not rows:
        click.echo("nobody yet: safelight submit adds people, and so does safelight people add")


def _counted(custody: "Custody", conn: Any, person: str) -> dict[str, int]:
    from safelight.consent.decision import Said, standing  # noqa: PLC0415  # start-up cost

    said = [one.statement for one in custody.consents.history(conn, person)]
    names = {one.purpose for one in said}
    agreed = [last for name in names if (last := standing(said, name)) and last.said == Said.GRANT]
    there = [one for one in custody.lineage.of(conn, person) if one.removed_at is None]
    return {"agreed": len(agreed), "kept": len(there)}


@people.command("add")
@placed
@AS_JSON
def people_add(*, as_json: bool, **given: Any) -> None:
    """Add a person with a key of their own, and print their code."""
    from safelight.consent.roles import Act  # noqa: PLC0415  # start-up cost

    with house(given) as custody:
        custody.accesses.check(actor(), Act.SUBMIT)
        person = custody.vault.create_person()
    if as_json:
        show({"person": person})
    else:
        click.echo(person)


@click.group()
def consent() -> None:
    """Show and record what a person agreed to; nothing is allowed until they do."""


@consent.command("show")
@click.argument("person")
@click.option("--fhir", is_flag=True, help="Print a FHIR R4 Bundle of Consent resources.")
@placed
@AS_JSON
def consent_show(person: str, *, fhir: bool, as_json: bool, **given: Any) -> None:
    """Show what PERSON said, and what may be done now under the newest policies."""
    from safelight.consent.fhir import export_all  # noqa: PLC0415  # start-up cost
    from safelight.consent.roles import Act  # noqa: PLC0415  # as above

    with house(given) as custody:
        custody.accesses.check(actor(), Act.SEE_CONSENT, person)
        with custody.store.read() as conn:
            history = custody.consents.history(conn, person)
            if fhir:
                show(export_all(history, now=custody.store.clock.now()))
                return
            answers = [
                custody.consents.may(conn, person, purpose, policy.hash)
                for name in custody.consents.names(conn)
                for policy in [custody.consents.policy(conn, name)]
                for purpose in sorted(policy.purposes)
            ]
            names = {
                policy.hash: f"{policy.name} version {policy.version}"
                for name in custody.consents.names(conn)
                for policy in custody.consents.versions(conn, name)
            }
    if as_json:
        told = [
            {"purpose": a.purpose, "policy": a.policy, "allowed": a.allowed, "reason": a.reason}
            for a in answers
        ]
        show({"person": person, "now": told, "said": [_plain(one) for one in history]})
        return
    click.secho("Now", bold=True)
    for one in answers:
        word, colour = ("yes", "green") if one.allowed else ("no", "red")
        answer = click.style(f"{word:<3}", fg=colour)
        click.echo(f"  {answer} {one.purpose} under {names[one.policy]}: {one.reason}")
    if not answers:
        click.echo("  no   to everything: no policy was published yet")
    click.secho("Said", bold=True)
    for record in history:
        said = record.statement
        under = f" under {names[said.policy]}" if said.policy else ""
        until = f" until {said.until:%Y-%m-%d}" if said.until else ""
        what = "everything" if said.purpose == "*" else said.purpose
        click.echo(
            f"  {said.number:>3} {record.recorded_at:%Y-%m-%d %H:%M} {said.said} {what}{under}"
            f"{until} ({record.method}, recorded by {record.recorded_by})"
        )
    if not history:
        click.echo("  nothing")


def _plain(one: "Recorded") -> dict[str, Any]:
    said = one.statement
    return {
        "number": said.number,
        "purpose": said.purpose,
        "said": said.said,
        "policy": said.policy,
        "at": said.at.isoformat(),
        "until": said.until.isoformat() if said.until else None,
        "basis": said.basis,
        "recorded_at": one.recorded_at.isoformat(),
        "recorded_by": one.recorded_by,
        "method": one.method,
        "log_index": one.entry,
    }


def _day(value: date | None) -> datetime | None:
    return datetime.combine(value, time(), UTC) if value else None


_DAY: Final = click.DateTime(["%Y-%m-%d"])


@consent.command("grant")
@click.argument("person")
@click.argument("purpose")
@click.option("--policy", required=True, metavar="NAME|HASH", help="The policy that was seen.")
@click.option("--given", "given_on", type=_DAY, help="Day it was given, if not today.")
@click.option("--until", type=_DAY, help="Day on which it ends.")
@click.option(
    "--guardian-of",
    type=click.Choice(["minor", "adult"]),
    help="A guardian said it, for a minor or for an adult.",
)
@click.option("--minor-until", type=_DAY, help="Day on which the minor comes of age.")
@_METHOD
@_RECEIPT
@placed
@AS_JSON
def consent_grant(
    person: str,
    purpose: str,
    *,
    policy: str,
    method: str,
    receipt: str | None,
    as_json: bool,
    **given: Any,
) -> None:
    """Record that PERSON agrees to PURPOSE under a policy they have seen."""
    guardian, of_age = given.pop("guardian_of"), given.pop("minor_until")
    more = {
        "at": _day(given.pop("given_on")),
        "until": _day(given.pop("until")),
        "basis": f"guardian-of-{guardian}" if guardian else "self",
        "majority": of_age.date() if of_age else None,
    }
    said = {"said": "grant", "policy": policy, "method": method}
    _record(person, purpose, given, receipt=receipt, as_json=as_json, **said, **more)


@consent.command("refuse")
@click.argument("person")
@click.argument("purpose")
@click.option("--policy", required=True, metavar="NAME|HASH", help="The policy that was seen.")
@_METHOD
@_RECEIPT
@placed
@AS_JSON
def consent_refuse(
    person: str,
    purpose: str,
    *,
    policy: str,
    method: str,
    receipt: str | None,
    as_json: bool,
    **given: Any,
) -> None:
    """Record that PERSON does not agree to PURPOSE."""
    said = {"said": "refuse", "policy": policy, "method": method}
    _record(person, purpose, given, receipt=receipt, as_json=as_json, **said)


def _record(
    person: str,
    purpose: str,
    given: dict[str, Any],
    *,
    receipt: str | None,
    as_json: bool,
    **fields: Any,
) -> None:
    from safelight.consent.decision import Basis, Said  # noqa: PLC0415  # start-up cost
    from safelight.consent.receipts import of_statement  # noqa: PLC0415  # as above
    from safelight.consent.roles import Act  # noqa: PLC0415  # as above

    fields["said"] = Said(fields["said"])
    fields["basis"] = Basis(fields.get("basis", "self"))
    with receipt_at(receipt) as keep, house(given) as custody:
        custody.accesses.check(actor(), Act.RECORD_CONSENT, person)
        with custody.store.begin() as conn:
            seen = custody.consents.policy(conn, fields["policy"])
            fields["policy"] = seen.hash
            done = custody.consents.record(
                conn, person=person, purpose=purpose, actor=actor(), **fields
            )
        if receipt:
            keep(of_statement(custody, done.statement.number))
    if as_json:
        show(_plain(done))
    else:
        verb = "agrees to" if fields["said"] == Said.GRANT else "refuses"
        click.secho(f"recorded: {verb} {done.statement.purpose}", fg="green")
        click.echo(f"  policy {seen.name} version {seen.version}, log entry {done.entry}")


@consent.command("import")
@click.argument("file", type=click.File("rb"))
@placed
@AS_JSON
def consent_import(file: Any, *, as_json: bool, **given: Any) -> None:
    """Record what a FHIR R4 Consent, or a Bundle of them, says; all of it or nothing."""
    from safelight.consent.decision import Said  # noqa: PLC0415  # start-up cost
    from safelight.consent.fhir import MAX_BYTES, hear  # noqa: PLC0415  # as above
    from safelight.consent.roles import Act  # noqa: PLC0415  # as above

    heard = hear(file.read(MAX_BYTES + 1))
    with house(given) as custody:
        for person in sorted({one.person for one in heard}):
            custody.accesses.check(actor(), Act.RECORD_CONSENT, person)
        with custody.store.begin() as conn:
            done = [
                custody.consents.record(
                    conn,
                    person=one.person,
                    purpose=one.purpose,
                    said=one.said,
                    policy=one.policy,
                    at=one.at,
                    until=one.until,
                    basis=one.basis,
                    actor=actor(),
                    method="fhir",
                )
                for one in heard
                if one.said != Said.WITHDRAW
            ]
        # A withdrawal is more than a statement: what was made is taken back as well.
        back = [(one.person, one.purpose) for one in heard if one.said == Said.WITHDRAW]
        outcomes = [_take_back(custody, *one, method="fhir") for one in back]
    if as_json:
        show({"said": [_plain(one) for one in done], "withdrawn": [one.id for one in outcomes]})
    else:
        click.secho(f"recorded: {len(done)} statements, {len(outcomes)} withdrawals", fg="green")


def _take_back(custody: "Custody", person: str, purpose: str, *, method: str) -> "Outcome":
    wanted = custody.withdrawals.start(person, purpose, actor=actor(), method=method)
    return custody.withdrawals.run(wanted)


@consent.command("withdraw")
@click.argument("person")
@click.argument("purpose")
@_METHOD
@_RECEIPT
@placed
@AS_JSON
def consent_withdraw(
    person: str, purpose: str, *, method: str, receipt: str | None, as_json: bool, **given: Any
) -> None:
    """Take back PERSON's consent to PURPOSE, and remove what was made for it."""
    _withdraw(person, purpose, given, method=method, receipt=receipt, as_json=as_json)


@click.command()
@click.argument("person")
@click.option("--all", "everything", is_flag=True, help="Everything: the key goes, for good.")
@click.option("--yes", is_flag=True, help="Do not ask again.")
@_METHOD
@_RECEIPT
@placed
@AS_JSON
def withdraw(
    person: str,
    *,
    everything: bool,
    yes: bool,
    method: str,
    receipt: str | None,
    as_json: bool,
    **given: Any,
) -> None:
    """Erase PERSON: deny every use at once, remove all that was made, destroy their key."""
    if not everything:
        raise click.UsageError(
            "withdraw is about everything: give --all, or use 'safelight consent withdraw'"
        )
    if not (yes or as_json):
        click.confirm("All data of this person will be gone for good. Go on?", abort=True)
    _withdraw(person, "*", given, method=method, receipt=receipt, as_json=as_json)


def _withdraw(
    person: str,
    purpose: str,
    given: dict[str, Any],
    *,
    method: str,
    receipt: str | None,
    as_json: bool,
) -> None:
    from safelight.consent.receipts import of_withdrawal  # noqa: PLC0415  # start-up cost
    from safelight.consent.roles import Act  # noqa: PLC0415  # as above

    with receipt_at(receipt) as keep, house(given) as custody:
        custody.accesses.check(actor(), Act.WITHDRAW, person)
        done = _take_back(custody, person, purpose, method=method)
        if receipt:
            keep(of_withdrawal(custody, done.id))
    if as_json:
        show({"withdrawal": done.id, "stage": done.stage, **done.facts})
        return
    click.secho("withdrawn: every such use is denied", fg="green")
    click.echo(f"  removed: {done.removed} artefacts")
    if done.facts["key_destroyed"]:
        click.echo("  the person's key is destroyed; what remains anywhere cannot be read")
    if missed := done.facts["backups_out_of_reach"]:
        click.secho(f"  {missed} backups could not be reached; they are tried again", fg="yellow")
    for one in done.facts["not_recalled"]:
        click.secho(
            f"  could not be recalled: {one['count']} of {one['kind']} at {one['recipient']};"
            f" tell {one['contact']}",
            fg="yellow",
        )

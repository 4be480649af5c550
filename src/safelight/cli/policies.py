"""``safelight policy``, ``disclosures`` and ``audit``: what is asked, handed out, and looked at."""

from typing import TYPE_CHECKING, Any, cast

import click

from safelight.cli.opening import AS_JSON, actor, house, placed, show

if TYPE_CHECKING:
    from safelight.consent.custody import Custody
    from safelight.consent.diff import Diff
    from safelight.consent.policy import Policy

__all__ = ["audit", "disclosures", "policy"]


@click.group()
def policy() -> None:
    """Publish policies, show them, and tell what changed between two."""


def _document(path: str) -> dict[str, Any]:
    from safelight.consent.policy import MAX_BYTES, read  # noqa: PLC0415  # start-up cost
    from safelight.errors import PolicyError  # noqa: PLC0415  # as above

    try:
        with open(path, "rb") as file:
            data = file.read(MAX_BYTES + 1)
    except OSError as error:
        raise PolicyError(f"the policy file cannot be read ({error.strerror})") from error
    return read(data, toml=path.lower().endswith(".toml"))


def _changes(diff: "Diff | None") -> dict[str, Any]:
    if diff is None:
        return {"effect": "first", "carries": False, "changes": []}
    return {
        "effect": diff.effect.name.lower(),
        "carries": diff.carries,
        "changes": [
            {
                "field": one.field,
                "effect": one.effect.name.lower(),
                "before": one.before,
                "after": one.after,
            }
            for one in diff.changes
        ],
    }


@policy.command("publish")
@click.argument("file", type=click.Path(exists=True, dir_okay=False))
@placed
@AS_JSON
def policy_publish(file: str, *, as_json: bool, **given: Any) -> None:
    """Publish FILE (TOML or JSON) as the next version of its policy.

    A version that allows more than the one before asks everyone again: no consent carries over.
    """
    from safelight.consent import render  # noqa: PLC0415  # start-up cost
    from safelight.consent.roles import Act  # noqa: PLC0415  # as above

    document = _document(file)
    with house(given) as custody:
        custody.accesses.check(actor(), Act.PUBLISH_POLICY)
        new, diff = custody.consents.publish(document, actor=actor())
    if as_json:
        show({"policy": new.hash, "name": new.name, "version": new.version, **_changes(diff)})
        return
    click.secho(f"published: {new.name} version {new.version}", fg="green")
    click.echo(f"  {new.hash}")
    if diff is not None:
        click.echo(render.changes(diff), nl=False)


@policy.command("show")
@click.argument("wanted", required=False, metavar="[NAME|HASH]")
@placed
@AS_JSON
def policy_show(wanted: str | None, *, as_json: bool, **given: Any) -> None:
    """Show a policy in plain words, or list all policies."""
    from safelight.consent import render  # noqa: PLC0415  # start-up cost

    with house(given) as custody, custody.store.read() as conn:
        if wanted:
            shown = [custody.consents.policy(conn, wanted)]
        else:
            names = custody.consents.names(conn)
            shown = [one for name in names for one in custody.consents.versions(conn, name)]
    if as_json:
        listed = [one.document() | {"hash": one.hash} for one in shown]
        show(listed[0] if wanted else {"policies": listed})
    elif wanted:
        click.echo(render.policy(shown[0]), nl=False)
    else:
        for one in shown:
            click.echo(f"{one.name} version {one.version}  {one.hash}  {one.title}")
        if not shown:
            click.echo("no policy yet: safelight policy publish FILE")


@policy.command("diff")
@click.argument("old", metavar="OLD")
@click.argument("new", required=False, metavar="[NEW]")
@placed
@AS_JSON
@click.pass_context
def policy_diff(
    ctx: click.Context, /, old: str, new: str | None, *, as_json: bool, **given: Any
) -> None:
    """Tell what changes from OLD to NEW: files, hashes or names of policies.

    With one file alone, it is compared with the newest published version of its policy. The exit
    code is 1 where consent would not carry over.
    """
    from safelight.consent import render  # noqa: PLC0415  # start-up cost
    from safelight.consent.diff import compare  # noqa: PLC0415  # as above

    files = {one: _from_file(one) for one in (old, new) if one}
    if new is None and files[old] is None:
        raise click.UsageError("give two policies, or one file")
    if new and all(files.values()):
        first, second = files[old], files[new]
    else:
        with house(given) as custody:
            later = files[new or old]
            second = later or _published(custody, new or old)
            first = (files[old] if new else None) or _published(
                custody, old if new else second.name
            )
    diff = compare(cast("Policy", first), cast("Policy", second))
    if as_json:
        show(_changes(diff))
    else:
        click.echo(render.changes(diff), nl=False)
    ctx.exit(0 if diff.carries else 1)


def _from_file(text: str) -> "Policy | None":
    """Return the policy in a file; None where the text names no file."""
    import os  # noqa: PLC0415  # beside its use

    from safelight.consent.policy import Policy  # noqa: PLC0415  # start-up cost

    return Policy.from_document(_document(text)) if os.path.isfile(text) else None


def _published(custody: "Custody", wanted: str) -> "Policy":
    with custody.store.read() as conn:
        return custody.consents.policy(conn, wanted)


@click.command()
@click.argument("person", required=False)
@click.option("--pending", is_flag=True, help="Only what recipients must still delete.")
@click.option("--told", metavar="ID", help="Note that the recipient of this one was told.")
@click.option(
    "--answer",
    nargs=2,
    metavar="ID ANSWER",
    help="Note a recipient's answer: deleted, refused or unreachable.",
)
@click.option("--fhir", is_flag=True, help="Print FHIR R4 AuditEvents (IHE BALP).")
@placed
@AS_JSON
def disclosures(
    person: str | None,
    *,
    pending: bool,
    told: str | None,
    answer: tuple[str, str] | None,
    fhir: bool,
    as_json: bool,
    **given: Any,
) -> None:
    """List what was handed out: to whom, when, what and what for."""
    from dataclasses import asdict  # noqa: PLC0415  # beside its use

    from safelight.consent import balp  # noqa: PLC0415  # start-up cost
    from safelight.consent.roles import Act  # noqa: PLC0415  # as above

    with house(given) as custody:
        if told or answer:
            custody.accesses.check(actor(), Act.WITHDRAW)
            with custody.store.begin() as conn:
                if told:
                    custody.disclosures.told(conn, told)
                if answer:
                    custody.disclosures.told(conn, *answer)
        custody.accesses.check(actor(), Act.SEE_DISCLOSURES, person or "")
        now = custody.store.clock.now()
        with custody.store.read() as conn:
            listed = custody.disclosures.listed(conn, person or "")
        if pending:
            listed = [one for one in listed if one.answer in ("to tell", "told")]
    if fhir:
        show(balp.bundle(map(balp.disclosure_event, listed), now))
        return
    if as_json:
        show({"disclosures": [asdict(one) for one in listed]})
        return
    for one in listed:
        click.echo(
            f"{one.at:%Y-%m-%d} {one.recipient}: {one.count} of {one.kind} for {one.purpose}"
            f"{f' ({one.what})' if one.what else ''}"
        )
        click.echo(f"    {one.address}; {one.contact}; id {one.id}")
        if one.answer:
            due = f", due {one.due_at:%Y-%m-%d}" if one.due_at else ""
            click.secho(f"    withdrawn: {one.answer}{due}", fg="yellow")
    if not listed:
        click.echo("nothing was handed out")


@click.command()
@click.argument("person", required=False)
@click.option("--limit", type=click.IntRange(1, 100_000), default=100, help="The newest so many.")
@click.option("--fhir", is_flag=True, help="Print FHIR R4 AuditEvents (IHE BALP).")
@placed
@AS_JSON
def audit(person: str | None, *, limit: int, fhir: bool, as_json: bool, **given: Any) -> None:
    """List who looked at what, and who was refused; of one PERSON, or all."""
    from dataclasses import asdict  # noqa: PLC0415  # beside its use

    from safelight.consent import balp  # noqa: PLC0415  # start-up cost
    from safelight.consent.roles import Act  # noqa: PLC0415  # as above

    with house(given) as custody:
        custody.accesses.check(actor(), Act.SEE_ACCESSES, person or "")
        now = custody.store.clock.now()
        with custody.store.read() as conn:
            listed = custody.accesses.listed(conn, person or "", limit=limit)
    if fhir:
        show(balp.bundle(map(balp.access_event, listed), now))
        return
    if as_json:
        show({"accesses": [asdict(one) for one in listed]})
        return
    for one in listed:
        word, colour = ("allowed", "green") if one.allowed else ("refused", "red")
        who = f" of {one.person}" if one.person else ""
        glass = click.style(f" EMERGENCY: {one.claim}", fg="yellow") if one.broke_glass else ""
        answer = click.style(word, fg=colour)
        click.echo(f"{one.at:%Y-%m-%d %H:%M} {answer} {one.act}{who} by {one.actor}{glass}")
        if not one.allowed:
            click.echo(f"    {one.reason}")

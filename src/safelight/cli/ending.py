"""``safelight retention``: remove what is past the time that its policy says."""

from typing import Any

import click

from safelight.cli.opening import AS_JSON, actor, house, placed, show

__all__ = ["retention"]


@click.command()
@click.option("--dry-run", is_flag=True, help="List what is past its time; remove nothing.")
@placed
@AS_JSON
def retention(*, dry_run: bool, as_json: bool, **given: Any) -> None:
    """Remove what is past the time that its policy says, and ciphertext that no row names.

    A running page does it by itself, hourly. It may be stopped and given again at any time.
    """
    from safelight.consent.roles import Act  # noqa: PLC0415  # start-up cost

    with house(given) as custody:
        custody.accesses.check(actor(), Act.RUN)
        if dry_run:
            now = custody.store.clock.now()
            with custody.store.read() as conn:
                found = {
                    person: len(going)
                    for person in custody.retention.people(conn, now)
                    if (going := custody.retention.over(conn, person, now))
                }
            told = [{"person": person, "artefacts": count} for person, count in found.items()]
            swept = 0
        else:
            custody.withdrawals.resume()
            ended = custody.ending.run()
            swept = custody.vault.sweep()
            told = [
                {
                    "person": one.person,
                    "artefacts": one.removed,
                    "stage": one.stage,
                    "retention": one.id,
                }
                for one in ended
            ]
    if as_json:
        show({"removed": not dry_run, "people": told, "swept": swept})
        return
    for each in told:
        word = "past their time" if dry_run else "removed"
        click.echo(f"{each['person']}: {each['artefacts']} artefacts {word}")
        if each.get("stage", "done") != "done":
            click.secho("    not all could be removed yet; it is tried again", fg="yellow")
    if not told:
        click.echo("nothing is past its time")
    if swept:
        click.echo(f"{swept} objects that no row names are gone")

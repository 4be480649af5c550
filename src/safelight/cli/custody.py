"""``safelight init``, ``submit``, ``backup``, ``restore`` and ``rotate``: the vault by hand."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, Final

import click

from safelight.cli.opening import AS_JSON, actor, placed, show, tell_new_key

if TYPE_CHECKING:
    from safelight.pipeline.house import House, Places
    from safelight.pipeline.submit import Submitted
    from safelight.settings import Settings
    from safelight.vault.backup import Backup

__all__ = ["backup", "init", "restore", "rotate", "submit"]

_REVIEW, _QUARANTINE = 1, 3  # exit codes, as for deidentify
_INCOMPLETE: Final = 3  # of restore
_FOLDER: Final = click.Path(file_okay=False)


def _places(given: dict[str, Any]) -> "Places":
    from safelight.pipeline.house import Places  # noqa: PLC0415  # start-up cost

    known = ("data", "database", "objects", "master_key", "log_key")
    return Places(**{name: given[name] for name in known if given.get(name)})


@click.command()
@placed
@AS_JSON
def init(*, as_json: bool, **given: Any) -> None:
    """Make the vault: a data folder, a master key and the log's key; or bring one up to date.

    What is there already is kept. Keep a copy of the master key in another place: without it
    nothing in the vault can be read, and it is in no backup.
    """
    from safelight.errors import StoreError  # noqa: PLC0415  # start-up cost
    from safelight.pipeline.house import House  # noqa: PLC0415  # as above

    places = _places(given)
    before = after = ""
    if places.exists():
        try:
            before, after = places.upgrade()
        except StoreError as error:
            if "not one of" not in error.what:
                raise
    with House.create(places) as house:
        house.custody.accesses.bootstrap(actor())
        told = {
            "data": places.folder,
            "master_key": house.vault.people.fingerprint,
            "log_key": str(house.custody.log.key),
            "upgraded": before != after,
        }
    if as_json:
        show(told)
        return
    click.echo(f"data folder  {told['data']}")
    click.echo(f"master key   {told['master_key']}  (keep a copy in another place)")
    click.echo(f"log key      {told['log_key']}")
    if before != after:
        click.echo(f"the database was brought from revision {before} to {after}")
    click.echo("next: safelight policy publish FILE, then safelight submit SRC --agree")


@click.command()
@click.argument("sources", nargs=-1, metavar="[SRC]...", type=click.Path(exists=True))
@click.option("--person", metavar="CODE", default="", help="Whose they are; else a new person.")
@click.option("--purpose", default="care", show_default=True, help="What they are handed in for.")
@click.option("--policy", metavar="NAME|HASH", default="", help="The policy that was seen.")
@click.option("--agree", is_flag=True, help="The person agrees to this purpose; record their yes.")
@click.option("--keep-originals", is_flag=True, help="Keep them, encrypted, for the person.")
@click.option("--later", is_flag=True, help="Only take them in; de-identify at a later submit.")
@click.option("--preset", metavar="NAME|FILE.toml", help="What to take off and what to keep.")
@click.option("--key", "key_file", metavar="FILE", help="Project key.")
@placed
@AS_JSON
@click.pass_context
def submit(ctx: click.Context, /, sources: tuple[str, ...], *, as_json: bool, **given: Any) -> None:
    """Take files, folders and archives into the vault, de-identify them, delete the originals.

    They lie encrypted from the first byte on. A submission that was interrupted is whole or
    absent. The person's code is told as soon as there is one: go on with --person CODE, and files
    that they handed in before are noticed; without --person, --agree makes a new person each time.
    Without SRC, work on what waits.
    """
    from safelight import settings  # noqa: PLC0415  # start-up cost
    from safelight.pipeline.house import House  # noqa: PLC0415  # as above

    if sources and not given["person"] and not given["agree"]:
        raise click.UsageError("a new person has not agreed to anything: give --agree or --person")
    chosen = settings.load(preset=given["preset"], key_file=given["key_file"])
    if not given["later"]:
        tell_new_key(chosen.key_file)
    with House.open(_places(given)) as house:
        house.custody.accesses.bootstrap(actor())
        with _going_on(given):
            told = _take_in(house, sources, given) if sources else None
            done = 0 if given["later"] else _work(house, chosen)
        document, code = _standing(house, told)
    document["worked_on"] = done
    if as_json:
        show(document)
    else:
        _print(document, told)
    ctx.exit(code)


@contextmanager
def _going_on(given: dict[str, Any]) -> Iterator[None]:
    """Say how to go on with the person's files, when they are not all worked on."""
    from safelight.errors import SafelightError  # noqa: PLC0415  # start-up cost

    try:
        yield
    except SafelightError as error:
        if given["person"]:
            again = f"then go on with {_again(given['person'])}"
            error.todo = f"{error.todo}; {again}" if error.todo else again
        raise
    except KeyboardInterrupt:
        if not given["person"]:
            raise
        raise SafelightError(
            "stopped as asked",
            kept="the person, and what was taken in before",
            todo=f"go on with {_again(given['person'])}",
        ) from None


def _again(person: str) -> str:
    return f"safelight submit --person {person} SRC"


def _take_in(house: "House", sources: tuple[str, ...], given: dict[str, Any]) -> "Submitted":
    from safelight.consent.decision import Said  # noqa: PLC0415  # start-up cost
    from safelight.consent.purposes import parse  # noqa: PLC0415  # as above
    from safelight.consent.roles import Act  # noqa: PLC0415  # as above
    from safelight.pipeline.submit import check_sources, recover  # noqa: PLC0415  # as above
    from safelight.pipeline.submit import submit as take  # noqa: PLC0415  # as above

    custody, person = house.custody, given["person"]
    custody.accesses.check(actor(), Act.SUBMIT, person)
    recover(house.vault)
    purpose = parse(given["purpose"]).name
    policy = _policy(house, given["policy"])
    check_sources(sources)
    if given["agree"]:
        with house.store.begin() as conn:
            person = person or house.vault.create_person(conn)
            custody.consents.record(
                conn, person=person, purpose=purpose, said=Said.GRANT, actor=actor(), policy=policy
            )
        if not given["person"]:
            click.echo(f"person {person}; if this is stopped: {_again(person)}", err=True)
            given["person"] = person
    told = take(
        house.vault,
        sources,
        person=person,
        keep=given["keep_originals"],
        use=(purpose, policy),
        witness=house.witness,
    )
    click.echo(f"submission {told.submission}: {told.files} new files are in the vault", err=True)
    return told


def _policy(house: "House", wanted: str) -> str:
    """Return the hash of the policy that is meant.

    Raises:
        ConsentError: There is none, or more than one.
    """
    from safelight.errors import ConsentError  # noqa: PLC0415  # start-up cost

    with house.store.read() as conn:
        names = house.custody.consents.names(conn)
        if not wanted and len(names) != 1:
            raise ConsentError(
                "which policy was seen is not clear" if names else "no policy was published yet",
                todo=f"give --policy with one of: {', '.join(names)}"
                if names
                else "safelight policy publish FILE",
            )
        return house.custody.consents.policy(conn, wanted or names[0]).hash


def _work(house: "House", chosen: "Settings") -> int:
    from safelight.pipeline.run import make_engine  # noqa: PLC0415  # start-up cost
    from safelight.pipeline.work import EngineCleaner, Worker  # noqa: PLC0415  # as above

    engine = make_engine(chosen)
    worker = Worker(
        house.vault,
        EngineCleaner(engine),
        witness=house.witness,
        most=engine.limits.decoded_bytes,
    )
    return worker.run()


def _standing(house: "House", told: "Submitted | None") -> tuple[dict[str, Any], int]:
    """Return how the submission, or all of them, stand, and the exit code."""
    from safelight.pipeline import submissions as rows  # noqa: PLC0415  # start-up cost

    wanted = told.submission if told else ""
    with house.store.read() as conn:
        found = rows.standing(conn, submission=wanted)
        waiting = [
            {"submission": each.submission, "position": row.position, "state": row.state}
            | {"reason": row.reason, "what": row.what, "to_do": row.todo}
            for each in found
            for row in rows.files(conn, each.submission)
            if row.state in ("review", "quarantine")
        ]
    states = {one["state"] for one in waiting}
    code = _QUARANTINE if "quarantine" in states else _REVIEW if "review" in states else 0
    document: dict[str, Any] = {
        "submissions": [
            {"submission": each.submission, "person": each.person, "state": each.state}
            | {"files": dict(each.items)}
            for each in found
        ],
        "held": waiting,
    }
    if told:
        document |= {"submission": told.submission, "person": told.person}
        document |= {"new": told.files, "known": told.known, "skipped": len(told.skipped)}
        code = max(code, _QUARANTINE if told.skipped else 0)
    return document, code


def _print(document: dict[str, Any], told: "Submitted | None") -> None:
    if told:
        click.echo(f"submission  {told.submission}")
        click.echo(f"person      {told.person}")
        click.echo(f"files       {told.files} new, {told.known} handed in before")
        for path, problem in told.skipped:  # the person's own terminal may show the path
            click.echo(f"  not taken in: {path}: {problem.what}", err=True)
    for each in document["submissions"]:
        counts = ", ".join(f"{count} {state}" for state, count in sorted(each["files"].items()))
        click.echo(f"{each['submission']}  {each['state']:<8} {counts}")
    for one in document["held"]:
        click.echo(f"  {one['state']}: file {one['position'] + 1}: {one['what']}", err=True)


def _running(given: dict[str, Any], work: Callable[["House"], Any]) -> Any:
    """Open the house for an operator's work."""
    from safelight.consent.roles import Act  # noqa: PLC0415  # start-up cost
    from safelight.pipeline.house import House  # noqa: PLC0415  # as above

    with House.open(_places(given)) as house:
        house.custody.accesses.bootstrap(actor())
        house.custody.accesses.check(actor(), Act.RUN)
        return work(house)


@click.command()
@click.argument("folder", metavar="DIR", type=_FOLDER)
@placed
@AS_JSON
def backup(folder: str, *, as_json: bool, **given: Any) -> None:
    """Write a snapshot of everything but the master key into DIR.

    DIR is remembered: whoever is erased later is erased there too, at once or as soon as it can be
    reached.
    """
    from safelight.vault.backup import back_up  # noqa: PLC0415  # start-up cost

    made = _running(given, lambda house: back_up(house.vault, folder))
    if as_json:
        show({"snapshot": made.snapshot, "rows": made.rows, "copied": made.copied})
    else:
        click.echo(f"snapshot {made.snapshot}: {made.rows} rows, {made.copied} new objects")
    for place in made.unreachable:
        click.echo(f"not reached, tried again later: {place}", err=True)


@click.command()
@click.argument("folder", metavar="DIR", type=click.Path(exists=True, file_okay=False))
@click.option("--snapshot", default="", metavar="NAME", help="Which one; else the newest.")
@placed
@AS_JSON
@click.pass_context
def restore(
    ctx: click.Context, /, folder: str, *, snapshot: str, as_json: bool, **given: Any
) -> None:
    """Put a snapshot from DIR into an empty data folder.

    The master key and the log's key of the old vault are needed. Whoever was erased since stays
    erased. What the backup does not hold whole is listed; the exit code is 3 then.
    """
    from safelight.pipeline.house import House  # noqa: PLC0415  # start-up cost
    from safelight.pipeline.returning import bring_back  # noqa: PLC0415  # as above

    places = _places(given)
    told = bring_back(places, folder, snapshot)
    with House.open(places) as house, house.store.read() as conn:
        people = {
            state: len(list(house.vault.people.listed(conn, state)))
            for state in ("active", "erased")
        }
    if as_json:
        more = {"missing": told.missing, "originals_deleted_since": told.left_out}
        show({"snapshot": told.snapshot, "rows": told.rows, "people": people, **more})
    else:
        click.echo(f"restored {told.snapshot}: {told.rows} rows, {told.copied} objects")
        click.echo(f"people: {people['active']} active, {people['erased']} erased")
        _tell_missing(told)
    ctx.exit(_INCOMPLETE if told.missing else 0)


def _tell_missing(told: "Backup") -> None:
    if told.left_out:
        click.echo(f"{told.left_out} originals were deleted since this snapshot was made")
    for one in told.missing:
        click.echo(f"  missing: {one}", err=True)
    if told.missing:
        click.secho(
            f"THE BACKUP WAS NOT COMPLETE: {len(told.missing)} shares and objects are missing.\n"
            "  kept: all the rest is restored\n"
            "  to do: copy what is listed from another copy of the backup folder (below objects/"
            " and shares/), or restore that one into another new folder",
            fg="red",
            err=True,
        )


@click.command()
@click.option("--to", "target", metavar="SOURCE", default="", help="Where the new key comes from.")
@placed
@AS_JSON
def rotate(*, target: str, as_json: bool, **given: Any) -> None:
    """Lock the vault with a new master key; no object is written anew.

    Without --to, a new key takes the place of the key file, and the old one is kept beside it with
    its fingerprint in the name: destroy that one when no backup needs it any more.
    """
    from safelight.pipeline.house import new_master  # noqa: PLC0415  # start-up cost

    places = _places(given)
    with new_master(places, target) as new:
        count = _running(given, lambda house: house.vault.rotate(new))
    if as_json:
        show({"master_key": new.fingerprint, "people": count})
    else:
        click.echo(f"master key {new.fingerprint}: {count} data keys wrapped anew")

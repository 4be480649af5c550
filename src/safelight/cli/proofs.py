"""``safelight log`` and ``safelight receipt``: look at the log, and at what it gave out."""

import json
import sys
from typing import TYPE_CHECKING, Any, Final

import click

from safelight.cli.opening import actor, house, placed, receipt_at
from safelight.pipeline.targets import check, put

if TYPE_CHECKING:
    from safelight.tlog import Log

__all__ = ["log", "receipt"]

_BAD: Final = 3  # something does not hold
_DATA: Final = click.option(
    "--data", metavar="DIR", help="Data folder; without it, the one safelight init makes."
)
_DATABASE: Final = click.option(
    "--database", metavar="URL", help="Address of the database, when it is not in the data folder."
)
_LOG_KEY: Final = click.option(
    "--log-key",
    metavar="FILE|VKEY",
    help="The log's key file, or its public line; without it, the file safelight init makes.",
)
_JSON: Final = click.option(
    "--json", "as_json", is_flag=True, help="Print one JSON document and nothing else."
)
_OUT: Final = click.option(
    "-o", "--out", metavar="FILE", type=click.Path(dir_okay=False), help="Write there instead."
)
_FORCE: Final = click.option("--force", is_flag=True, help="Write over a file that is there.")


def _open(given: dict[str, str | None], *, recover: bool = True) -> "Log":
    from safelight.pipeline.house import Places  # noqa: PLC0415  # start-up cost
    from safelight.tlog import Log, Signer, VerifierKey  # noqa: PLC0415  # start-up cost

    chosen = {name: value for name, value in given.items() if value}
    key = chosen.get("log_key", "")
    places = Places(**({**chosen, "log_key": ""} if "+" in key else chosen))
    if not places.exists():
        raise click.UsageError("there is no data folder; run safelight init, or give --data")
    signer = VerifierKey.parse(key) if "+" in key else Signer.load(places.log_key_file)
    return Log(places.store(), signer, recover=recover)


def _write(text: str, out: str | None, *, source: str = "", force: bool) -> None:
    if out is None:
        click.echo(text, nl=False)
        return
    check([out], sources=filter(None, [source]), force=force)
    put(out, text.encode(), force=force, private=False)


def _read(path: str) -> bytes:
    from safelight.errors import UnreadableInputError  # noqa: PLC0415  # rarely needed

    try:
        with open(path, "rb") as file:
            return file.read()
    except OSError as error:
        raise UnreadableInputError(f"the file cannot be read ({error.strerror})") from error


@click.group()
def log() -> None:
    """Check the transparency log, sign it, and prove its entries."""


@log.command("verify")
@_DATA
@_DATABASE
@_LOG_KEY
@click.option(
    "--receipt",
    "receipts",
    multiple=True,
    metavar="FILE",
    type=click.Path(exists=True, dir_okay=False),
    help="An old receipt: the log must still agree with it. May be given again.",
)
@_JSON
@click.pass_context
def log_verify(
    ctx: click.Context, /, receipts: tuple[str, ...], *, as_json: bool, **given: str | None
) -> None:
    """Hash every entry, node and checkpoint again; name the first bad place."""
    from safelight.tlog.receipt import verify  # noqa: PLC0415  # start-up cost

    opened = _open(given, recover=False)
    seen = [verify(_read(path), opened.key).checkpoint for path in receipts]
    found = opened.verify(seen)
    problems = [{"place": one.place, "what": one.what} for one in found.problems]
    if as_json:
        told = {
            "checkpoints": found.checkpoints,
            "entries": found.size,
            "holds": found.holds,
            "origin": opened.key.name,
            "problems": problems,
            "root": found.root.hex(),
        }
        click.echo(json.dumps(told, indent=1, sort_keys=True))
    elif found.holds:
        click.secho("The log holds.", fg="green", bold=True)
        click.echo(f"{found.size} entries and {found.checkpoints} checkpoints of {opened.key.name}")
    else:
        click.secho("THE LOG DOES NOT HOLD.", fg="red", bold=True)
        for one in problems:
            click.echo(f"{one['place']}: {one['what']}")
    ctx.exit(0 if found.holds else _BAD)


@log.command("checkpoint")
@_DATA
@_DATABASE
@_LOG_KEY
@_OUT
@_FORCE
def log_checkpoint(*, out: str | None, force: bool, **given: str | None) -> None:
    """Sign the log as it stands (a C2SP checkpoint); give it to whoever is to keep watch."""
    _write(_open(given).checkpoint().note, out, force=force)


@log.command("proof")
@click.argument("index", type=click.IntRange(0))
@_DATA
@_DATABASE
@_LOG_KEY
@_OUT
@_FORCE
def log_proof(index: int, *, out: str | None, force: bool, **given: str | None) -> None:
    """Print the proof that entry INDEX is in the log (C2SP tlog-proof)."""
    _write(_open(given).proof(index), out, force=force)


@log.command("key")
@_DATA
@_DATABASE
@_LOG_KEY
@_JSON
def log_key(*, as_json: bool, **given: str | None) -> None:
    """Show the log's public key and its fingerprint: publish both."""
    key = _open(given, recover=False).key
    if as_json:
        click.echo(json.dumps({"fingerprint": key.fingerprint, "key": str(key)}, indent=1))
    else:
        click.echo(f"{key}\nfingerprint {key.fingerprint}")


@click.group()
def receipt() -> None:
    """Check a receipt, make its page, or get it again from a vault."""


@receipt.command("verify")
@click.argument("file", metavar="FILE", type=click.Path(exists=True, dir_okay=False))
@click.option(
    "--key",
    "trusted",
    metavar="FINGERPRINT|VKEY",
    default="",
    help="The log's key as its keeper has published it; without it, compare the one shown.",
)
@_JSON
@click.pass_context
def receipt_verify(ctx: click.Context, /, file: str, *, trusted: str, as_json: bool) -> None:
    """Check a receipt (its JSON or its page): that it was logged, and nothing in it has changed."""
    from safelight.errors import LogError, ReceiptError  # noqa: PLC0415  # start-up cost
    from safelight.tlog.page import page  # noqa: PLC0415  # start-up cost
    from safelight.tlog.receipt import verify  # noqa: PLC0415  # start-up cost

    data = _read(file)
    try:
        found = verify(data, trusted)
    except (LogError, ReceiptError) as error:
        if as_json:
            click.echo(json.dumps({"holds": False, "why": error.what}, indent=1))
        else:
            click.secho("THIS RECEIPT DOES NOT HOLD.", fg="red", bold=True)
            click.echo(error.diagnostics())
        ctx.exit(_BAD)
    told: dict[str, Any] = {
        "entry": found.index,
        "event": found.kind,
        "fields": found.fields,
        "fingerprint": found.fingerprint,
        "holds": True,
        "key_was_given": bool(trusted),
        "origin": found.origin,
        "page_is_as_made": None if data[:1] == b"{" else page(found).encode() == data,
        "size": found.size,
        "time": found.time.isoformat(),
        "witnesses": found.witnesses,
    }
    if as_json:
        click.echo(json.dumps(told, indent=1, sort_keys=True))
    else:
        _tell(told)


def _tell(told: dict[str, Any]) -> None:
    click.secho("This receipt holds.", fg="green", bold=True)
    click.echo(f"{told['event']}, {told['time']}")
    click.echo(f"entry {told['entry']} of {told['size']} in the log {told['origin']}")
    for one in told["witnesses"]:
        click.echo(f"seen by the witness {one}")
    if not told["key_was_given"]:
        click.echo("compare the log's key with the one that its keeper has published:")
    click.echo(f"key {told['fingerprint']}")
    if told["page_is_as_made"] is False:
        click.secho(
            "The receipt inside holds, but the page around it is not as this version makes it: "
            "believe what 'safelight receipt page' prints from it, not the page.",
            fg="yellow",
        )
    json.dump(told["fields"], sys.stdout, indent=1, sort_keys=True, ensure_ascii=True)
    click.echo()


@receipt.command("get")
@click.argument("person")
@click.option(
    "--number",
    type=click.IntRange(1),
    help="Of what PERSON said, as consent show tells it; else the newest.",
)
@click.option(
    "-o",
    "--out",
    metavar="FILE",
    required=True,
    type=click.Path(dir_okay=False),
    help="Write there; never over another file.",
)
@placed
def receipt_get(person: str, *, number: int | None, out: str, **given: Any) -> None:
    """Get a receipt again: of what PERSON said, of a withdrawal, or of their erasure."""
    from safelight.consent.receipts import of_person  # noqa: PLC0415  # start-up cost
    from safelight.consent.roles import Act  # noqa: PLC0415  # as above

    with receipt_at(out) as keep, house(given) as custody:
        custody.accesses.check(actor(), Act.SEE_CONSENT, person)
        keep(of_person(custody, person, number or 0))


@receipt.command("page")
@click.argument("file", metavar="FILE", type=click.Path(exists=True, dir_okay=False))
@_OUT
@_FORCE
def receipt_page(file: str, *, out: str | None, force: bool) -> None:
    """Make the page of a receipt, to read and to print, with a QR code."""
    from safelight.tlog.page import page  # noqa: PLC0415  # start-up cost
    from safelight.tlog.receipt import verify  # noqa: PLC0415  # start-up cost

    _write(page(verify(_read(file))), out, source=file, force=force)


@receipt.command("verifier")
@_OUT
@_FORCE
def receipt_verifier(*, out: str | None, force: bool) -> None:
    """Write the page that checks receipts in any browser, without a network."""
    from safelight.tlog.page import verifier_page  # noqa: PLC0415  # start-up cost

    _write(verifier_page().decode(), out, force=force)

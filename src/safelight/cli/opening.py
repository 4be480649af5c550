"""What the commands about people, policies and consent share: opening the house, and printing."""

import json
import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from typing import TYPE_CHECKING, Any, Final, TypeVar

import click

if TYPE_CHECKING:
    from safelight.consent.custody import Custody
    from safelight.pipeline.panel import Panel

__all__ = [
    "AS_JSON",
    "PLACES",
    "about",
    "actor",
    "house",
    "panel_of",
    "placed",
    "plain",
    "receipt_at",
    "show",
    "tell_new_key",
]

_Command = TypeVar("_Command", bound=Callable[..., Any])
AS_JSON: Final = click.option(
    "--json", "as_json", is_flag=True, help="Print one JSON document and nothing else."
)
_PLACES: Final = (
    click.option(
        "--data", metavar="DIR", help="Data folder; without it, the one safelight init makes."
    ),
    click.option(
        "--database", metavar="URL", help="Address of the database, when it is elsewhere."
    ),
    click.option(
        "--objects", metavar="DIR|URL", help="Folder or s3:// address of the objects, likewise."
    ),
    click.option(
        "--master-key",
        metavar="SOURCE",
        help="A file, env:NAME, keyring:SERVICE/NAME, or command:PROGRAM.",
    ),
    click.option("--log-key", metavar="FILE", help="The log's key file."),
)


PLACES: Final = ("data", "database", "objects", "master_key", "log_key")


def placed(command: _Command) -> _Command:
    """Give a command the options that say where the app's memory lies."""
    for option in reversed(_PLACES):
        command = option(command)
    return command


def actor() -> str:
    """Return the code of whoever runs the command: their number on this machine."""
    return f"local:{os.getuid() if hasattr(os, 'getuid') else 'user'}"


@contextmanager
def house(given: dict[str, Any]) -> Iterator["Custody"]:
    """Open consent for one command; the first one who does becomes steward.

    Args:
        given: The options of ``placed``.
    """
    from safelight.pipeline.house import House, Places  # noqa: PLC0415  # start-up cost

    places = Places(**{name: value for name, value in given.items() if value})
    with House.open(places) as opened:
        opened.custody.accesses.bootstrap(actor())
        yield opened.custody


def panel_of(where: dict[str, str | None]) -> "Panel":
    """Return whom to ask: the readers of the vault that is named, or of the usual one if any.

    Raises:
        StoreError: The vault that was named is none, or cannot be opened.
        MasterKeyError: Its key is missing, or another one's.
        KeyFileError: The log's key is missing.
    """
    from safelight.errors import SafelightError  # noqa: PLC0415  # rarely needed
    from safelight.pipeline.house import Places  # noqa: PLC0415  # start-up cost
    from safelight.pipeline.panel import Panel  # noqa: PLC0415  # as above

    told = {name: value for name, value in where.items() if value}
    places = Places(**told)
    if not told and not places.exists():
        return Panel.installed()
    try:
        return Panel.at(places)
    except SafelightError as error:
        if told:
            raise
        click.secho(f"learnt versions were not asked: {error.what}", fg="yellow", err=True)
        return Panel.installed()


@contextmanager
def about(path: str) -> Iterator[None]:
    """Name the file that a person gave in what goes wrong with it."""
    from safelight.errors import SafelightError  # noqa: PLC0415  # rarely needed

    try:
        yield
    except SafelightError as error:
        raise error.unlisted(path) from None
    except OSError as error:
        from safelight.errors import UnreadableInputError  # noqa: PLC0415  # rarely needed

        what = f"the file cannot be read ({error.strerror})"
        raise UnreadableInputError(what).unlisted(path) from None


def tell_new_key(path: str) -> None:
    """Say that a key file which was named is not there and will be made: it may be a slip."""
    if path and not os.path.lexists(path):
        click.secho(
            f"there is no project key at {path}: a new one is made\n"
            "  pseudonyms and date shifts will match those of no other key",
            fg="yellow",
            err=True,
        )


def plain(path: str) -> str:
    """Return a path as a terminal may show it: what a hostile name tells a terminal is escaped."""
    return "".join(
        each if each.isprintable() else each.encode("unicode_escape").decode() for each in path
    )


def show(document: Any) -> None:
    """Print one JSON document."""
    click.echo(json.dumps(document, indent=1, sort_keys=True, default=str, ensure_ascii=False))


@contextmanager
def receipt_at(path: str | None) -> Iterator[Callable[[bytes], None]]:
    """Make the file of a receipt before that is done which it proves; give what fills it.

    Args:
        path: Where it is wanted; never over another file. None: nothing is made.

    Raises:
        OutputError: It exists already or cannot be made, and nothing was done; or it could not be
            filled at the end.
    """
    if path is None:
        yield lambda _: None
        return
    filled = False

    def fill(data: bytes) -> None:
        nonlocal filled
        _fill(path, data)
        filled = True

    _reserve(path)
    try:
        yield fill
    finally:
        if not filled:
            with suppress(OSError):
                os.unlink(path)


def _reserve(path: str) -> None:
    """Make an empty file; one that a stopped command left empty is taken again."""
    from safelight.errors import OutputError  # noqa: PLC0415  # rarely needed

    try:
        if not (os.path.isfile(path) and os.path.getsize(path) == 0):
            open(path, "xb").close()
        open(path, "r+b").close()
    except OSError as error:
        raise OutputError(
            f"the receipt cannot be written there ({error.strerror})",
            kept="nothing was done, and nothing recorded",
            todo="choose another place, a file that does not exist yet",
        ) from error


def _fill(path: str, data: bytes) -> None:
    from safelight.errors import OutputError  # noqa: PLC0415  # rarely needed

    try:
        with open(path, "wb") as file:
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
    except OSError as error:
        raise OutputError(
            f"the receipt cannot be written ({error.strerror})",
            kept="what was asked for is done; only its receipt was not written",
            todo="get it again with safelight receipt get PERSON -o FILE",
        ) from error

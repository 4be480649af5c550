"""Files that a command was told to write: never over or into a source, nor over another file."""

import errno
import os
import secrets
from collections.abc import Iterable
from typing import Final

from safelight.errors import OutputError, SettingsError

__all__ = ["check", "check_key", "lies_in", "put"]

_THERE: Final = "choose another name, or add --force to write over it"


def lies_in(path: str, sources: Iterable[str]) -> bool:
    """Return whether a path is a source or lies in one, also by another name."""
    real = os.path.realpath(path)
    for source in sources:
        origin = os.path.realpath(source)
        if real == origin or real.startswith(os.path.join(origin, "")):
            return True
        try:
            if os.path.samefile(real, origin):
                return True
        except OSError:
            continue  # one of them is not there
    return False


def check(
    paths: Iterable[str],
    *,
    sources: Iterable[str] = (),
    force: bool = False,
    folders: bool = True,
) -> None:
    """Refuse files that must not be written, before any work is done.

    Args:
        paths: What would be written; empty ones are passed over.
        sources: What is read.
        force: A file that is there may be written over; a source may not.
        folders: Their folders must be there.

    Raises:
        SettingsError: One is a source, or lies in one.
        OutputError: One exists already, or has no folder to lie in.
    """
    given = list(sources)
    for path in filter(None, paths):
        if lies_in(path, given):
            raise SettingsError(
                "a file would be written over or into what is read",
                place=path,
                kept="nothing was read or written",
                todo="give a file outside of every SRC",
            )
        if not force and os.path.lexists(path) and not _streams(path):
            raise OutputError(
                "there is a file of this name already",
                place=path,
                kept="it is as it was; nothing was written",
                todo=_THERE,
            )
        if folders and not os.path.isdir(os.path.dirname(os.path.abspath(path))):
            raise OutputError(
                "the folder of this file is not there",
                place=path,
                kept="nothing was read or written",
                todo="make the folder, or choose another one",
            )


def check_key(path: str, *, sources: Iterable[str], out: str) -> None:
    """Refuse a project key among what is read or what is handed on.

    The list of the inputs' paths is written beside it.

    Raises:
        SettingsError: It lies in a source or in the output folder.
    """
    if lies_in(path, [*sources, out]):
        raise SettingsError(
            "the project key would lie in a source or in the output folder",
            place=path,
            kept="nothing was read or written",
            todo="name a key in a private folder outside of both with --key",
        )


def _streams(path: str) -> bool:
    """Return whether there is nothing to write over: a terminal, a pipe."""
    return path.startswith("/dev/") or not (
        os.path.isfile(path) or os.path.isdir(path) or os.path.islink(path)
    )


def put(path: str, data: bytes, *, force: bool = False, private: bool = True) -> str:
    """Write a file whole or not at all; return its path.

    Args:
        path: Where; its folder exists.
        data: What it holds.
        force: Write over a file that is there.
        private: Its owner alone may read it.

    Raises:
        OutputError: It exists already, or cannot be written.
    """
    try:
        if os.path.lexists(path) and _streams(path):
            with open(path, "wb") as file:
                file.write(data)
        else:
            _put(path, data, force=force, mode=0o600 if private else 0o666)
    except FileExistsError:
        check([path])
        raise
    except OSError as error:
        raise OutputError(
            f"the file cannot be written ({os.strerror(error.errno or errno.EIO)})",
            place=path,
            todo="choose a folder that is there and that you may write to",
        ) from None
    return path


def _put(path: str, data: bytes, *, force: bool, mode: int) -> None:
    folder = os.path.dirname(os.path.abspath(path))
    made = os.path.join(folder, f".safelight-{secrets.token_hex(8)}")
    descriptor = os.open(made, os.O_WRONLY | os.O_CREAT | os.O_EXCL, mode)
    try:
        with os.fdopen(descriptor, "wb") as file:
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
        if force:
            os.replace(made, path)
        else:
            _name(made, path)
    except BaseException:
        if os.path.lexists(made):
            os.unlink(made)
        raise


def _name(made: str, path: str) -> None:
    """Give a finished file its name, unless something has that name."""
    try:
        os.link(made, path)  # never over another file
    except FileExistsError:
        raise
    except OSError:  # a file system without hard links
        if os.path.lexists(path):
            raise FileExistsError(errno.EEXIST, os.strerror(errno.EEXIST), path) from None
        os.replace(made, path)
    else:
        os.unlink(made)

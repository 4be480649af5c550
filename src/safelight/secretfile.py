"""Files that hold a key: their owner alone may read them, and none is ever written over."""

import os
import stat
from typing import Final, TypeAlias

from safelight.errors import KeyFileError, MasterKeyError

__all__ = ["MOST_BYTES", "read", "write"]

MOST_BYTES: Final = 4096

Failure: TypeAlias = type[KeyFileError] | type[MasterKeyError]


def read(
    path: str | os.PathLike[str], name: str, failure: Failure, *, missing: str, shared: str
) -> bytes:
    """Return what a key file holds, at most ``MOST_BYTES``.

    Args:
        path: The file.
        name: What it is called in an error, such as "the master key file".
        failure: What is raised.
        missing: What to do when it cannot be opened.
        shared: What to do when others may read it.

    Raises:
        KeyFileError: Or the other ``failure``: it cannot be opened, or others may read it.
        MasterKeyError: See ``failure``.
    """
    try:
        descriptor = os.open(path, os.O_RDONLY)
    except OSError as error:
        raise failure(f"{name} cannot be opened ({error.strerror})", todo=missing) from None
    with os.fdopen(descriptor, "rb") as file:
        mode = os.fstat(file.fileno()).st_mode
        if os.name == "posix" and mode & (stat.S_IRWXG | stat.S_IRWXO):
            raise failure(f"{name} can be read by others", todo=shared)
        return file.read(MOST_BYTES)


def write(
    path: str | os.PathLike[str], text: bytes, name: str, failure: Failure, *, elsewhere: str
) -> None:
    """Make a new key file, and its folder, that its owner alone can read; it is on the disk then.

    Args:
        path: The file; it must not exist.
        text: What it holds.
        name: See ``read``.
        failure: See ``read``.
        elsewhere: What to do when it cannot be made.

    Raises:
        KeyFileError: Or the other ``failure``: it exists already or cannot be written.
        MasterKeyError: See ``failure``.
    """
    try:
        os.makedirs(os.path.dirname(os.path.abspath(path)), mode=0o700, exist_ok=True)
        descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        with os.fdopen(descriptor, "wb") as file:
            file.write(text)
            file.flush()
            os.fsync(file.fileno())
    except OSError as error:
        raise failure(f"{name} cannot be made ({error.strerror})", todo=elsewhere) from None

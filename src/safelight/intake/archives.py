"""ZIP and tar archives, listed and read without ever writing a member to disk.

Sizes are checked before memory is spent and again while reading, since headers lie. One unsafe
member costs that member; an archive that is a bomb as a whole is refused as a whole.
"""

import atexit
import os
import threading
from typing import BinaryIO, Final, Protocol

from safelight.dicomio.limits import Limits
from safelight.errors import UnreadableInputError
from safelight.intake import tars, zips
from safelight.intake.files import open_regular, unreadable
from safelight.intake.members import Member

__all__ = ["Member", "Reader", "forget", "listing", "read"]


class Reader(Protocol):
    """An open archive: its members in order, and their bytes."""

    members: list[Member]

    def read(self, number: int) -> bytes:
        """Return one member's bytes; raise ``QuarantineError`` when it is damaged or a bomb."""


def listing(path: str, limits: Limits) -> list[Member]:
    """Return the members of an archive, folders left out, in the archive's order.

    Args:
        path: The archive.
        limits: ``members``, ``decoded_bytes`` and ``ratio`` bound the whole.

    Raises:
        ArchiveError: It is damaged so far that nothing can be listed.
        LimitExceededError: It holds or unpacks to more than the limits.
        UnreadableInputError: It cannot be read.
    """
    with _lock:
        return _reader(path, limits).members


def read(path: str, number: int, limits: Limits) -> bytes:
    """Return the bytes of one member; cheapest in the order of ``listing``.

    Args:
        path: The archive.
        number: The member's place in ``listing``, from 0.
        limits: As for ``listing``.

    Raises:
        ArchiveError: The member is not safe, damaged, or not what the archive says.
        LimitExceededError: It unpacks to more than the limits.
        UnreadableInputError: The archive cannot be read, or changed since it was listed.
    """
    with _lock:
        reader = _reader(path, limits)
        if not 0 <= number < len(reader.members):
            raise UnreadableInputError("the archive changed after it was listed")
        error = reader.members[number].error
        if error is not None:
            raise error
        try:
            return reader.read(number)
        except OSError as problem:
            raise unreadable(problem) from None


def forget() -> None:
    """Close the archive that was read last; it is kept open for its next member."""
    while _cached:
        _cached.pop()[2].close()


_lock: Final = threading.Lock()
_Key = tuple[int, str, int, int, Limits]
_cached: list[tuple[_Key, Reader, BinaryIO]] = []  # the archive read last in this process


def _reader(path: str, limits: Limits) -> Reader:
    try:
        info = os.stat(path, follow_symlinks=False)
    except OSError as error:
        raise unreadable(error) from None
    # the process is part of the key: a file position is shared with a forked parent
    key = (os.getpid(), path, info.st_size, info.st_mtime_ns, limits)
    if _cached and _cached[0][0] == key:
        return _cached[0][1]
    forget()
    file = open_regular(path)
    try:
        reader = _open(file, limits)
    except OSError as error:
        file.close()
        raise unreadable(error) from None
    except BaseException:
        file.close()
        raise
    _cached.append((key, reader, file))
    return reader


def _open(file: BinaryIO, limits: Limits) -> Reader:
    start = file.read(2)
    file.seek(0)
    return zips.ZipReader(file, limits) if start == b"PK" else tars.TarReader(file, limits)


atexit.register(forget)

"""Open a file that a walk saw, and nothing else that may have taken its place since."""

import os
import stat
from typing import BinaryIO, Final

from safelight.errors import UnreadableInputError

__all__ = ["open_regular", "unreadable"]

_FLAGS: Final = (
    os.O_RDONLY
    | getattr(os, "O_CLOEXEC", 0)
    | getattr(os, "O_NOFOLLOW", 0)  # a file swapped for a link after the walk is not followed
    | getattr(os, "O_NONBLOCK", 0)  # a file swapped for a pipe does not hang
    | getattr(os, "O_BINARY", 0)
)


def open_regular(path: str) -> BinaryIO:
    """Open a regular file for reading, without following a link and without buffering.

    Raises:
        UnreadableInputError: It cannot be opened or is not a regular file.
    """
    try:
        descriptor = os.open(path, _FLAGS)
    except OSError as error:
        raise unreadable(error) from None
    if not stat.S_ISREG(os.fstat(descriptor).st_mode):
        os.close(descriptor)
        raise UnreadableInputError("not a regular file")
    return open(descriptor, "rb", buffering=0)


def unreadable(error: OSError) -> UnreadableInputError:
    """Return the error for a failed call, without the path that ``str(error)`` holds."""
    return UnreadableInputError(f"cannot be read ({error.strerror or 'unknown reason'})")

"""A file's bytes: held when small, mapped when large."""

import mmap
import os
from typing import Final

from safelight.dicomio.walker import Buffer
from safelight.errors import UnreadableInputError

__all__ = ["load"]

_IN_MEMORY: Final = 4 << 20


def load(path: str) -> tuple[Buffer, str]:
    """Return a file's bytes: whole when small, mapped when large, and the path to stream from.

    Raises:
        UnreadableInputError: It cannot be opened or read, or is empty.
    """
    try:
        descriptor = os.open(path, os.O_RDONLY)
        try:
            size = os.fstat(descriptor).st_size
            if size > _IN_MEMORY:
                return mmap.mmap(descriptor, size, access=mmap.ACCESS_READ), path
            return os.read(descriptor, size + 1), ""
        finally:
            os.close(descriptor)
    except OSError as error:
        raise UnreadableInputError(f"it cannot be read ({error.strerror})") from error

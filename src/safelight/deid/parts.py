"""The bytes of an output's parts, in memory or in a file."""

import os
from collections.abc import Iterable, Iterator
from typing import Final

from safelight.errors import UnreadableInputError
from safelight.types import FileSlice, Part

__all__ = ["chunks"]

_CHUNK: Final = 1 << 22


def chunks(part: Part) -> Iterable[bytes | memoryview]:
    """Return the bytes of a part; a ``FileSlice`` is read 4 MiB at a time.

    Raises:
        UnreadableInputError: The file has become shorter.
    """
    return _read(part) if isinstance(part, FileSlice) else (part,)


def _read(part: FileSlice) -> Iterator[memoryview]:
    with open(part.path, "rb", buffering=0) as file:
        file.seek(part.start)
        left = part.stop - part.start
        buffer = memoryview(bytearray(min(_CHUNK, left)))
        while left > 0:
            got = os.readv(file.fileno(), [buffer[: min(left, len(buffer))]])
            if not got:
                raise UnreadableInputError("the file became shorter while it was read")
            left -= got
            yield buffer[:got]

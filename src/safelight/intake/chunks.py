"""An input as a stream of bytes, for the vault: a file is never held whole."""

import os
from collections.abc import Iterator
from typing import Final

from safelight.dicomio.limits import Limits
from safelight.errors import LimitExceededError, UnreadableInputError
from safelight.intake.files import open_regular, unreadable
from safelight.intake.sources import Item
from safelight.types import Kind

__all__ = ["chunks"]

_CHUNK: Final = 1 << 20


def chunks(item: Item, limits: Limits) -> tuple[Kind, Iterator[bytes]]:
    """Return what an input is and its bytes, read as they are asked for.

    Raises:
        QuarantineError: The item carries an error, or cannot be opened.
    """
    if item.path is None:
        original = item.open(limits)
        return original.kind, iter((original.reveal(),))
    return item.sniff(limits), _file(item.path, limits)


def _file(path: str, limits: Limits) -> Iterator[bytes]:
    left = limits.decoded_bytes
    with open_regular(path) as file:
        while True:
            try:
                chunk = file.read(_CHUNK)
            except OSError as error:
                raise unreadable(error) from None
            if not chunk:
                if os.fstat(file.fileno()).st_size != limits.decoded_bytes - left:
                    raise UnreadableInputError("the file changed while it was read")
                return
            left -= len(chunk)
            if left < 0:
                raise LimitExceededError(
                    f"larger than {limits.decoded_bytes} bytes (decoded_bytes)"
                )
            yield chunk

"""The start of a stored object, as a file: no more of it is decrypted than is read."""

import io
from collections.abc import Iterator
from typing import Any

__all__ = ["Head"]


class Head(io.RawIOBase):
    """A file over the pieces of an object, fetched as they are needed.

    Each piece is checked when it comes; that there is no piece missing at the end is not known
    before all are read.

    Args:
        pieces: Its plain bytes, in order.
    """

    def __init__(self, pieces: Iterator[bytes]) -> None:
        super().__init__()
        self._pieces = pieces
        self._held = bytearray()
        self._at = 0

    @property
    def fetched(self) -> int:
        """Bytes that were fetched so far."""
        return len(self._held)

    def readable(self) -> bool:
        """Return True."""
        return True

    def seekable(self) -> bool:
        """Return True."""
        return True

    def tell(self) -> int:
        """Return the place."""
        return self._at

    def seek(self, offset: int, whence: int = io.SEEK_SET) -> int:
        """Go to a place; to one counted from the end all is fetched."""
        if whence == io.SEEK_END:
            while self._more():
                pass
        base = {io.SEEK_SET: 0, io.SEEK_CUR: self._at, io.SEEK_END: len(self._held)}[whence]
        self._at = max(0, base + offset)
        return self._at

    def readinto(self, buffer: Any) -> int:
        """Read what is asked for, or all that there is."""
        wanted = memoryview(buffer).cast("B")
        while len(self._held) < self._at + len(wanted) and self._more():
            pass
        data = self._held[self._at : self._at + len(wanted)]
        wanted[: len(data)] = data
        self._at += len(data)
        return len(data)

    def _more(self) -> bool:
        piece = next(self._pieces, None)
        if piece is None:
            return False
        self._held += piece
        return True

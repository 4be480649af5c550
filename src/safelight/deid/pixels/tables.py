"""Look-up tables of an image: palettes, modality and VOI tables (PS3.3 C.7.6.3, C.11.1, C.11.2)."""

from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from safelight.errors import UnreadableInputError

__all__ = ["Table"]

_DISCRETE, _LINEAR, _INDIRECT = 0, 1, 2  # PS3.3 C.7.9.2
_MOST: Final = 1 << 16
_BYTE: Final = 8


@dataclass(frozen=True, slots=True, kw_only=True)
class Table:
    """One table as its descriptor and data stand in the header.

    Attributes:
        entries: Number of entries, from 1 to 65536.
        first: The stored value that the first entry is for; lower values use it too.
        bits: Bits of an entry, 8 to 16.
        data: The raw data.
        big: Big endian.
        segmented: The data is a chain of segments.
    """

    entries: int
    first: int
    bits: int
    data: bytes
    big: bool = False
    segmented: bool = False

    def values(self) -> NDArray[np.uint16]:
        """Return the entries, shape (entries,), each from 0 to ``2 ** bits - 1``.

        Raises:
            UnreadableInputError: The data is shorter than its descriptor says.
        """
        found = self._segments() if self.segmented else self._plain()
        if len(found) < self.entries:
            raise UnreadableInputError("a look-up table is shorter than it says")
        return found[: self.entries]

    def scaled(self) -> NDArray[np.uint8]:
        """Return the entries as 8-bit levels, shape (entries,)."""
        found = self.values()
        # writers that call 8-bit entries 16-bit ones are common
        if self.bits <= _BYTE or int(found.max(initial=0)) <= 255:  # noqa: PLR2004 - a byte
            return found.astype(np.uint8)
        return (found >> (self.bits - _BYTE)).astype(np.uint8)

    def look_up(self, stored: NDArray[np.generic]) -> NDArray[np.intp]:
        """Return which entry each stored value uses, of the same shape."""
        return np.clip(stored.astype(np.int64) - self.first, 0, self.entries - 1).astype(np.intp)

    def _words(self) -> NDArray[np.uint16]:
        whole = self.data[: len(self.data) // 2 * 2]
        return np.frombuffer(whole, ">u2" if self.big else "<u2").astype(np.uint16)

    def _plain(self) -> NDArray[np.uint16]:
        words = self._words()
        if self.bits <= _BYTE and len(words) < self.entries:  # two entries to a word
            if self.big:
                return words.astype("<u2").view(np.uint8).astype(np.uint16)
            return np.frombuffer(self.data, np.uint8).astype(np.uint16)
        return words

    def _segments(self) -> NDArray[np.uint16]:
        """Expand discrete, linear and indirect segments (PS3.3 C.7.9.2)."""
        if self.bits <= _BYTE:
            raw = np.frombuffer(self.data, np.uint8).astype(np.uint16)
        else:
            raw = self._words()
        codes = raw.tolist()
        out: list[int] = []
        self._run(codes, 0, len(codes), -1, out)
        return np.array(out, np.uint16)

    def _run(self, codes: list[int], at: int, stop: int, segments: int, out: list[int]) -> None:
        """Append what segments from ``at`` give; all up to ``stop``, or as many as asked for."""
        inside = segments >= 0
        while at + 1 < stop and segments and len(out) < min(self.entries, _MOST):
            segments -= 1
            kind, length = codes[at], codes[at + 1]
            at += 2
            if kind == _DISCRETE:
                out += codes[at : at + length]
                at += length
            elif kind == _LINEAR and at < stop and out:
                steps = np.linspace(out[-1], codes[at], length + 1)[1:]
                out += np.rint(steps).astype(int).tolist()
                at += 1
            elif kind == _INDIRECT and not inside and at + 1 < stop:
                low, high = codes[at : at + 2]
                if self.bits <= _BYTE:  # four bytes tell where: PS3.3 C.7.9.2.3
                    low, high = self._bytes(codes, at)
                    at += 2
                self._run(codes, low | high << 16, stop, length, out)
                at += 2
            else:
                raise UnreadableInputError("a segmented look-up table is malformed")

    def _bytes(self, codes: list[int], at: int) -> tuple[int, int]:
        four = [*codes[at : at + 4], 0, 0, 0][:4]
        return four[0] | four[1] << 8, four[2] | four[3] << 8

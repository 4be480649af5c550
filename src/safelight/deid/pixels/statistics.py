"""Elements that state something about pixel values, kept true after a mask (PS3.3 C.7.6.3)."""

from typing import Any, Final

from numpy.typing import NDArray

from safelight.deid.pixels.header import PixelHeader

__all__ = ["STALE", "Statistics"]

SMALLEST, LARGEST = 0x00280106, 0x00280107
# Said of a whole series, of a plane, or as a histogram: removed, since one object cannot know them.
STALE: Final = (0x00280108, 0x00280109, 0x00280110, 0x00280111, 0x00603000)

Array = NDArray[Any]


class Statistics:
    """Smallest and Largest Image Pixel Value, counted as the header's writer counted them.

    Some writers leave padding out. Which it was is seen on the pixels before they were masked.

    Args:
        header: Holds the values as they were.
    """

    def __init__(self, header: PixelHeader) -> None:
        self._header = header
        # by whether padding is left out: lowest and highest, before and after
        self._before: list[tuple[int, int] | None] = [None, None]
        self._after: list[tuple[int, int] | None] = [None, None]

    @property
    def wanted(self) -> bool:
        """Tell whether there is anything to keep true."""
        header = self._header
        there = header.smallest is not None or header.largest is not None
        return there and not header.form.floating and header.form.bits_allocated <= 16  # noqa: PLR2004 - US and SS

    def add(self, old: Array, new: Array) -> None:
        """Count one frame before and after."""
        if not self.wanted:
            return
        for counted, frame in ((self._before, old), (self._after, new)):
            counted[0] = _joined(counted[0], frame.reshape(-1))
            if self._header.padding is not None:
                low, high = self._header.padding
                counted[1] = _joined(counted[1], frame[(frame < low) | (frame > high)])

    def elements(self) -> dict[int, bytes | None]:
        """Return the elements whose values are no longer true, with the true ones."""
        found: dict[int, bytes | None] = {}
        for place, (tag, said) in enumerate(
            ((SMALLEST, self._header.smallest), (LARGEST, self._header.largest))
        ):
            if said is None:
                continue
            now = self._value(place, said)
            if now != said:
                found[tag] = None if now is None else self._raw(now)
        return found

    def _value(self, place: int, said: int) -> int | None:
        for before, after in zip(self._before, self._after, strict=True):
            if before is not None and after is not None and before[place] == said:
                return after[place]
        whole = self._after[0]
        return None if whole is None else whole[place]

    def _raw(self, value: int) -> bytes:
        return (value & 0xFFFF).to_bytes(2, "big" if self._header.form.big_endian else "little")


def _joined(known: tuple[int, int] | None, values: Array) -> tuple[int, int] | None:
    if not len(values):
        return known
    low, high = int(values.min()), int(values.max())
    return (low, high) if known is None else (min(known[0], low), max(known[1], high))

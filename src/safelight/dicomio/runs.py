"""Runs: stretches of elements that one file repeats from another, recognised whole.

The files of a series differ in a few elements and repeat all others byte for byte. A ``Book``
learns the stretches between them; the walker then passes over a known stretch by one comparison,
and whoever decides about its elements decides once.

A run never begins or ends inside a private group, since what a private element means depends on
the creator element of its block, and never spans a cut, where a writer inserts elements.
"""

from mmap import mmap
from typing import Final, final

__all__ = ["Book", "Buffer", "Element", "Run"]

Buffer = bytes | mmap
Element = tuple[int, bytes, int, int, int, int]  # tag, VR, start, value, value_stop, stop

_LEAST: Final = 3  # elements: shorter stretches are not worth a look-up
_LARGEST: Final = 1 << 16  # bytes
_RUNS_MOST: Final = 2000
_SAME_START: Final = 4
_PATIENCE: Final = 3  # files compared for nothing before files like them are let pass
_LAST_TAG: Final = 0x7FDFFFFF


@final
class Run:
    """A stretch of elements. Equal only to itself, so that it can be a key.

    Attributes:
        raw: The encoded elements.
        size: Their length in bytes.
        elements: As tuples of the walker, with offsets into ``raw``.
        first: Tag of the first element.
        last: Tag of the last element.
        values: Raw values of the tags that the book was asked to note.
    """

    __slots__ = ("elements", "first", "last", "raw", "size", "values")

    def __init__(self, raw: bytes, elements: list[Element], noted: frozenset[int]) -> None:
        self.raw = raw
        self.size = len(raw)
        self.elements = elements
        self.first = elements[0][0]
        self.last = elements[-1][0]
        self.values = {e[0]: raw[e[3] : e[4]] for e in elements if e[0] in noted}


class Book:
    """The runs known so far, by the first eight bytes of each.

    Args:
        cuts: Tags that no run spans: a run ends before the first tag >= a cut.
        noted: Tags whose values a run keeps at hand.
        above: Elements with tags up to this one are never part of a run.
    """

    __slots__ = ("_above", "_count", "_cuts", "_idle", "_last", "_noted", "_quiet", "starts")

    def __init__(
        self, *, cuts: tuple[int, ...] = (), noted: frozenset[int] = frozenset(), above: int = 0
    ) -> None:
        self.starts: dict[bytes, list[Run]] = {}
        self._cuts = frozenset(cuts)
        self._noted = noted
        self._above = above
        self._last: dict[int, bytes] = {}
        self._quiet = 0
        self._idle = 0
        self._count = 0

    def learn(self, data: Buffer, found: list[Element | Run]) -> None:
        """Compare the single elements of a file with those seen last and note what repeats.

        When nothing new was learnt from several files, files with no more single elements than
        the last of them are not compared.
        """
        singles = [each for each in found if type(each) is tuple]
        if len(singles) <= self._quiet:
            return
        if self._count > _RUNS_MOST:
            self.starts.clear()
            self._count = 0
        before = self._count
        stretch: list[Element] = []
        before_tag = -1  # of the element just before the stretch; -1 when that is not known
        previous: Element | None = None
        for element in singles:
            tag, _vr, start, _value, _value_stop, stop = element
            raw = data[start:stop] if stop - start <= _LARGEST else b""
            same = raw and self._last.get(tag) == raw and self._above < tag <= _LAST_TAG
            self._last[tag] = raw
            follows = stretch and stretch[-1][5] == start and not self._cut(stretch[-1][0], tag)
            if stretch and not (same and follows):
                self._add(data, stretch, before_tag, tag if stretch[-1][5] == start else -1)
                stretch = []
            if same:
                if not stretch:
                    adjacent = previous is not None and previous[5] == start
                    before_tag = previous[0] if previous is not None and adjacent else -1
                stretch.append(element)
            previous = element
        self._add(data, stretch, before_tag, -1)
        self._idle = self._idle + 1 if self._count == before else 0
        self._quiet = len(singles) if self._idle >= _PATIENCE else 0

    def _cut(self, before: int, tag: int) -> bool:
        return any(before < cut <= tag for cut in self._cuts)

    def _add(
        self,
        data: Buffer,
        stretch: list[Element],
        before: int,
        after: int,
    ) -> None:
        """Note a stretch, less the parts of private groups that it does not hold whole."""
        if not stretch:
            return
        low, high = 0, len(stretch)
        first = stretch[0][0] >> 16
        if first & 1 and (before < 0 or before >> 16 == first):
            while low < high and stretch[low][0] >> 16 == first:
                low += 1
        last = stretch[-1][0] >> 16
        if last & 1 and (after < 0 or after >> 16 == last):
            while high > low and stretch[high - 1][0] >> 16 == last:
                high -= 1
        if high - low < _LEAST:
            return
        begin, end = stretch[low][2], stretch[high - 1][5]
        if end - begin > _LARGEST:
            return
        elements = [
            (tag, vr, start - begin, value - begin, value_stop - begin, stop - begin)
            for tag, vr, start, value, value_stop, stop in stretch[low:high]
        ]
        run = Run(data[begin:end], elements, self._noted)
        known = self.starts.setdefault(run.raw[:8], [])
        known.append(run)
        known.sort(key=lambda each: -each.size)
        del known[_SAME_START:]
        self._count += 1

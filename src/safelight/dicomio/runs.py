"""Runs: stretches of elements that one file repeats from another, recognised whole.

The files of a series differ in a few elements and repeat all others byte for byte. A ``Book``
learns the stretches between them; the walker then passes over a known stretch by one comparison,
and whoever decides about its elements decides once.

A run never begins or ends inside a private group, since what a private element means depends on
the creator element of its block: not in the file it was learnt from, and not in one where it is
found. It never spans a cut, where a writer inserts elements, and its tags ascend.
"""

from collections.abc import Sequence
from mmap import mmap
from typing import Final, final

__all__ = ["Book", "Buffer", "Changing", "Element", "Run", "Series"]

Buffer = bytes | mmap
Element = tuple[int, bytes, int, int, int, int]  # tag, VR, start, value, value_stop, stop

_LEAST: Final = 3  # elements: shorter stretches are not worth a look-up
_LARGEST: Final = 1 << 16  # bytes
_RUNS_MOST: Final = 500
_SAME_START: Final = 4
_PATIENCE: Final = 3  # files compared for nothing before files like them are let pass
_LAST_TAG: Final = 0x7FDFFFFF
_NO_TAG: Final = 1 << 32  # of no group
_SERIES_UID: Final = b"\x20\0\x0e\0"  # (0020,000E), little endian
_SOP_CLASS: Final = b"\x08\0\x16\0"  # (0008,0016), little endian
_CLASS_WITHIN: Final = 512
_CHANGING_MOST: Final = 2000
_UID_MOST: Final = 64
_SERIES_MOST: Final = 256
_NEIGHBOURHOOD: Final = 100  # bytes: how far the lengths of values before it move it


Changing = dict[bytes, set[int]]  # by SOP class, the tags that have differed within a series


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
        opens: The private group that the run begins with; 0 when it begins with another.
        closes: First two bytes of the last element when its group is private, else empty.
    """

    __slots__ = ("closes", "elements", "first", "last", "opens", "raw", "size", "values")

    def __init__(self, raw: bytes, elements: list[Element], noted: frozenset[int]) -> None:
        self.raw = raw
        self.size = len(raw)
        self.elements = elements
        self.first = elements[0][0]
        self.last = elements[-1][0]
        begin = elements[-1][2]
        self.opens = self.first >> 16 if self.first & 0x10000 else 0
        self.closes = raw[begin : begin + 2] if self.last & 0x10000 else b""
        self.values = {e[0]: raw[e[3] : e[4]] for e in elements if e[0] in noted}


class Book:
    """The runs known so far, series by series.

    Args:
        cuts: Tags that no run spans: a run ends before the first tag >= a cut.
        noted: Tags whose values a run keeps at hand.
        above: Elements with tags up to this one are never part of a run.
        changing: What other books of the same files have learnt of the tags that differ.
    """

    __slots__ = ("_above", "_changing", "_cuts", "_near", "_noted", "_series")

    def __init__(
        self,
        *,
        cuts: tuple[int, ...] = (),
        noted: frozenset[int] = frozenset(),
        above: int = 0,
        changing: Changing | None = None,
    ) -> None:
        self._cuts = cuts
        self._noted = noted
        self._above = above
        self._changing: Changing = {} if changing is None else changing
        self._near = 0  # how far behind the start the Series Instance UID stood last
        self._series: dict[bytes, Series] = {}

    def series(self, data: Buffer, start: int) -> "Series":
        """Return what is known of the series that a data set seems to belong to.

        The Series Instance UID is looked for as bytes, ahead of the walk, first where it stood in
        the data set before. Were it found in the wrong place, runs of another series would be
        tried, and none would match.
        """
        near = start + self._near
        at = data.find(_SERIES_UID, max(start, near - _NEIGHBOURHOOD), near + _NEIGHBOURHOOD)
        if at < 0:
            at = data.find(_SERIES_UID, start, start + _LARGEST)
        self._near = max(at - start, 0)
        key = _value(data, at)
        series = self._series.pop(key, None)
        if series is None:
            if len(self._series) >= _SERIES_MOST:
                del self._series[next(iter(self._series))]
            sop_class = _value(data, data.find(_SOP_CLASS, start, start + _CLASS_WITHIN))
            if len(self._changing) >= _SERIES_MOST:
                self._changing.clear()
            series = Series(self._changing.setdefault(sop_class, set()))
        self._series[key] = series  # the one used last stands last
        return series

    def learn(self, data: Buffer, start: int, found: list[Element | Run], series: "Series") -> None:
        """Compare the single elements of a file with the last of its series and note what repeats.

        What the first file of a series will share with the next is guessed: all but the tags that
        have differed within another series of its SOP class. Where the second file shows that a
        guess was wrong, all is compared anew. When nothing new was learnt from several files, files
        with no more single elements than the last of them are not compared.
        """
        if len(found) <= series.quiet:
            return
        if series.count > _RUNS_MOST:
            series.starts.clear()
            series.count = 0
        before = series.count
        last, changing = series.last, series.changing
        first = not last
        if first and not changing:  # nothing to be compared with, and nothing to guess from
            series.begin(data, found)
            return
        guesses: dict[bytes, list[Run]] = {}
        if series.guessed and self._repeats(data, found, last):
            found = _taken_apart(found, start)
            guesses, series.starts = series.starts, {}
            before = series.count = 0
        series.guessed = first
        stretch: list[Element] = []
        cut = -1  # where the stretch must end: the first cut above its first tag
        ahead = -1  # tag of the element just before the stretch; -1 when that is not known
        previous: Element | None = None
        for element in found:
            if isinstance(element, Run):
                previous = None
                continue
            tag, _vr, start, _value, _value_stop, stop = element
            raw = data[start:stop] if stop - start <= _LARGEST else b""
            if first:
                same = tag not in changing
            else:
                old = last.get(tag)
                same = old == raw
                if not same and old is not None and len(changing) < _CHANGING_MOST:
                    changing.add(tag)
            last[tag] = raw
            same = same and bool(raw) and self._above < tag <= _LAST_TAG
            if stretch and not (same and stretch[-1][5] == start and stretch[-1][0] < tag < cut):
                after = tag if stretch[-1][5] == start else -1
                self._add(data, stretch, series, ahead, after, guesses)
                stretch = []
            if same:
                if not stretch:
                    adjacent = previous is not None and previous[5] == start
                    ahead = previous[0] if previous is not None and adjacent else -1
                    cut = next((each for each in self._cuts if each > tag), _LAST_TAG + 1)
                stretch.append(element)
            previous = element
        # Where the bytes end with the stretch, its last private group is whole.
        whole = bool(stretch) and stretch[-1][5] == len(data)
        self._add(data, stretch, series, ahead, _NO_TAG if whole else -1, guesses)
        series.idle = series.idle + 1 if first or series.count == before else 0
        series.quiet = len(found) if series.idle >= _PATIENCE else 0

    def _repeats(self, data: Buffer, found: list[Element | Run], last: dict[int, bytes]) -> bool:
        """Tell whether a single element stands as it did in the file before."""
        return any(
            self._above < each[0] <= _LAST_TAG
            and each[5] - each[2] <= _LARGEST
            and last.get(each[0]) == data[each[2] : each[5]]
            for each in found
            if not isinstance(each, Run)
        )

    def _add(
        self,
        data: Buffer,
        stretch: list[Element],
        series: "Series",
        before: int,
        after: int,
        guesses: dict[bytes, list[Run]],
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
        raw = data[begin:end]
        run = next((each for each in guesses.get(raw[:8], ()) if each.raw == raw), None)
        if run is None:
            run = Run(raw, _moved(stretch[low:high], -begin), self._noted)
        known = series.starts.setdefault(run.raw[:8], [])
        known.append(run)
        known.sort(key=lambda each: -each.size)
        del known[_SAME_START:]
        series.count += 1


class Series:
    """What is known of one series: its runs, its last elements, whether to look again.

    Attributes:
        starts: Its runs by their first eight bytes, the longest first.
        last: The element seen last, by tag.
        changing: Tags that have differed between the files of a series of the same SOP class.
        count: Runs made.
        guessed: One file of it has been seen, so that its runs are guesses.
        idle: Files compared since a run was made.
        quiet: Files with no more segments than this are not compared.
    """

    __slots__ = ("changing", "count", "guessed", "idle", "last", "quiet", "starts")

    def __init__(self, changing: set[int]) -> None:
        self.changing = changing
        self.guessed = False
        self.starts: dict[bytes, list[Run]] = {}
        self.last: dict[int, bytes] = {}
        self.count = 0
        self.idle = 0
        self.quiet = 0

    def begin(self, data: Buffer, found: list[Element | Run]) -> None:
        """Keep the elements of the first file for the next."""
        self.last.update(
            (each[0], data[each[2] : each[5]] if each[5] - each[2] <= _LARGEST else b"")
            for each in found
            if not isinstance(each, Run)
        )
        self.idle += 1


def _moved(elements: Sequence[Element], by: int) -> list[Element]:
    return [
        (tag, vr, start + by, value + by, value_stop + by, stop + by)
        for tag, vr, start, value, value_stop, stop in elements
    ]


def _taken_apart(found: Sequence[Element | Run], start: int) -> list[Element | Run]:
    """Return all elements of a data set that begins at an offset, those of runs as well."""
    out: list[Element | Run] = []
    for each in found:
        if isinstance(each, Run):
            out += _moved(each.elements, start)
            start += each.size
        else:
            out.append(each)
            start = each[5]
    return out


def _value(data: Buffer, at: int) -> bytes:
    """Return the UID of an element that begins at an offset; nothing for none, the offset -1."""
    if at < 0:
        return b""
    long = data[at + 4 : at + 6] != b"UI"
    size = int.from_bytes(data[at + (4 if long else 6) : at + 8], "little")
    return data[at + 8 : at + 8 + min(size, _UID_MOST)]

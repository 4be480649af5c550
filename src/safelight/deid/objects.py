"""One DICOM object at work: its bytes cut into runs and elements, and the values that steer."""

import functools
from bisect import bisect_left
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from safelight.deid.decision import Decided, Entry
from safelight.deid.pixelcopy import Geometry, PixelCopier
from safelight.deid.survey import NOTED, PERSON_TAGS
from safelight.dicomio.dictionary import is_image_sop_class
from safelight.dicomio.envelope import Envelope, inflate, read_envelope
from safelight.dicomio.limits import Limits
from safelight.dicomio.runs import Book, Changing, Run
from safelight.dicomio.walker import Budget, Buffer, Element, Walker
from safelight.errors import UnreadableInputError
from safelight.types import Part

if TYPE_CHECKING:
    from safelight.deid.looking import Opened

__all__ = [
    "BURNED_IN",
    "CHARSET",
    "FEATURES",
    "INSERTED",
    "PIXELS",
    "SOP_CLASS",
    "SOP_INSTANCE",
    "WALKERS",
    "DicomObject",
    "cut",
    "new_book",
]

CHARSET: Final = 0x00080005
SOP_CLASS: Final = 0x00080016
SOP_INSTANCE: Final = 0x00080018
BURNED_IN: Final = 0x00280301
FEATURES: Final = 0x00280302
PIXELS: Final = (0x7FE00008, 0x7FE00009, 0x7FE00010)
# What every output says anew: no run spans these places.
INSERTED: Final = (0x00120062, BURNED_IN, FEATURES, 0x00280303)
WALKERS: Final = {
    (implicit, big): Walker(implicit=implicit, big=big)
    for implicit in (False, True)
    for big in (False, True)
}
# Samples, frames, rows, columns, bits, photometric interpretation
_GEOMETRY: Final = (
    *(0x00280002, 0x00280008, 0x00280010, 0x00280011, 0x00280100),
    0x00280004,
)
_ROWS: Final = 0x00280010
_ACQUISITION: Final = 0x0018
_STUDY: Final = 0x0020000D
_SERIES: Final = 0x0020000E
_INSTANCE_NUMBER: Final = 0x00200013
_NOTED: Final = NOTED | frozenset(
    (*PERSON_TAGS, *_GEOMETRY, SOP_CLASS, SOP_INSTANCE, _SERIES, _INSTANCE_NUMBER, BURNED_IN)
)


def new_book(changing: Changing | None = None) -> Book:
    """Return an empty book of the runs of data sets; ``changing`` is shared with other books."""
    return Book(cuts=INSERTED, noted=_NOTED, above=CHARSET, changing=changing)


def cut(data: Buffer, path: str, books: Mapping[Walker, Book], limits: Limits) -> "DicomObject":
    """Return an object with its data set cut into runs and elements, tags ascending.

    Args:
        data: The whole file.
        path: Where large runs are streamed from; empty to take them from ``data``.
        books: Runs known, by the walker of each encoding.
        limits: Bounds on one object.

    Raises:
        QuarantineError: It cannot be walked (``OddEncodingError`` if a more lenient reader may).
    """
    envelope = read_envelope(data, limits)
    start = envelope.start
    if envelope.encoding.deflated:
        data, path, start = inflate(data, start, limits), "", 0
    walker = WALKERS[envelope.encoding.implicit, envelope.encoding.big]
    budget = Budget(limits)
    segments = walker.segments(data, start, len(data), budget, books[walker])
    if not segments:
        raise UnreadableInputError("the data set is empty")
    tags, values, end, ascending = _gather(data, segments, start)
    if not ascending:
        segments = [*sorted(walker.elements(data, start, len(data), budget))]
        tags, values, end, _ = _gather(data, segments, start)
    return DicomObject(data, path, envelope, walker, budget, segments, tags, values, start, end)


def _gather(
    data: Buffer, segments: Sequence[Element | Run], start: int
) -> tuple[list[int], dict[int, bytes], int, bool]:
    """Return first tags, noted values, the end, and whether tags ascend, none twice (PS3.5 7.1)."""
    tags: list[int] = []
    values: dict[int, bytes] = {}
    end = start
    last = -1
    ascending = True
    for segment in segments:
        if isinstance(segment, Run):
            tag, highest = segment.first, segment.last
            values.update(segment.values)
            end += segment.size
        else:
            tag, _vr, _start, value, value_stop, stop = segment
            highest = tag
            end = max(end, stop)
            if tag in _NOTED and tag not in values:
                values[tag] = data[value : min(value_stop, value + 1024)]
        ascending = ascending and tag > last
        last = highest
        tags.append(tag)
    return tags, values, end, ascending


@dataclass(slots=True)
class DicomObject:
    """One object at work."""

    data: Buffer
    path: str
    envelope: Envelope
    walker: Walker
    budget: Budget
    segments: Sequence[Element | Run]
    tags: Sequence[int]
    values: dict[int, bytes]
    start: int
    end: int

    def value(self, tag: int) -> bytes:
        """Return the raw value of one of the noted top-level elements; empty when absent."""
        return self.values.get(tag, b"")

    def uid(self, tag: int) -> str:
        """Return a UID of the top level."""
        return self.value(tag).decode("ascii", "replace").strip(" \0")

    def is_cut_off(self, sop_class: str) -> bool:
        """Tell whether an image ends before its pixel data though it describes some.

        A file cut exactly between two elements looks like a shorter one. Headers without pixels
        do exist (in the directories of media); they name study, series and instance number, and
        no acquisition.
        """
        if not self.notes(sop_class):
            return False
        acquired = any(tag >> 16 == _ACQUISITION for tag in self.tags)
        named = all(self.value(tag) for tag in (_STUDY, _SERIES, _INSTANCE_NUMBER))
        return acquired or bool(self.value(_ROWS)) or not named

    def notes(self, sop_class: str) -> tuple[str, ...]:
        """Return what the manifest and the report should say of the object."""
        if self.pixel_place() < len(self.tags) or not is_image_sop_class(sop_class):
            return ()
        return ("an image without pixel data: a header alone, or cut off",)

    def pixel_place(self) -> int:
        """Return the position of the pixel data among the tags; their number if there is none."""
        tags = self.tags
        place = bisect_left(tags, PIXELS[0])
        while place < len(tags) and tags[place] not in PIXELS:
            place += 1
        return place

    def copier(self, limits: Limits) -> PixelCopier:
        """Return what copies the pixel data."""
        raw = tuple(map(self.value, _GEOMETRY))
        geometry = _geometry(raw, big=self.walker.big)
        return PixelCopier(
            self.data, self.path, self.walker, self.envelope.syntax, geometry, limits
        )

    def pixels(self, index: int, limits: Limits) -> tuple[list[Part], list[Entry]]:
        """Return the pixel data element in parts."""
        element = self.segments[index]
        if isinstance(element, Run):
            raise TypeError("pixel data is never part of a run")
        return self.copier(limits).copy(element)

    def opened(self, limits: Limits) -> "Opened | None":
        """Return the pixels, ready to be decoded; None if there are none.

        Raises:
            UnreadableInputError: The header and the pixel data contradict each other.
            LimitExceededError: They take more than the limits allow.
        """
        from safelight.deid.looking import open_object  # noqa: PLC0415  # start-up cost: numpy

        return open_object(self.data, self.segments, self.walker, self.envelope.syntax, limits)

    def without(self, tags: Mapping[int, bytes | None]) -> None:
        """Take elements out, to be written anew; runs are taken apart for it."""
        elements = self.walker.elements(self.data, self.start, len(self.data), self.budget)
        self.segments = [each for each in sorted(elements) if each[0] not in tags]
        self.tags = [each[0] for each in self.segments if not isinstance(each, Run)]

    def corners(self) -> list[Decided]:
        """Return what stood around the data set and is left behind."""
        entries: list[Entry] = []
        if self.envelope.preamble:
            entries.append(("preamble", "not part of the object", "remove", ""))
        rebuilt = "file meta information is rebuilt"
        entries += [(where, rebuilt, "remove", "") for where in self.envelope.dropped]
        if self.end < len(self.data):
            entries.append(("after the end", "not part of the object", "remove", ""))
        return [Decided(None, entries)] if entries else []


@functools.lru_cache(maxsize=256)
def _geometry(raw: tuple[bytes, ...], *, big: bool) -> Geometry:
    """Return what the raw values of ``_GEOMETRY`` say; 0 where there is no number."""
    samples, frames, rows, columns, bits, photometric = raw
    text = frames.decode("ascii", "replace").strip(" \0")

    def number(value: bytes) -> int:
        return int.from_bytes(value[:2], "big" if big else "little")

    return Geometry(
        rows=number(rows),
        columns=number(columns),
        samples=number(samples) or 1,
        bits=number(bits),
        frames=(int(text) if text.isdecimal() else 0) or 1,
        photometric=photometric.decode("ascii", "replace").strip(" \0"),
    )

"""One DICOM object, from its bytes to a checked output."""

import re
import zlib
from bisect import bisect_left
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Final

from safelight import __version__
from safelight.deid import manifest
from safelight.deid.context import Context
from safelight.deid.decision import Decided, Entry
from safelight.deid.held import check_class
from safelight.deid.icc import scrub_profile
from safelight.deid.kinds import cleaner_of
from safelight.deid.marks import marks
from safelight.deid.pixelcopy import Geometry, PixelCopier
from safelight.deid.residual import Residual, chunks
from safelight.deid.survey import NOTED, PERSON_TAGS, person_of
from safelight.deid.table import Act, Table
from safelight.deid.walk import Cleaner, Level
from safelight.dicomio.charset import charset_of
from safelight.dicomio.dictionary import is_image_sop_class, lookup, uid_known
from safelight.dicomio.envelope import Envelope, inflate, read_envelope, write_meta
from safelight.dicomio.lenient import normalise
from safelight.dicomio.limits import Limits
from safelight.dicomio.runs import Book, Run
from safelight.dicomio.walker import Budget, Buffer, Element, OddEncodingError, Walker, place
from safelight.errors import NeedsReviewError, UnreadableInputError
from safelight.types import Deidentified, Kind, Original, Part

__all__ = ["WALKERS", "DicomCleaner"]

_CHARSET: Final = 0x00080005
SOP_CLASS: Final = 0x00080016
SOP_INSTANCE: Final = 0x00080018
_ICC: Final = 0x00282000
_DOCUMENT: Final = 0x00420011
_DOCUMENT_LENGTH: Final = 0x00420015
_PIXELS: Final = (0x7FE00008, 0x7FE00009, 0x7FE00010)
_PDF_CLASS: Final = "1.2.840.10008.5.1.4.1.1.104.1"
_CDA_CLASS: Final = "1.2.840.10008.5.1.4.1.1.104.2"
WALKERS: Final = {
    (implicit, big): Walker(implicit=implicit, big=big)
    for implicit in (False, True)
    for big in (False, True)
}
_GEOMETRY: Final = {
    0x00280002: 2, 0x00280004: 0, 0x00280008: 1, 0x00280010: 2, 0x00280011: 2, 0x00280100: 2,
}  # fmt: skip
_UID: Final = re.compile(r"[0-9.]{1,64}")
ContextOf = Callable[[str], Context]
_ROWS: Final = 0x00280010
_ACQUISITION: Final = 0x0018
_STUDY: Final = 0x0020000D
_SERIES: Final = 0x0020000E
_INSTANCE_NUMBER: Final = 0x00200013
_BURNED_IN: Final = 0x00280301
_INSERTED: Final = (0x00120062, 0x00280303)
_NOTED: Final = NOTED | frozenset(
    (*PERSON_TAGS, *_GEOMETRY, SOP_CLASS, SOP_INSTANCE, _SERIES, _INSTANCE_NUMBER, _BURNED_IN)
)


@dataclass(slots=True)
class _Person:
    """What is kept of one person between objects: memos and what was checked."""

    ctx: Context
    cleaners: dict[str, Cleaner]
    residual: Residual


class DicomCleaner:
    """Cleans DICOM objects, and remembers what it decided person by person.

    Args:
        table: The compiled decision table.
        limits: Bounds on one object.

    Attributes:
        books: Runs known, by the walker of each encoding.
    """

    def __init__(self, table: Table, limits: Limits) -> None:
        self._table = table
        self._limits = limits
        self._persons: dict[str, _Person] = {}
        self.books: Final = {
            walker: Book(cuts=_INSERTED, noted=_NOTED, above=_CHARSET)
            for walker in WALKERS.values()
        }
        self._marks: dict[tuple[bool, bool], tuple[bytes, bytes]] = {}

    def clean(
        self, data: Buffer, path: str, context: ContextOf, *, header_only: bool
    ) -> Deidentified:
        """Return the checked output of one object.

        Args:
            data: The whole file.
            path: Where large runs are streamed from; empty to take them from ``data``.
            context: Gives the context for the person key that the object's header names.
            header_only: An image may come without its pixel data; else it may have been cut off.

        Raises:
            QuarantineError: It cannot be handled safely.
            NeedsReviewError: It was read, but cannot be proven harmless.
        """
        try:
            return self._clean(data, path, context, header_only=header_only)
        except OddEncodingError:
            plain = normalise(data, self._limits)
            return self._clean(plain, "", context, header_only=header_only)

    def _clean(
        self, data: Buffer, path: str, context: ContextOf, *, header_only: bool
    ) -> Deidentified:
        envelope = read_envelope(data, self._limits)
        start = envelope.start
        if envelope.encoding.deflated:
            source = data
            data, path, start = inflate(source, start, self._limits), "", 0
        walker = WALKERS[envelope.encoding.implicit, envelope.encoding.big]
        budget = Budget(self._limits)
        work = self._cut(data, path, envelope, walker, budget, start)
        sop_class = work.uid(SOP_CLASS) or envelope.sop_class
        check_class(sop_class, envelope.syntax, burned_in=work.uid(_BURNED_IN))
        if not header_only and work.is_cut_off(sop_class):
            raise NeedsReviewError(
                "an image without pixel data: it may be cut off", place="(7FE0,0010)"
            )
        ctx = context(person_of(*(work.value(tag) for tag in PERSON_TAGS)))
        person = self._person(ctx)
        cleaner = person.cleaners.get(sop_class)
        if cleaner is None:
            special = _special(sop_class, ctx)
            cleaner = person.cleaners[sop_class] = Cleaner(ctx, self._table, sop_class, special)
        return self._write(work, cleaner, person, sop_class)

    def _cut(
        self,
        data: Buffer,
        path: str,
        envelope: Envelope,
        walker: Walker,
        budget: Budget,
        start: int,
    ) -> "_Object":
        """Cut the data set into runs and elements in ascending order of their tags."""
        segments = walker.segments(data, start, len(data), budget, self.books[walker])
        if not _ascending(segments):
            segments = [*sorted(walker.elements(data, start, len(data), budget))]
        if not segments:
            raise UnreadableInputError("the data set is empty")
        tags: list[int] = []
        values: dict[int, bytes] = {}
        end = start
        for segment in segments:
            if isinstance(segment, Run):
                tags.append(segment.first)
                values.update(segment.values)
                end += segment.size
                continue
            tag, _vr, _start, value, value_stop, stop = segment
            tags.append(tag)
            end = max(end, stop)
            if tag in _NOTED and tag not in values:
                values[tag] = data[value : min(value_stop, value + 1024)]
        return _Object(data, path, envelope, walker, budget, segments, tags, values, end)

    def _person(self, ctx: Context) -> _Person:
        key = f"{ctx.subject.code} {ctx.subject.digest}"
        person = self._persons.get(key)
        if person is None:
            if len(self._persons) >= 8:  # noqa: PLR2004 - inputs come person by person
                del self._persons[next(iter(self._persons))]
            person = self._persons[key] = _Person(ctx, {}, Residual(ctx))
        return person

    def _write(
        self, work: "_Object", cleaner: Cleaner, person: _Person, sop_class: str
    ) -> Deidentified:
        ctx = person.ctx
        level = Level(0, charset_of(work.value(_CHARSET)), work.walker, 0)
        first, second = self._marks_for(work.walker, ctx)
        tags = work.tags
        cuts = [bisect_left(tags, tag) for tag in _INSERTED]
        pixel = next((n for n, tag in enumerate(tags) if tag in _PIXELS), len(tags))
        out: list[bytes] = []
        done: list[Decided] = work.corners()
        low = 0
        for high, inserted in ((cuts[0], first), (cuts[1], second), (pixel, b"")):
            kept, acts = cleaner.top(work.data, work.segments[low:high], level, work.budget)
            out += kept
            out.append(inserted)
            done += acts
            low = high
        body = b"".join(out)
        pixels: list[Part] = []
        if pixel < len(tags):
            pixels, entries = work.pixels(pixel, self._limits)
            if entries:
                done.append(Decided(None, entries))
        after, acts = cleaner.top(work.data, work.segments[pixel + 1 :], level, work.budget)
        done += acts
        trailer = b"".join(after)
        person.residual.data_set(body, 0, work.walker)
        person.residual.sweep(pixels, "(7FE0,0010)", pixels=True)
        if trailer:
            person.residual.data_set(trailer, 0, work.walker)
        parts = self._parts(work, sop_class, ctx, body, pixels, trailer)
        told = manifest.describe(ctx, actions=",".join([each.json for each in done]), notes=())
        return person.residual.seal(Kind.DICOM, parts, told, [each.acts for each in done])

    def _parts(
        self,
        work: "_Object",
        sop_class: str,
        ctx: Context,
        body: bytes,
        pixels: list[Part],
        trailer: bytes,
    ) -> list[Part]:
        uid = work.uid(SOP_INSTANCE)
        rule = self._table.rule(SOP_INSTANCE, sop_class=sop_class)
        kept = rule is not None and rule.act is Act.KEEP and _UID.fullmatch(uid)
        if not kept and not uid_known(uid):  # as the data set's own value is handled
            uid = ctx.key.uid(uid or ctx.key.digest(body))
        meta = write_meta(
            syntax=work.envelope.syntax,
            sop_class=sop_class,
            sop_uid=uid,
            version=f"SAFELIGHT {__version__}"[:16],
        )
        if work.envelope.encoding.deflated:
            stream = zlib.compressobj(wbits=-zlib.MAX_WBITS)
            packed = b"".join(
                [stream.compress(body)]
                + [stream.compress(part) for part in pixels if isinstance(part, bytes | memoryview)]
                + [stream.compress(trailer), stream.flush()]
            )
            return [meta + packed + b"\0" * (len(packed) % 2)]
        parts: list[Part] = [meta + body, *pixels]
        if trailer:
            parts.append(trailer)
        return parts

    def _marks_for(self, walker: Walker, ctx: Context) -> tuple[bytes, bytes]:
        key = (walker.implicit, walker.big)
        found = self._marks.get(key)
        if found is None:
            found = self._marks[key] = marks(walker, ctx.profile)
        return found


@dataclass(slots=True)
class _Object:
    """One object at work."""

    data: Buffer
    path: str
    envelope: Envelope
    walker: Walker
    budget: Budget
    segments: Sequence[Element | Run]
    tags: Sequence[int]
    values: dict[int, bytes]
    end: int

    def value(self, tag: int) -> bytes:
        """Return the raw value of one of the noted top-level elements; empty when absent."""
        return self.values.get(tag, b"")

    def uid(self, tag: int) -> str:
        """Return a UID of the top level."""
        return self.value(tag).decode("ascii", "replace").strip(" \0")

    def number(self, tag: int) -> int:
        """Return an unsigned number of the top level, binary or as text; 0 when there is none."""
        raw = self.value(tag)
        if _GEOMETRY[tag] == 1:
            text = raw.decode("ascii", "replace").strip(" \0")
            return int(text) if text.isdecimal() else 0
        return int.from_bytes(raw[:2], "big" if self.walker.big else "little")

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
        if not is_image_sop_class(sop_class) or any(tag in _PIXELS for tag in self.tags[-8:]):
            return ()
        return ("an image without pixel data: a header alone, or cut off",)

    def pixels(self, index: int, limits: Limits) -> tuple[list[Part], list[Entry]]:
        """Return the pixel data element in parts."""
        geometry = Geometry(
            rows=self.number(0x00280010),
            columns=self.number(0x00280011),
            samples=self.number(0x00280002) or 1,
            bits=self.number(0x00280100),
            frames=self.number(0x00280008) or 1,
            photometric=self.uid(0x00280004),
        )
        copier = PixelCopier(
            self.data, self.path, self.walker, self.envelope.syntax, geometry, limits
        )
        element = self.segments[index]
        if isinstance(element, Run):
            raise TypeError("pixel data is never part of a run")
        return copier.copy(element)

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


def _check_known(segments: Sequence[Element | Run], size: int) -> None:
    """Refuse a data set of which one unknown element takes up much: a damaged length."""
    for segment in segments:
        if isinstance(segment, Run):
            continue
        tag = segment[0]
        if segment[5] - segment[2] > size // 4 and not tag & 0x10000 and lookup(tag) is None:
            raise UnreadableInputError("an unknown element fills the file", place=place(tag))


def _ascending(segments: Sequence[Element | Run]) -> bool:
    """Tell whether tags ascend and none stands twice (PS3.5 7.1)."""
    last = -1
    for segment in segments:
        if isinstance(segment, Run):
            if segment.first <= last:
                return False
            last = segment.last
        else:
            if segment[0] <= last:
                return False
            last = segment[0]
    return True


def _special(sop_class: str, ctx: Context) -> dict[int, Callable[[bytes], bytes | None]]:
    def icc(raw: bytes) -> bytes | None:
        return scrub_profile(raw) or None

    special: dict[int, Callable[[bytes], bytes | None]] = {_ICC: icc}
    if sop_class == _PDF_CLASS:
        special[_DOCUMENT] = lambda raw: _document(raw, Kind.PDF, ctx)
        special[_DOCUMENT_LENGTH] = lambda _raw: None
    elif sop_class == _CDA_CLASS:
        special[_DOCUMENT] = lambda raw: _document(raw, Kind.CDA, ctx)
        special[_DOCUMENT_LENGTH] = lambda _raw: None
    return special


def _document(raw: bytes, kind: Kind, ctx: Context) -> bytes:
    cleaned = cleaner_of(kind)(Original(raw, kind=kind), ctx)
    return b"".join(bytes(chunk) for part in cleaned.parts for chunk in chunks(part))

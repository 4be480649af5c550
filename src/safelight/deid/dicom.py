"""One DICOM object, from its bytes to a checked output."""

import re
import zlib
from bisect import bisect_left
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from safelight import __version__
from safelight.deid import manifest
from safelight.deid.context import Context
from safelight.deid.decision import Decided, Entry
from safelight.deid.encode import encode_element
from safelight.deid.held import check_class
from safelight.deid.icc import scrub_profile
from safelight.deid.kinds import cleaner_of
from safelight.deid.marks import DONE, marks
from safelight.deid.objects import (
    BURNED_IN,
    CHARSET,
    FEATURES,
    SOP_CLASS,
    SOP_INSTANCE,
    WALKERS,
    DicomObject,
    cut,
    new_book,
)
from safelight.deid.parts import chunks
from safelight.deid.profile import Option
from safelight.deid.residual import Residual
from safelight.deid.survey import PERSON_TAGS, person_of
from safelight.deid.table import Act, Table
from safelight.deid.walk import Cleaner, Level
from safelight.dicomio.charset import charset_of
from safelight.dicomio.dictionary import lookup, uid_known
from safelight.dicomio.envelope import write_meta
from safelight.dicomio.lenient import normalise
from safelight.dicomio.limits import Limits
from safelight.dicomio.runs import Changing
from safelight.dicomio.walker import Buffer, OddEncodingError
from safelight.errors import NeedsReviewError
from safelight.types import Deidentified, Kind, Original, Part

if TYPE_CHECKING:
    from safelight.deid.looking import Seen, Stretch
    from safelight.deid.retouch import Retouched, Retoucher
    from safelight.deid.showing import Show

__all__ = ["WALKERS", "DicomCleaner"]

_ICC: Final = 0x00282000
_DOCUMENT: Final = 0x00420011
_DOCUMENT_LENGTH: Final = 0x00420015
_PDF_CLASS: Final = "1.2.840.10008.5.1.4.1.1.104.1"
_CDA_CLASS: Final = "1.2.840.10008.5.1.4.1.1.104.2"
_UID: Final = re.compile(r"[0-9.]{1,64}")
_VERSION: Final = f"SAFELIGHT {__version__}"[:16]
ContextOf = Callable[[str], Context]


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
        pixels: Returns what handles pixels, made when first asked for; None to leave them.
        looks: Pixels are looked at, not only masked where a person said.

    Attributes:
        books: Runs known, by the walker of each encoding.
    """

    def __init__(
        self,
        table: Table,
        limits: Limits,
        *,
        pixels: "Callable[[], Retoucher] | None" = None,
        looks: bool = False,
    ) -> None:
        self._table = table
        self._limits = limits
        self._pixels = pixels
        self._looks = looks
        self._persons: dict[str, _Person] = {}
        self._keeps: dict[str, bool] = {}
        self._changing: Changing = {}
        self.books: Final = {walker: new_book(self._changing) for walker in WALKERS.values()}
        self._marks: dict[tuple[bool, bool, frozenset[Option]], tuple[bytes, bytes]] = {}

    def see(self, data: Buffer, stretch: "Stretch") -> "Seen | None":
        """Look at the pictures of one object; None when there are none to look at.

        Raises:
            QuarantineError: It cannot be read.
            NeedsReviewError: Its pictures cannot be looked at.
        """
        if self._pixels is None:
            return None
        try:
            work = cut(data, "", self.books, self._limits)
        except OddEncodingError:
            work = cut(normalise(data, self._limits), "", self.books, self._limits)
        return self._pixels().see(work, stretch)

    def clean(
        self,
        data: Buffer,
        path: str,
        context: ContextOf,
        *,
        header_only: bool,
        seen: "Seen | None" = None,
        show: "Show | None" = None,
    ) -> Deidentified:
        """Return the checked output of one object.

        Args:
            data: The whole file.
            path: Where large runs are streamed from; empty to take them from ``data``.
            context: Gives the context for the person key that the object's header names.
            header_only: An image may come without its pixel data; else it may have been cut off.
            seen: What was seen in its pictures, when it was looked at with the rest of its series.
            show: Is given pictures of what was found, before and after.

        Raises:
            QuarantineError: It cannot be handled safely.
            NeedsReviewError: It was read, but cannot be proven harmless.
        """
        try:
            work = cut(data, path, self.books, self._limits)
            return self._clean(work, context, header_only=header_only, seen=seen, show=show)
        except OddEncodingError:
            work = cut(normalise(data, self._limits), "", self.books, self._limits)
            return self._clean(work, context, header_only=header_only, seen=seen, show=show)

    def _clean(
        self,
        work: DicomObject,
        context: ContextOf,
        *,
        header_only: bool,
        seen: "Seen | None",
        show: "Show | None",
    ) -> Deidentified:
        sop_class = work.uid(SOP_CLASS) or work.envelope.sop_class
        burned_in = "" if self._looks else work.uid(BURNED_IN)
        check_class(sop_class, work.envelope.syntax, burned_in=burned_in)
        if not header_only and work.is_cut_off(sop_class):
            raise NeedsReviewError(
                "an image without pixel data: it may be cut off", place="(7FE0,0010)"
            )
        ctx = context(person_of(*(work.value(tag) for tag in PERSON_TAGS)))
        person = self._person(ctx)
        cleaner = person.cleaners.get(sop_class)
        if cleaner is None:
            special = _special(sop_class, ctx, looked=self._looks)
            cleaner = person.cleaners[sop_class] = Cleaner(ctx, self._table, sop_class, special)
        retouched = None
        if self._pixels is not None and work.pixel_place() < len(work.tags):
            retouched = self._pixels().retouch(work, seen, ctx, show)
        return self._write(work, cleaner, person, sop_class, retouched)

    def _person(self, ctx: Context) -> _Person:
        key = f"{ctx.subject.code} {ctx.subject.digest}"
        person = self._persons.get(key)
        if person is None:
            if len(self._persons) >= 8:  # noqa: PLR2004 - inputs come person by person
                del self._persons[next(iter(self._persons))]
            person = self._persons[key] = _Person(ctx, {}, Residual(ctx, self._changing))
        return person

    def _write(
        self,
        work: DicomObject,
        cleaner: Cleaner,
        person: _Person,
        sop_class: str,
        retouched: "Retouched | None",
    ) -> Deidentified:
        ctx = person.ctx
        level = Level(0, charset_of(work.value(CHARSET)), work.walker, 0)
        if retouched is not None and retouched.changed:
            work.without(retouched.changed)
        inserted = self._inserted(work, ctx, retouched)
        tags = work.tags
        pixel = work.pixel_place()
        out: list[bytes] = []
        done: list[Decided] = work.corners()
        low = 0
        for tag, element in inserted:
            high = min(bisect_left(tags, tag), pixel)
            kept, acts = cleaner.top(work.data, work.segments[low:high], level, work.budget)
            out += kept
            out.append(element)
            done += acts
            low = high
        kept, acts = cleaner.top(work.data, work.segments[low:pixel], level, work.budget)
        body = b"".join(out + kept)
        done += acts
        pixels: list[Part] = []
        if pixel < len(tags):
            pixels, entries = self._pixel_parts(work, pixel, retouched)
            if entries:
                done.append(Decided(None, entries))
        after, acts = cleaner.top(work.data, work.segments[pixel + 1 :], level, work.budget)
        done += acts
        trailer = b"".join(after)
        person.residual.data_set(body, 0, work.walker)
        person.residual.sweep(pixels, "(7FE0,0010)", pixels=True)
        if trailer:
            person.residual.data_set(trailer, 0, work.walker)
        syntax = retouched.syntax if retouched is not None else work.envelope.syntax
        parts = self._parts(work, sop_class, cleaner, body, pixels, trailer, syntax)
        notes = retouched.notes if retouched is not None else ()
        told = manifest.describe(ctx, actions=",".join([each.json for each in done]), notes=notes)
        painted = retouched.painted if retouched is not None else None
        counted = [each.acts for each in done]
        return person.residual.seal(Kind.DICOM, parts, told, counted, painted=painted)

    def _pixel_parts(
        self, work: DicomObject, index: int, retouched: "Retouched | None"
    ) -> tuple[list[Part], Sequence[Entry]]:
        if retouched is None:
            return work.pixels(index, self._limits)
        if retouched.parts is not None:
            return retouched.parts, retouched.entries
        pixels, entries = work.pixels(index, self._limits)
        return pixels, [*entries, *retouched.entries]

    def _inserted(
        self, work: DicomObject, ctx: Context, retouched: "Retouched | None"
    ) -> list[tuple[int, bytes]]:
        """Return the elements that the output says anew, by ascending tag."""
        walker = work.walker
        done = retouched.done if retouched is not None else frozenset()
        key = (walker.implicit, walker.big, done)
        found = self._marks.get(key)
        if found is None:
            found = self._marks[key] = marks(walker, ctx.profile, DONE | done)
        inserted = dict(zip((0x00120062, 0x00280303), found, strict=True))
        if retouched is None:
            return list(inserted.items())
        if Option.CLEAN_PIXEL_DATA in done:
            inserted[BURNED_IN] = encode_element(walker, BURNED_IN, b"CS", b"NO")
        if retouched.faceless:
            inserted[FEATURES] = encode_element(walker, FEATURES, b"CS", b"NO")
        for tag, raw in retouched.changed.items():
            entry = lookup(tag)
            if raw is not None and entry is not None:
                inserted[tag] = encode_element(walker, tag, entry.vr[:2].encode(), raw)
        return sorted(inserted.items())

    def _parts(
        self,
        work: DicomObject,
        sop_class: str,
        cleaner: Cleaner,
        body: bytes,
        pixels: list[Part],
        trailer: bytes,
        syntax: str,
    ) -> list[Part]:
        uid = work.uid(SOP_INSTANCE)
        keeps = self._keeps_uid(sop_class) and not cleaner.names_own(uid)
        if not (keeps and _UID.fullmatch(uid)) and not uid_known(uid):
            # as the data set's own value is handled
            uid = cleaner.uid(uid or cleaner.ctx.key.digest(body))
        meta = write_meta(syntax=syntax, sop_class=sop_class, sop_uid=uid, version=_VERSION)
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

    def _keeps_uid(self, sop_class: str) -> bool:
        """Tell whether SOP Instance UID stays."""
        keeps = self._keeps.get(sop_class)
        if keeps is None:
            rule = self._table.rule(SOP_INSTANCE, sop_class=sop_class)
            keeps = self._keeps[sop_class] = rule is not None and rule.act is Act.KEEP
        return keeps


def _special(
    sop_class: str, ctx: Context, *, looked: bool
) -> dict[int, Callable[[bytes], bytes | None]]:
    def icc(raw: bytes) -> bytes | None:
        return scrub_profile(raw) or None

    special: dict[int, Callable[[bytes], bytes | None]] = {_ICC: icc}
    if looked:  # said anew, from what was done
        special |= {BURNED_IN: lambda _raw: None, FEATURES: lambda _raw: None}
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

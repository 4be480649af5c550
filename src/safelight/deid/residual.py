"""The residual check: the one place where a ``Deidentified`` is made.

The output is read again from its own bytes. Each element that was not checked before for this
person is searched for the person's values, decoded and raw; pixel runs are swept raw. A hit is an
error that sends the input to review: nothing uncertain passes.
"""

from collections.abc import Sequence
from typing import Final

import blake3

from safelight.deid.codes import CODE_TAGS
from safelight.deid.context import Context
from safelight.deid.moulds import MOST_BYTES
from safelight.deid.own import Own
from safelight.deid.parts import chunks
from safelight.deid.sweep import Sweep
from safelight.dicomio.charset import Charset, charset_of
from safelight.dicomio.dictionary import lookup
from safelight.dicomio.runs import Book, Changing, Run
from safelight.dicomio.shapes import Shape
from safelight.dicomio.walker import (
    UNKNOWN_SEQUENCE,
    Budget,
    Buffer,
    Element,
    Walker,
    place,
)
from safelight.errors import NeedsReviewError, SafelightError, UnreadableInputError
from safelight.types import _SEAL, Deidentified, Kind, Painted, Part

__all__ = ["Residual"]

_CHARSET: Final = 0x00080005
_TEXT: Final = frozenset((b"AE", b"LO", b"LT", b"PN", b"SH", b"ST", b"UC", b"UT"))
# Values of these follow a grammar that holds nothing but a number, a date or a UID: they are not
# searched as text.
_GRAMMAR: Final = frozenset((b"AS", b"DA", b"DS", b"DT", b"IS", b"TM", b"UI"))
_APART: Final = b"\xff\0\xff\0"  # stands in no pattern, so that none spans two values
_SEEN_MOST: Final = 100_000
_SEEN_BYTES: Final = 1 << 16
_SHAPES_MOST: Final = 1000
_SAME_KEY: Final = 4
_LEAST: Final = 6  # bytes: shorter values of these hold no number or date of the person
_ANEW: Final = b"2.25."  # begins the UIDs that are made here

_Sound = tuple[Shape, list[tuple[int, int]]]  # a sequence that was checked, and where its UIDs are


class Residual:
    """Checks the outputs of one person.

    Args:
        ctx: Key, profile, subject and limits.
        changing: What is known of the tags that differ within a series; it spares time alone.
    """

    def __init__(self, ctx: Context, changing: Changing | None = None) -> None:
        self._ctx = ctx
        self._needles = ctx.subject.needles
        self._own = Own(ctx)
        self._sweep = Sweep(self._needles.raw)
        self._changing = changing
        self._books: dict[Walker, Book] = {}
        # What was checked, by the character set it was read in: elsewhere it may read otherwise.
        self._seen: dict[tuple[str, ...], set[bytes | Run]] = {}
        self._harmless: set[str] = set()
        self._pending: list[tuple[bytes, str, int]] = []
        # Sequences that were checked, by what their reading depends on beside the bytes.
        self._shapes: dict[tuple[tuple[str, ...], Walker, int, int], list[_Sound]] = {}
        self._uids: list[tuple[int, int]] | None = None  # of the sequence at work

    def data_set(self, data: Buffer, start: int, walker: Walker) -> None:
        """Read a written data set again and check what is new in it.

        Raises:
            NeedsReviewError: A value of the person stands in it.
            UnreadableInputError: What was written cannot be read again.
        """
        budget = Budget(self._ctx.limits)
        book = self._books.get(walker)
        if book is None:
            book = self._books[walker] = Book(above=_CHARSET, changing=self._changing)
        try:
            segments = walker.segments(data, start, len(data), budget, book)
        except UnreadableInputError as error:
            raise UnreadableInputError("what was written cannot be read again") from error
        end = start
        for segment in segments:
            end = end + segment.size if isinstance(segment, Run) else segment[5]
        if end != len(data):
            raise UnreadableInputError("what was written cannot be read again to its end")
        try:
            self._segments(data, segments, walker, budget)
            self._sweep_pending()
        except SafelightError:
            self._pending.clear()
            self._seen.clear()  # what was not swept must not pass the next time
            self._shapes.clear()
            raise

    def _segments(
        self, data: Buffer, segments: Sequence[Element | Run], walker: Walker, budget: Budget
    ) -> None:
        charset = charset_of(b"")
        seen = self._seen_in(charset)
        for segment in segments:
            if isinstance(segment, Run):
                if segment not in seen:
                    self._run(segment, walker, charset, seen, budget)
                continue
            if segment[0] == _CHARSET:
                charset = charset_of(data[segment[3] : segment[4]])
                seen = self._seen_in(charset)
            raw = data[segment[2] : segment[5]]
            if raw in seen:
                continue
            if segment[1] == b"SQ" and len(raw) <= MOST_BYTES:
                self._sequence(data, segment, raw, walker, charset, budget)
            else:
                self._element(data, segment, walker, charset, "", budget)
            if len(raw) <= _SEEN_BYTES:
                seen.add(raw)

    def _sequence(
        self,
        data: Buffer,
        element: Element,
        raw: bytes,
        walker: Walker,
        charset: Charset,
        budget: Budget,
    ) -> None:
        """Check a sequence, unless it differs from one that was checked in nothing but UIDs."""
        key = (charset.terms, walker, element[0], len(raw))
        shapes = self._shapes.setdefault(key, [])
        for shape, holes in shapes:
            if shape.fits(raw) and not self._own_uids(raw, holes):
                return
        uids: list[tuple[int, int]] = []
        self._uids = uids
        try:
            self._element(data, element, walker, charset, "", budget)
        finally:
            self._uids = None
        if len(self._shapes) > _SHAPES_MOST:
            self._shapes.clear()
        elif uids and len(shapes) < _SAME_KEY:
            begin = element[2]
            values = sorted((start - begin, stop - begin) for start, stop in uids)
            shapes.append((Shape(raw, values), values))

    def _own_uids(self, raw: bytes, places: Sequence[tuple[int, int]]) -> bool:
        """Tell whether one of the UIDs of a sequence holds a number of the person's."""
        for start, stop in places:
            if raw[start : start + 5] != _ANEW and self._own.holds(b"UI", 0, raw[start:stop]):
                return True
        return False

    def _run(
        self,
        run: Run,
        walker: Walker,
        charset: Charset,
        seen: "set[bytes | Run]",
        budget: Budget,
    ) -> None:
        """Check what a run holds; most of it stood in the files that it was learnt from."""
        for element in run.elements:
            raw = run.raw[element[2] : element[5]]
            if raw not in seen:
                self._element(run.raw, element, walker, charset, "", budget)
                seen.add(raw)
        seen.add(run)

    def _seen_in(self, charset: Charset) -> "set[bytes | Run]":
        """Return what was checked before where this character set is in force."""
        seen = self._seen.setdefault(charset.terms, set())
        if len(seen) > _SEEN_MOST:
            seen.clear()
        return seen

    def _element(
        self,
        data: Buffer,
        element: Element,
        walker: Walker,
        charset: Charset,
        inside: str,
        budget: Budget,
    ) -> None:
        tag, vr, _start, value, value_stop, stop = element
        if value == value_stop:
            return
        if vr and vr != b"UN":
            real = vr
        else:
            entry = lookup(tag)
            real = entry.vr[:2].encode() if entry else b"UN"
        if real == b"SQ" or stop != value_stop:
            self._items(data, element, walker, charset, inside, budget)
            return
        if real in _GRAMMAR:
            if real == b"UI" and self._uids is not None:
                self._uids.append((value, value_stop))
            if value_stop - value >= _LEAST and data[value : value + 5] != _ANEW:
                self._grammar(real, tag, bytes(data[value:value_stop]), inside)
            return
        raw = data[value:value_stop]
        self._pending.append((raw, inside, tag))
        if real in _TEXT and tag not in CODE_TAGS and self._names(charset.decode(raw)[0]):
            raise NeedsReviewError("a value of the person is left", place=inside + place(tag))

    def _grammar(self, vr: bytes, tag: int, raw: bytes, inside: str) -> None:
        """Look for numbers and birth dates of the person in a value of a strict form."""
        if self._own.holds(vr, tag, raw):
            raise NeedsReviewError("a value of the person is left", place=inside + place(tag))

    def _names(self, text: str) -> bool:
        """Tell whether a text holds a value of the person; the same text is asked about once."""
        if text in self._harmless:
            return False
        if self._needles.spans(text):
            return True
        if len(self._harmless) > _SEEN_MOST:
            self._harmless.clear()
        if len(text) <= _SEEN_BYTES:
            self._harmless.add(text)
        return False

    def _sweep_pending(self) -> None:
        """Sweep the values gathered from one object at once; name the place of a hit."""
        if self._pending and self._sweep.hits(_APART.join([each[0] for each in self._pending])):
            for raw, inside, tag in self._pending:
                if self._sweep.hits(raw):
                    where = inside + place(tag)
                    raise NeedsReviewError("a value of the person is left", place=where)
        self._pending.clear()

    def _items(
        self,
        data: Buffer,
        element: Element,
        walker: Walker,
        charset: Charset,
        inside: str,
        budget: Budget,
    ) -> None:
        tag, vr, _start, value, value_stop, _stop = element
        inner = UNKNOWN_SEQUENCE if vr == b"UN" else walker
        depth = inside.count("[")
        outer = charset
        items = inner.items(data, value, value_stop, budget, depth)
        for number, (start, stop) in enumerate(items):
            charset = outer
            seen = self._seen_in(charset)
            for child in inner.elements(data, start, stop, budget, depth=depth + 1):
                if child[0] == _CHARSET:
                    charset = charset_of(data[child[3] : child[4]])
                    seen = self._seen_in(charset)
                raw = data[child[2] : child[5]]
                if raw in seen:
                    continue
                at = f"{inside}{place(tag)}[{number}]."
                self._element(data, child, inner, charset, at, budget)
                if len(raw) <= _SEEN_BYTES:
                    seen.add(raw)

    def sweep(self, parts: Sequence[Part], where: str, *, pixels: bool) -> None:
        """Sweep runs of bytes as if they were one, 4 MiB at a time.

        Args:
            parts: In the order in which they are written.
            where: Named when something is found.
            pixels: Pixel data, where short patterns occur by chance.

        Raises:
            NeedsReviewError: A value of the person stands in it.
        """
        overlap = max(self._sweep.longest - 1, 0)
        tail = b""
        for part in parts:
            for chunk in chunks(part):
                seam = tail + chunk[:overlap] if tail else b""
                if self._sweep.hits(chunk, pixels=pixels) or (
                    seam and self._sweep.hits(seam, pixels=pixels)
                ):
                    raise NeedsReviewError("a value of the person is left", place=where)
                tail = (tail + chunk[-overlap:])[-overlap:] if overlap else b""

    def seal(
        self,
        kind: Kind,
        parts: Sequence[Part],
        manifest: bytes,
        acts: Sequence[str],
        *,
        painted: Painted | None = None,
    ) -> Deidentified:
        """Return the checked output. Called by the cleaners after the checks above passed."""
        digest = blake3.blake3()
        size = 0
        for part in parts:
            for chunk in chunks(part):
                digest.update(chunk)
                size += len(chunk)
        return Deidentified(
            _SEAL,
            kind=kind,
            parts=parts,
            manifest=manifest,
            acts=acts,
            digest=digest.hexdigest(),
            size=size,
            painted=painted,
        )

"""The meta box of HEIF files: what items there are, where they lie, and texts emptied on the way.

Source: ISO/IEC 14496-12:2022, 8.11 (meta, iloc, iinf, iref, idat), ISO/IEC 23008-12:2022, 6.5
(properties).
"""

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Final, NamedTuple

from safelight.deid.icc import scrub_profile
from safelight.deid.photos import heifcodes
from safelight.deid.photos.common import Cursor, Trail
from safelight.dicomio.limits import Limits
from safelight.errors import LimitExceededError, NeedsReviewError

__all__ = ["Box", "Canvas", "Item", "Meta", "boxes"]

# properties made of numbers: sizes, turns, crops, pixel formats, light levels, decoder settings
_NUMBERS: Final = frozenset(
    b"ispe pixi pasp clap irot imir av1C rloc lsel a1op a1lx clli mdcv cclv amve tols prfr tmap"
    b" iscl uncC cmpd ndwt".split()
)
_MAX_NUMBERS: Final = 256  # bytes; av1C may hold a sequence header, cmpd a list
_TOP: Final = frozenset({b"ftyp", b"meta", b"mdat", b"moov", b"moof", b"free", b"skip", b"uuid"})
_GROUPS: Final = frozenset({b"altr", b"ster"})
_AUXILIARY: Final = (b"urn:mpeg:", b"urn:com:apple:photo:", b"urn:iso:")
_TYPES: Final = (b"application/rdf+xml", b"text/xml", b"application/xml")


class Box(NamedTuple):
    """One box: its type, where it starts, where its body starts and where it stops."""

    kind: bytes
    start: int
    body: int
    stop: int


@dataclass(slots=True)
class Item:
    """One item: its type, and the bytes of the file that it owns."""

    kind: bytes
    spans: list[tuple[int, int]] = field(default_factory=list)


class Canvas:
    """The input and the output, which differ only where ``put`` was called."""

    def __init__(self, data: bytes, trail: Trail, limits: Limits) -> None:
        self.data: Final = memoryview(data)
        self.out = bytearray(data)
        self.size: Final = len(data)
        self.limits: Final = limits
        self._trail = trail
        self._left = limits.items

    def put(self, start: int, new: bytes, place: str) -> None:
        """Write ``new`` over what stands at ``start``; noted when that changes anything."""
        old = self.data[start : start + len(new)]
        if old != new:
            self._trail.act(place, "remove", old)
            self.out[start : start + len(new)] = new

    def note(self, text: str) -> None:
        """Add a fact for the report."""
        self._trail.note(text)

    def count(self) -> None:
        """Count one box or item against ``items``."""
        self._left -= 1
        if self._left < 0:
            raise LimitExceededError(f"more than {self.limits.items} boxes (items)")


def boxes(canvas: Canvas, start: int, stop: int, *, last_may_be_cut: bool = False) -> Iterator[Box]:
    """Yield the boxes between two places (14496-12, 4.2).

    Args:
        canvas: The file.
        start: First byte.
        stop: After the last byte.
        last_may_be_cut: Whether bytes that are no box may follow the last one.
    """
    at = start
    while stop - at >= 8:  # noqa: PLR2004 - a length and a type
        canvas.count()
        cursor = Cursor(canvas.data, at, stop, place="box at byte")
        size = cursor.number(4)
        kind = bytes(cursor.take(4))
        if size == 1:
            size = cursor.number(8)
        elif size == 0:
            size = stop - at
        if size < cursor.at - at or size > stop - at:
            if last_may_be_cut and at > start and kind not in _TOP:
                return
            raise cursor.error("the file is truncated, or a box's length is wrong")
        yield Box(kind, at, cursor.at, at + size)
        at += size
    if at != stop and not last_may_be_cut:
        raise Cursor(canvas.data, at).error("a box holds bytes that are no box")


class Meta:
    """What a meta box says, its texts emptied on the canvas.

    Attributes:
        items: Item number → item.
        inline: The span of item data inside the meta box (idat).
        length_size: Bytes before each unit of an HEVC picture.
    """

    def __init__(self, canvas: Canvas, box: Box) -> None:
        self.items: dict[int, Item] = {}
        self.inline: tuple[int, int] | None = None
        self.length_size = 4
        self._canvas = canvas
        self._budget = 2 * canvas.size  # items may share bytes, but not without end
        children = list(boxes(canvas, box.body + 4, box.stop))
        for child in children:
            if child.kind == b"iinf":
                self._names(child)
            elif child.kind == b"idat":
                self.inline = (child.body, child.stop)
        for child in children:
            self._child(child)

    def _child(self, box: Box) -> None:
        canvas = self._canvas
        if box.kind == b"iloc":
            self._places(box)
        elif box.kind == b"hdlr":
            self._handler(box)
        elif box.kind == b"iprp":
            self._properties(box)
        elif box.kind == b"dinf":
            for inner in boxes(canvas, box.body, box.stop):
                for entry in boxes(canvas, inner.body + 8, inner.stop):
                    canvas.put(entry.body + 4, bytes(max(0, entry.stop - entry.body - 4)), "url")
        elif box.kind == b"grpl":
            for group in boxes(canvas, box.body, box.stop):
                if group.kind not in _GROUPS:
                    canvas.put(group.body, bytes(group.stop - group.body), "unknown group")
        elif box.kind == b"iref":
            self._references(box)
        elif box.kind == b"pitm":
            version = canvas.data[box.body] if box.stop > box.body else 0
            used = box.body + (6 if version == 0 else 8)
            canvas.put(used, bytes(max(0, box.stop - used)), "slack of a box")
        elif box.kind == b"ipro":
            raise NeedsReviewError("items of the file are protected")
        elif box.kind not in (b"iinf", b"idat"):
            canvas.put(box.body, bytes(box.stop - box.body), "unknown box")

    def _handler(self, box: Box) -> None:
        body = bytes(self._canvas.data[box.body : box.stop])
        if body[8:12] != b"pict":
            raise NeedsReviewError("the file's items are not pictures")
        self._canvas.put(box.body, bytes(8) + b"pict" + bytes(len(body) - 12), "hdlr name")

    def _names(self, box: Box) -> None:
        cursor = Cursor(self._canvas.data, box.body, box.stop, place="iinf at byte")
        version = cursor.number(4) >> 24
        cursor.number(4 if version else 2)
        for entry in boxes(self._canvas, cursor.at, box.stop):
            inner = Cursor(self._canvas.data, entry.body, entry.stop, place="infe at byte")
            version = inner.number(4) >> 24
            number = inner.number(4 if version == 3 else 2)  # noqa: PLR2004 - wide numbers
            if inner.number(2):
                raise NeedsReviewError("items of the file are protected")
            kind = bytes(inner.take(4)) if version >= 2 else b"mime"  # noqa: PLR2004 - typed items
            if number in self.items:
                raise inner.error("an item is listed twice")
            self.items[number] = Item(kind)
            self._item_texts(inner)

    def _item_texts(self, cursor: Cursor) -> None:
        """Blank the item's name, type text and URI; spaces keep the strings' ends in place."""
        start = cursor.at
        texts = bytes(cursor.rest()).split(b"\x00")
        kept = [text if text in _TYPES else b" " * len(text) for text in texts]
        self._canvas.put(start, b"\x00".join(kept), "item name")

    def _places(self, box: Box) -> None:
        cursor = Cursor(self._canvas.data, box.body, box.stop, place="iloc at byte")
        version = cursor.number(4) >> 24
        sizes = cursor.number(2)
        wide = 4 if version == 2 else 2  # noqa: PLR2004 - wide numbers
        for _ in range(cursor.number(wide)):
            self._canvas.count()
            number = cursor.number(wide)
            method = cursor.number(2) & 15 if version else 0
            if cursor.number(2):
                raise cursor.error("an item lies in another file")
            base = cursor.number(sizes >> 4 & 15)
            spans = []
            for _ in range(cursor.number(2)):
                self._canvas.count()
                cursor.number(sizes & 15 if version else 0)
                at = base + cursor.number(sizes >> 12)
                spans.append(self._span(at, cursor.number(sizes >> 8 & 15), method, cursor))
            item = self.items.get(number)
            if item is None:
                self.items[number] = Item(b"", spans)  # no type: not a picture that is shown
            elif item.spans:
                raise cursor.error("an item is placed twice")
            else:
                item.spans = spans

    def _span(self, at: int, length: int, method: int, cursor: Cursor) -> tuple[int, int]:
        if method == 1 and self.inline is not None:
            at += self.inline[0]
        elif method:
            raise NeedsReviewError("an item is made of other items' bytes")
        if not length or at + length > self._canvas.size:
            raise cursor.error("an item's place is outside the file")
        self._budget -= length
        if self._budget < 0:
            raise cursor.error("items overlap")
        return at, at + length

    def _references(self, box: Box) -> None:
        cursor = Cursor(self._canvas.data, box.body, box.stop, place="iref at byte")
        wide = 4 if cursor.number(4) >> 24 else 2
        for entry in boxes(self._canvas, cursor.at, box.stop):
            inner = Cursor(self._canvas.data, entry.body, entry.stop, place="iref at byte")
            inner.take(wide)
            inner.take(inner.number(2) * wide)
            self._canvas.put(inner.at, bytes(inner.left), "slack of a box")

    def _properties(self, box: Box) -> None:
        for inner in boxes(self._canvas, box.body, box.stop):
            if inner.kind == b"ipco":
                for one in boxes(self._canvas, inner.body, inner.stop):
                    self._property(one)
            elif inner.kind != b"ipma":
                self._canvas.put(inner.body, bytes(inner.stop - inner.body), "unknown box")

    def _property(self, box: Box) -> None:
        canvas, size = self._canvas, box.stop - box.body
        body = bytes(canvas.data[box.body : box.stop])
        if box.kind == b"colr":
            self._colour(box, body)
        elif box.kind == b"hvcC":
            self.length_size = (body[21] & 3) + 1 if size > 21 else 4  # noqa: PLR2004 - its place
            new, found = heifcodes.hevc_settings(body)
            if found:
                canvas.put(box.body, new, "user data in the picture's code")
        elif box.kind == b"auxC":
            urn, zero, rest = body[4:].partition(b"\x00")
            if not urn.startswith(_AUXILIARY) or len(rest) > _MAX_NUMBERS:
                canvas.put(box.body + 4, b" " * len(urn) + zero + bytes(len(rest)), "auxC")
        elif box.kind not in _NUMBERS or size > _MAX_NUMBERS:
            places = {b"udes": "user description", b"altt": "alternative text"}
            canvas.put(box.body, bytes(size), places.get(box.kind, "unknown property"))

    def _colour(self, box: Box, body: bytes) -> None:
        if body[:4] == b"nclx":
            self._canvas.put(box.body + 11, bytes(max(0, len(body) - 11)), "slack of a box")
            return
        kept = scrub_profile(body[4:])
        if kept and len(kept) <= len(body) - 4:
            self._canvas.put(box.body, body[:4] + kept.ljust(len(body) - 4, b"\x00"), "colr ICC")
            return
        # an unknown property is passed over by readers: colours then come from the code itself
        self._canvas.put(box.start + 4, b"free", "colr type")
        self._canvas.put(box.body, bytes(len(body)), "colr ICC")
        self._canvas.note("A damaged colour profile was removed; colours may look different.")

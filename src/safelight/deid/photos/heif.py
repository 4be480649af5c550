"""HEIC, HEIF and AVIF: boxes are emptied where they stand, pictures stay where offsets expect them.

Nothing is decoded and no box moves, so every offset stays valid. Bytes that no kept picture owns
become zeros: EXIF, XMP and URI items, free space, unknown boxes, gaps in the media data. Source:
ISO/IEC 14496-12:2022 (boxes, items), ISO/IEC 23008-12:2022 (HEIF), AV1 Image File Format 1.1.
"""

from bisect import bisect_left
from typing import Final

from safelight.deid.context import Cleaned, Context
from safelight.deid.photos import exif, heifcodes
from safelight.deid.photos.common import Cursor, Trail
from safelight.deid.photos.heifmeta import Box, Canvas, Item, Meta, boxes
from safelight.errors import LimitExceededError, NeedsReviewError
from safelight.types import Original

__all__ = ["clean"]

_BRANDS: Final = frozenset(
    b"heic heix heim heis hevc hevx hevm hevs mif1 mif2 mif3 msf1 miaf avif avis avio MA1A MA1B"
    b" MiHB MiHE MiHA MiPr tmap jpeg j2ki unif iso3 iso4 iso5 iso6 iso7 iso8 iso9 mp41 mp42 geo1"
    b" 1pic".split()
)
_HEVC: Final = (b"hvc1", b"hev1", b"hvt1", b"lhv1")
_PICTURES: Final = frozenset({*_HEVC, b"av01", b"grid", b"iovl", b"iden", b"tmap", b"unci"})
_CODED: Final = frozenset({b"jpeg", b"j2k1", b"jxl ", b"avc1", b"vvc1", b"evc1", b"jxs1"})
_EXIF_ROOM: Final = 4 + len(exif.EMPTY)  # the offset of the TIFF header, and an empty one
# pictures derived from others are a few numbers: more than these bytes hides something
_DERIVED: Final = {b"grid": 12, b"iovl": 4096, b"iden": 0, b"tmap": 512}
_MAX_MEDIA: Final = 64
_MOVIES: Final = (b"moov", b"moof")


def clean(original: Original, ctx: Context) -> Cleaned:
    """Return the file with its pictures alone, at the same places.

    Raises:
        UnreadableInputError: It is malformed or truncated.
        LimitExceededError: It holds more boxes or items than the limits allow.
        NeedsReviewError: It holds a movie, protected items, or pictures coded in a way that can
            hold more than pixels.
    """
    trail = Trail(ctx)
    canvas = Canvas(original.reveal(), trail, ctx.limits)
    _File(canvas, trail).clean()
    return trail.done()


class _File:
    def __init__(self, canvas: Canvas, trail: Trail) -> None:
        self._canvas = canvas
        self._trail = trail
        self._media: list[tuple[int, int]] = []
        self._meta: Meta | None = None

    def clean(self) -> None:
        canvas = self._canvas
        end = 0
        for box in boxes(canvas, 0, canvas.size, last_may_be_cut=True):
            self._top(box)
            end = box.stop
        if self._meta is None:
            raise Cursor(canvas.data, 0).error("the file holds no picture")
        if self._meta.inline is not None:
            self._media.append(self._meta.inline)
        self._items(self._meta)
        self._trail.remove("after the last box", canvas.data[end:])
        self._trail.keep(bytes(canvas.out[:end]))
        pictures = sum(item.kind in _PICTURES for item in self._meta.items.values())
        if pictures > 1:
            self._trail.note(
                f"The file holds {pictures} coded pictures (tiles, thumbnails, depth or gain "
                "maps); each of them has to be looked at."
            )

    def _top(self, box: Box) -> None:
        if box.kind == b"ftyp":
            self._brands(box)
        elif box.kind == b"meta" and self._meta is None:
            self._meta = Meta(self._canvas, box)
        elif box.kind == b"mdat":
            self._media.append((box.body, box.stop))
            if len(self._media) > _MAX_MEDIA:
                raise LimitExceededError(f"more than {_MAX_MEDIA} media boxes")
        elif box.kind in _MOVIES:
            raise NeedsReviewError("the file holds a movie or a sequence beside its picture")
        elif box.kind == b"meta":
            raise Cursor(self._canvas.data, box.body).error("a second list of items")
        else:
            place = "free space" if box.kind in (b"free", b"skip") else "unknown box"
            self._canvas.put(box.start + 4, b"free", place)
            self._canvas.put(box.body, bytes(box.stop - box.body), place)

    def _brands(self, box: Box) -> None:
        out = bytearray(self._canvas.data[box.body : box.stop])
        out[4:8] = bytes(4)
        for at in range(0, len(out) - 3, 4):
            if at != 4 and bytes(out[at : at + 4]) not in _BRANDS:  # noqa: PLR2004 - the version
                out[at : at + 4] = b"mif1"
        self._canvas.put(box.body, bytes(out[: len(out) // 4 * 4]), "brands")

    def _items(self, meta: Meta) -> None:
        """Keep what pictures own, empty the rest of the media data."""
        kept: list[tuple[int, int]] = []
        for item in meta.items.values():
            if item.kind in _CODED:
                raise NeedsReviewError("a picture is coded in a way that can hold more than pixels")
            if item.kind in _PICTURES:
                kept += self._spans(item)
                size = sum(stop - start for start, stop in item.spans)
                if size > _DERIVED.get(item.kind, size):
                    raise NeedsReviewError("a derived picture is longer than its numbers")
        kept = _merged(kept)
        for item in meta.items.values():
            if item.kind in _PICTURES:
                self._scrub_codes(item, meta)
            else:
                self._empty(item, kept)
        self._gaps(kept, meta)

    def _spans(self, item: Item) -> list[tuple[int, int]]:
        for start, stop in item.spans:
            if not any(first <= start and stop <= last for first, last in self._media):
                raise Cursor(self._canvas.data).error("a picture lies outside the media data")
        return item.spans

    def _empty(self, item: Item, kept: list[tuple[int, int]]) -> None:
        for start, stop in self._spans(item):
            before = bisect_left(kept, (stop,)) - 1
            if before >= 0 and kept[before][1] > start:
                raise Cursor(self._canvas.data, start).error("metadata and a picture share bytes")
        if item.kind == b"Exif" and item.spans:
            whole = b"".join(bytes(self._canvas.data[a:b]) for a, b in item.spans)
            block = whole[4 + int.from_bytes(whole[:4], "big") :]
            for name, value in exif.describe(block) if len(whole) > _EXIF_ROOM else ():
                self._trail.remove(f"EXIF.{name}", value)
        names = {b"Exif": "EXIF", b"mime": "XMP", b"uri ": "URI item"}
        for number, (start, stop) in enumerate(item.spans):
            size = stop - start
            # readers refuse a file whose EXIF has no header: an empty one is left in its place
            new = (bytes(4) + exif.EMPTY).ljust(size, b"\x00")
            if item.kind != b"Exif" or number or size < _EXIF_ROOM:
                new = b" " * size if item.kind == b"mime" else bytes(size)
            self._canvas.put(start, new, names.get(item.kind, "unknown item"))

    def _scrub_codes(self, item: Item, meta: Meta) -> None:
        """Empty user data inside the coded picture; a picture in several parts is told."""
        if item.kind not in _HEVC and item.kind != b"av01":
            return
        if len(item.spans) != 1:
            self._trail.note("A picture stands in several parts; user data in its code is kept.")
            return
        start, stop = item.spans[0]
        code = self._canvas.data[start:stop]
        if item.kind == b"av01":
            new, found = heifcodes.av1(code)
        else:
            new, found = heifcodes.hevc(code, meta.length_size)
        if found:
            self._canvas.put(start, new, "user data in the picture's code")

    def _gaps(self, kept: list[tuple[int, int]], meta: Meta) -> None:
        owned = _merged(kept + [span for item in meta.items.values() for span in item.spans])
        for first, last in self._media:
            at = first
            for start, stop in (span for span in owned if first <= span[0] < last):
                if start > at:
                    self._canvas.put(at, bytes(start - at), "between the pictures")
                at = max(at, stop)
            if at < last:
                self._canvas.put(at, bytes(last - at), "between the pictures")


def _merged(spans: list[tuple[int, int]]) -> list[tuple[int, int]]:
    """Return spans in order, those that touch made one."""
    out: list[tuple[int, int]] = []
    for start, stop in sorted(spans):
        if out and start <= out[-1][1]:
            out[-1] = (out[-1][0], max(out[-1][1], stop))
        else:
            out.append((start, stop))
    return out

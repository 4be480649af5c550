"""TIFF and BigTIFF, written anew: image tags and pixel data stay, every other tag goes.

Strips and tiles are copied, but for what no reader shows of them and for the metadata of JPEG
ones. What no tag points to, and every private, EXIF, GPS, IPTC, XMP and text tag, is not written.
Source: TIFF 6.0, TIFF Technical Notes 1 (SubIFDs) and 2 (JPEG), Adobe's BigTIFF design.
"""

import struct
from typing import Final

from safelight.deid.context import Cleaned, Context
from safelight.deid.icc import scrub_profile
from safelight.deid.photos import exif, jpeg
from safelight.deid.photos.common import Cursor, Trail
from safelight.deid.photos.tiffblocks import Blocks, Shape
from safelight.deid.photos.tiffread import Folder, TiffReader
from safelight.deid.photos.tifftags import OFFSETS, fits
from safelight.errors import LimitExceededError, NeedsReviewError
from safelight.types import Original, Part

__all__ = ["clean"]

_WIDTH, _HEIGHT, _BITS, _PACKING, _COLOUR, _TEXT = 256, 257, 258, 259, 262, 270
_STRIPS, _SAMPLES, _ROWS, _LAYOUT = 273, 277, 278, 284
_SUB_FOLDERS, _JPEG_TABLES, _PROFILE = 330, 347, 34675
_POINTERS: Final = {0x8769: "EXIF", 0x8825: "EXIF.GPS", 0xA005: "EXIF.Interoperability"}
_PLAIN, _JPEG = 1, 7
_MAX_POINTERS: Final = 16  # folders of EXIF values that are read to be named in the report
# none, CCITT, LZW, JPEG, Deflate, PackBits, LogLuv, LZMA, Zstandard: nothing but pixels inside
_PACKINGS: Final = frozenset({1, 2, 3, 4, 5, 7, 8, 32773, 32946, 34676, 34677, 34925, 50000})
_RAW_TAGS: Final = frozenset({50706, 33421, 33422})  # DNG version, colour filter array
_RAW_COLOURS: Final = frozenset({32803, 34892})
_YCBCR: Final = 6
_UNDEFINED, _LONG, _LONG8 = 7, 4, 16

Entry = tuple[int, int, int, bytes]  # tag, type, count, value


def clean(original: Original, ctx: Context) -> Cleaned:
    """Return the TIFF with the pictures of all its pages and nothing else.

    Raises:
        UnreadableInputError: It is malformed or truncated.
        LimitExceededError: It holds more folders or bytes than the limits allow.
        NeedsReviewError: It is a camera's raw file, a slide scan, or packed in a way that can hold
            more than pixels.
    """
    trail = Trail(ctx)
    reader = TiffReader(original.reveal(), ctx)
    pages = reader.pages()
    _Writer(reader, trail, ctx).write(pages)
    trail.remove("between the parts", reader.gaps())
    if reader.count > 1:
        trail.note(f"The file holds {reader.count} pictures; each of them has to be looked at.")
    return trail.done()


class _Writer:
    """Lays out pixel data, values and folders one after another."""

    def __init__(self, reader: TiffReader, trail: Trail, ctx: Context) -> None:
        self._reader = reader
        self._trail = trail
        self._ctx = ctx
        self._at = 0
        self._length = len(reader.data)
        self._blocks: dict[tuple[int, int, int, Shape], tuple[int, int]] = {}
        self._counted: set[tuple[int, int]] = set()
        self._unpacked_left = ctx.limits.decoded_bytes
        self._most = 2 * len(reader.data) + (1 << 20)
        self._pixels_left = self._most
        self._pointers = 0

    def write(self, pages: list[Folder]) -> None:
        """Write the header, then each page's data, then all folders of the main chain."""
        reader, sign = self._reader, self._reader.sign
        self._put(b"", 16 if reader.big else 8)
        bodies = [self._folder(page) for page in pages]
        first = self._chain(bodies)
        mark = b"II" if sign == "<" else b"MM"
        if reader.big:
            self._trail.parts[0] = mark + struct.pack(sign + "HHHQ", 43, 8, 0, first)
        else:
            self._trail.parts[0] = mark + struct.pack(sign + "HI", 42, first)

    def _put(self, part: Part, size: int = -1) -> int:
        """Append bytes at an even place; return where they start."""
        if self._at % 8:
            self._trail.keep(bytes(-self._at % 8))
            self._at += -self._at % 8
        start = self._at
        self._trail.keep(part)
        self._at += size if size >= 0 else len(part)  # type: ignore[arg-type] # never a FileSlice
        if self._at > self._most:
            raise LimitExceededError("strips overlap: the output would outgrow the input")
        return start

    def _chain(self, bodies: list[bytes]) -> int:
        """Write folders, each naming the next; return where the first is."""
        self._put(b"")
        first = self._at
        for number, body in enumerate(bodies, 1):
            start = self._at + -self._at % 8  # where ``_put`` will begin
            end = start + len(body) + self._reader.word
            following = end + -end % 8 if number < len(bodies) else 0
            self._put(body + self._word(following))
        return first

    def _word(self, value: int) -> bytes:
        if value >= 1 << 8 * self._reader.word:
            raise LimitExceededError("the output would be larger than a TIFF can be")
        return struct.pack(self._reader.sign + ("Q" if self._reader.big else "I"), value)

    def _folder(self, folder: Folder) -> bytes:
        """Write what a folder points to; return its entries, without the link to the next."""
        self._check(folder)
        entries: list[Entry] = []
        samples = self._reader.number(folder, _SAMPLES, 1)
        bits = self._reader.number(folder, _BITS, 1)
        for tag, (kind, count, value) in folder.tags.items():
            if tag in OFFSETS:
                entries += self._pixels(folder, tag, OFFSETS[tag])
            elif tag == _JPEG_TABLES and kind == _UNDEFINED:
                tables = self._jpeg(value, "JPEGTables.")
                entries.append((tag, kind, len(tables), tables))
            elif tag == _PROFILE:
                entries += self._profile(value)
            elif fits(tag, kind, count, samples, bits):
                entries.append((tag, kind, count, value))
            elif tag not in OFFSETS.values() and tag != _SUB_FOLDERS:
                self._drop(tag, value)
        if folder.children:
            places = [self._chain([self._folder(child)]) for child in folder.children]
            entries.append(self._offsets(_SUB_FOLDERS, places))
        return self._body(entries)

    def _body(self, entries: list[Entry]) -> bytes:
        reader = self._reader
        entries.sort()
        out = bytearray(struct.pack(reader.sign + ("Q" if reader.big else "H"), len(entries)))
        for tag, kind, count, value in entries:
            place = value
            if len(value) > reader.word:
                place = self._word(self._put(value))
            out += struct.pack(reader.sign + "HH", tag, kind) + self._word(count)
            out += place.ljust(reader.word, b"\x00")
        return bytes(out)

    def _check(self, folder: Folder) -> None:
        tags, number = folder.tags, self._reader.number
        if tags.keys() & _RAW_TAGS or number(folder, _COLOUR, 0) in _RAW_COLOURS:
            raise NeedsReviewError("a camera's raw file, which is not rewritten")
        if tags.get(_TEXT, (0, 0, b""))[2].startswith(b"Aperio"):
            raise NeedsReviewError("a slide scan: its label and overview pictures show the slide")
        if number(folder, _PACKING, _PLAIN) not in _PACKINGS:
            raise NeedsReviewError("its pixels are packed in a way that can hold more than pixels")
        if not tags.keys() & OFFSETS.keys() or not {_WIDTH, _HEIGHT} <= tags.keys():
            raise Cursor(self._reader.data).error("a folder holds no picture")

    def _drop(self, tag: int, value: bytes) -> None:
        name = exif.NAMES.get(tag, f"0x{tag:04X}")
        if tag in _POINTERS and self._pointers < _MAX_POINTERS:
            self._pointers += 1
            name = _POINTERS[tag]
            at = int.from_bytes(value, "little" if self._reader.sign == "<" else "big")
            value = exif.folder(self._reader.data, at) or value
        self._trail.remove(name, value)

    def _profile(self, value: bytes) -> list[Entry]:
        kept = scrub_profile(value)
        self._trail.act("ICC", "rebuild" if kept else "remove", value)
        if not kept:
            self._trail.note("A damaged colour profile was removed; colours may look different.")
        return [(_PROFILE, _UNDEFINED, len(kept), kept)] if kept else []

    def _pixels(self, folder: Folder, tag: int, sizes_tag: int) -> list[Entry]:
        """Copy strips or tiles; return the two tags that tell where they are now."""
        starts = self._reader.numbers(folder, tag)
        sizes = self._reader.numbers(folder, sizes_tag)
        if not sizes and len(starts) == 1:
            # old writers left the length of one strip out
            only = Blocks(self._reader, folder, self._ctx).shape(0)
            sizes = (only.row * only.rows,)
        if not starts or len(starts) != len(sizes):
            raise Cursor(self._reader.data).error("strips or tiles and their lengths do not match")
        for start, size in {*zip(starts, sizes, strict=True)} - self._counted:
            Cursor(self._reader.data, min(start, self._length), place="strip at byte").take(size)
            self._counted.add((start, size))
            self._pixels_left -= size
        if self._pixels_left < 0:
            raise LimitExceededError("strips overlap: their bytes outnumber the file's")
        blocks = Blocks(self._reader, folder, self._ctx)
        tables = folder.tags.get(_JPEG_TABLES, (0, 0, b""))[2]
        places: list[int] = []
        lengths: list[int] = []
        for index, (start, size) in enumerate(zip(starts, sizes, strict=True)):
            shape = blocks.shape(index)
            place = (start, size, blocks.packing, shape)
            known = self._blocks.get(place)
            if known is None:
                known = self._block(start, size, blocks, shape, tables)
                self._blocks[place] = known
            places.append(known[0])
            lengths.append(known[1])
        return [self._offsets(tag, places), self._offsets(sizes_tag, lengths)]

    def _block(
        self, start: int, size: int, blocks: Blocks, shape: Shape, tables: bytes
    ) -> tuple[int, int]:
        """Copy one strip or tile; return where it is now and how long."""
        if not size:
            return 0, 0  # a tile that is not there (sparse files)
        block = memoryview(self._reader.data)[start : start + size]
        self._reader.use(start, start + size)
        if blocks.packing == _JPEG:
            kept: bytes | memoryview
            kept, gone = blocks.blanked(self._jpeg(block, "strip "), shape, tables)
        else:
            if blocks.packing != _PLAIN:
                self._unpacked_left -= shape.row * shape.rows
            if self._unpacked_left < 0:
                raise LimitExceededError("it unpacks to more than the limit (decoded_bytes)")
            kept, gone = blocks.trimmed(block, shape)
        for place, what in gone:
            self._trail.remove(place, what)
        return self._put(kept), len(kept)

    def _jpeg(self, block: bytes | memoryview, prefix: str) -> bytes:
        inner = Trail(self._ctx)
        end = jpeg.strip(block, inner, prefix=prefix)
        inner.remove(prefix + "after the end", memoryview(block)[end:])
        self._trail.actions.extend(inner.actions)
        return b"".join(bytes(part) for part in inner.parts if not hasattr(part, "path"))

    def _offsets(self, tag: int, values: list[int]) -> Entry:
        word = "Q" if self._reader.big else "I"
        if max(values) >= 1 << 8 * self._reader.word:
            raise LimitExceededError("the output would be larger than a TIFF can be")
        packed = struct.pack(f"{self._reader.sign}{len(values)}{word}", *values)
        return (tag, _LONG8 if self._reader.big else _LONG, len(values), packed)

"""A TIFF opened for changing single strips and tiles in it (TIFF 6.0 section 2, BigTIFF)."""

import io
import struct
from dataclasses import dataclass, field
from typing import Final, Literal

from safelight.dicomio.limits import Limits
from safelight.errors import LimitExceededError, NeedsReviewError, UnreadableInputError

__all__ = ["Page", "Tiff", "put_first"]

_SIZES: Final = {1: 1, 2: 1, 3: 2, 4: 4, 6: 1, 7: 1, 8: 2, 9: 4, 13: 4, 16: 8, 17: 8, 18: 8}
_WIDTH, _HEIGHT, _BITS, _PACKING, _COLOUR, _FILL_ORDER = 256, 257, 258, 259, 262, 266
_STRIPS, _SAMPLES, _ROWS, _STRIP_SIZES, _LAYOUT = 273, 277, 278, 279, 284
_PREDICTOR, _PALETTE, _TILE_WIDTH, _TILE_HEIGHT = 317, 320, 322, 323
_TILES, _TILE_SIZES, _SUB_FOLDERS, _FORMAT, _TABLES, _SUBSAMPLING = 324, 325, 330, 339, 347, 530
_LONG, _LONG8 = 4, 16
_MARKS: Final = (b"II*\0", b"MM\0*", b"II+\0", b"MM\0+")


@dataclass(slots=True, eq=False)
class Page:
    """One folder with a picture.

    Attributes:
        at: Where it stands.
        tags: Raw value by tag: type, count, bytes, and where its entry stands.
        rows: Rows.
        columns: Columns.
        bits: Bits of a sample, alike for all.
        samples: Samples of a pixel.
        packing: Compression.
        colour: Photometric Interpretation.
        predictor: 1 none, 2 differences, 3 floating point.
        format: 1 unsigned, 2 signed, 3 floating point.
        apart: Each sample has planes of its own.
        block: Rows and columns of a strip or tile.
        tiled: It is made of tiles.
        starts: Where strips or tiles start.
        sizes: Their bytes.
        palette: Values of the colour map.
        jpeg_tables: Tables that JPEG blocks share.
        subsampled: Chroma has fewer samples.
        order: ``<`` or ``>``.
        reversed_bits: FillOrder is 2.
    """

    tags: dict[int, tuple[int, int, bytes, int]]
    at: int = 0
    rows: int = 0
    columns: int = 0
    bits: int = 1
    samples: int = 1
    packing: int = 1
    colour: int = 0
    predictor: int = 1
    format: int = 1
    apart: bool = False
    block: tuple[int, int] = (0, 0)
    tiled: bool = False
    starts: list[int] = field(default_factory=list)
    sizes: list[int] = field(default_factory=list)
    palette: tuple[int, ...] = ()
    jpeg_tables: bytes = b""
    subsampled: bool = False
    order: Literal["<", ">"] = "<"
    reversed_bits: bool = False

    def blocks(self) -> list[tuple[int, int, int, int, int]]:
        """Return row, column, rows, columns and plane of each strip or tile, in file order."""
        high, wide = self.block
        found = []
        for plane in range(self.samples if self.apart else 1):
            for y in range(0, self.rows, high):
                tall = high if self.tiled else min(high, self.rows - y)
                found += [(y, x, tall, wide, plane) for x in range(0, self.columns, wide)]
        if len(found) > len(self.starts) or len(self.starts) != len(self.sizes):
            raise UnreadableInputError("strips or tiles and their lengths do not match")
        return found


def put_first(file: io.BytesIO, page: Page) -> io.BytesIO:
    """Put a folder in the first place of a file in memory, where decoders look for a picture."""
    file.seek(2)
    at, form = (8, "Q") if b"+" in file.read(2) else (4, "I")
    file.seek(at)
    file.write(struct.pack(page.order + form, page.at))
    file.seek(0)
    return file


class Tiff:
    """The whole file, being changed.

    Args:
        data: Its bytes.
        limits: Bounds on folders.

    Attributes:
        original: The bytes as they came.
        pages: All folders with pictures: the main chain first, as readers number it, then SubIFDs.
    """

    def __init__(self, data: bytes, limits: Limits) -> None:
        self.original = data
        self._out = bytearray(data)
        if data[:4] not in _MARKS:
            raise UnreadableInputError("the file does not start as a TIFF")
        self._order: Literal["<", ">"] = "<" if data[:2] == b"II" else ">"
        self._big = b"+" in data[2:4]
        self._limits = limits
        self._emptied: list[tuple[int, int]] = []
        self._touched: list[tuple[int, int]] = []
        self._rewritten: list[Page] = []
        self.pages = self._read()
        self._blocks = sorted(
            (start, start + size)
            for page in self.pages
            for start, size in zip(page.starts, page.sizes, strict=False)
            if size
        )

    def _word(self, at: int) -> int:
        kind, size = ("Q", 8) if self._big else ("I", 4)
        return int(struct.unpack(self._order + kind, self.original[at : at + size])[0])

    def _read(self) -> list[Page]:
        at = self._word(8 if self._big else 4)
        main: list[Page] = []
        waiting: list[int] = []
        seen: set[int] = set()
        while at and at not in seen:
            seen.add(at)
            page, following = self._folder(at)
            main.append(page)
            waiting += self._numbers(page, _SUB_FOLDERS)
            at = following
            if len(seen) > self._limits.items:
                raise LimitExceededError(f"more than {self._limits.items} pages (items)")
        while waiting:
            at = waiting.pop(0)
            if at and at not in seen and len(seen) < self._limits.items:
                seen.add(at)
                page, _ = self._folder(at)  # what follows a SubIFD is not kept
                main.append(page)
                waiting += self._numbers(page, _SUB_FOLDERS)
        return main

    def _folder(self, at: int) -> tuple[Page, int]:
        order, big, start = self._order, self._big, at
        count = struct.unpack_from(order + ("Q" if big else "H"), self.original, at)[0]
        at += 8 if big else 2
        if count > 4096:  # noqa: PLR2004 - far more tags than there are
            raise UnreadableInputError("a folder is malformed")
        tags: dict[int, tuple[int, int, bytes, int]] = {}
        for _ in range(count):
            tag, kind = struct.unpack_from(order + "HH", self.original, at)
            number, inside = self._word(at + 4), at + (12 if big else 8)
            size = number * _SIZES.get(kind, 0)
            value = inside if size <= (8 if big else 4) else self._word(inside)
            if value + size > len(self.original):
                raise UnreadableInputError("a value lies outside the file")
            tags.setdefault(tag, (kind, number, self.original[value : value + size], at))
            at += 20 if big else 12
        page = self._page(tags)
        page.at = start
        return page, self._word(at)

    def _numbers(self, page: Page, tag: int) -> list[int]:
        kind, count, value, _ = page.tags.get(tag, (1, 0, b"", 0))
        letter = {1: "B", 3: "H", 4: "I", 13: "I", 16: "Q", 18: "Q"}.get(kind)
        if letter is None:
            return []
        return list(struct.unpack(f"{self._order}{count}{letter}", value))

    def _page(self, tags: dict[int, tuple[int, int, bytes, int]]) -> Page:
        page = Page(tags, order=self._order)

        def one(tag: int, default: int) -> int:
            return (self._numbers(page, tag) or [default])[0]

        page.rows, page.columns = one(_HEIGHT, 0), one(_WIDTH, 0)
        bits = self._numbers(page, _BITS) or [1]
        page.samples = one(_SAMPLES, 1)
        page.bits = bits[0] if len(set(bits)) == 1 else 0
        page.packing, page.colour = one(_PACKING, 1), one(_COLOUR, 1)
        page.predictor, page.format = one(_PREDICTOR, 1), one(_FORMAT, 1)
        page.apart = one(_LAYOUT, 1) == 2 and page.samples > 1  # noqa: PLR2004 - a plane a sample
        page.tiled = _TILES in tags
        page.reversed_bits = one(_FILL_ORDER, 1) == 2  # noqa: PLR2004 - the lowest bit first
        if page.tiled:
            page.block = one(_TILE_HEIGHT, 0), one(_TILE_WIDTH, 0)
        else:
            page.block = max(1, min(one(_ROWS, page.rows), page.rows)), page.columns
        page.starts = self._numbers(page, _TILES if page.tiled else _STRIPS)
        page.sizes = self._numbers(page, _TILE_SIZES if page.tiled else _STRIP_SIZES)
        if len(page.starts) == 1 and not page.sizes:  # old writers left it out
            page.sizes = [len(self.original) - page.starts[0]]
        page.palette = tuple(self._numbers(page, _PALETTE))
        page.jpeg_tables = tags.get(_TABLES, (0, 0, b"", 0))[2]
        page.subsampled = (self._numbers(page, _SUBSAMPLING) or [2, 2]) != [1, 1]
        if page.rows and page.columns and not all(page.block):
            raise UnreadableInputError("a folder holds no picture")
        return page

    def take(self, start: int, size: int) -> bytes:
        """Return the bytes of one block."""
        if not size or start + size > len(self.original):
            raise UnreadableInputError("a strip or tile lies outside the file")
        return self.original[start : start + size]

    def put(self, page: Page, index: int, block: bytes) -> None:
        """Write one block anew: in place when it is as long as before, else at the end."""
        start, size = page.starts[index], page.sizes[index]
        self._touched.append((start, start + size))
        if len(block) == size:
            self._out[start : start + size] = block
            return
        self._emptied.append((start, start + size))
        self._out += bytes(-len(self._out) % 8)
        page.starts[index], page.sizes[index] = len(self._out), len(block)
        self._out += block
        if page not in self._rewritten:
            self._rewritten.append(page)

    def set_plain(self, page: Page) -> None:
        """Say that a page is not compressed any more."""
        _, _, _, at = page.tags[_PACKING]
        inside = at + (12 if self._big else 8)
        struct.pack_into(self._order + "HH", self._out, at, _PACKING, 3)
        struct.pack_into(self._order + "H", self._out, inside, 1)
        fill = page.tags.get(_FILL_ORDER)
        if fill is not None:
            inside = fill[3] + (12 if self._big else 8)
            struct.pack_into(self._order + "H", self._out, inside, 1)

    def finish(self) -> bytes:
        """Return the file, with new offsets and the old bytes of moved blocks emptied.

        Raises:
            NeedsReviewError: A masked block lies over another one, of this page or another.
        """
        shared, longest = set(), (0, 0)
        for one in self._blocks:
            if one[0] < longest[1]:
                shared |= {one, longest}
            longest = max(longest, one, key=lambda block: block[1])
        if shared and any(
            start < high and low < stop for start, stop in self._touched for low, high in shared
        ):
            raise NeedsReviewError("strips or tiles lie over each other")
        for start, stop in self._emptied:
            self._out[start:stop] = bytes(stop - start)
        for page in self._rewritten:
            offsets = (_TILES, _TILE_SIZES) if page.tiled else (_STRIPS, _STRIP_SIZES)
            self._array(page, offsets[0], page.starts)
            self._array(page, offsets[1], page.sizes)
        return bytes(self._out)

    def _array(self, page: Page, tag: int, values: list[int]) -> None:
        """Write an array of offsets or sizes at the end and let its entry point there."""
        if tag not in page.tags:
            raise NeedsReviewError("a page does not say how long its strips are")
        letter, kind = ("Q", _LONG8) if self._big else ("I", _LONG)
        packed = struct.pack(f"{self._order}{len(values)}{letter}", *values)
        at, word = page.tags[tag][3], 8 if self._big else 4
        struct.pack_into(self._order + "HH" + letter, self._out, at, tag, kind, len(values))
        inside = at + 4 + word
        if len(packed) <= word:
            self._out[inside : inside + word] = packed.ljust(word, b"\0")
            return
        self._out += bytes(-len(self._out) % 8)
        struct.pack_into(self._order + letter, self._out, inside, len(self._out))
        self._out += packed

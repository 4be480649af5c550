"""Strips and tiles of a TIFF held to what its picture needs of them (TIFF 6.0, 7 to 15).

What stands behind a packed strip, rows that no reader shows and the part of a tile beyond the
picture can hold a whole other picture. They go; the pixels that are shown stay as they are.
"""

import zlib
from dataclasses import dataclass
from typing import Final

from safelight.deid.context import Context
from safelight.deid.photos.tiffread import Folder, TiffReader
from safelight.errors import LimitExceededError, NeedsReviewError, UnreadableInputError

__all__ = ["Blocks", "Shape"]

_WIDTH, _HEIGHT, _BITS, _PACKING, _COLOUR, _FILL_ORDER = 256, 257, 258, 259, 262, 266
_STRIPS, _SAMPLES, _ROWS, _LAYOUT, _PREDICTOR = 273, 277, 278, 284, 317
_TILE_WIDTH, _TILE_HEIGHT, _TILES, _SUBSAMPLING = 322, 323, 324, 530
_PLAIN, _LZW, _PACKBITS, _LZMA, _ZSTD = 1, 5, 32773, 34925, 50000
_DEFLATE: Final = (8, 32946)
_UNPACKED: Final = frozenset({_PLAIN, _LZW, _PACKBITS, _LZMA, _ZSTD, *_DEFLATE})
_YCBCR: Final = 6
_FLOATING: Final = 3
_LZW_END: Final = 4  # bytes: the last code, the end code (12 bits each) and what fills them up
_UNIT: Final = 8  # rows and columns of a data unit (T.81, A.1)
_FRAMES: Final = frozenset(range(0xC0, 0xD0)) - {0xC4, 0xC8, 0xCC}
_NOTHING: Final = 128  # a PackBits header that stands for no bytes (TIFF 6.0, section 9)

Gone = tuple[str, bytes | memoryview]  # place and bytes


@dataclass(frozen=True, slots=True)
class Shape:
    """What one strip or tile holds.

    Attributes:
        rows: Its rows.
        bits: Bits of a row, unpacked.
        seen_rows: Rows that belong to the picture.
        seen_bits: Bits of a row that belong to the picture.
        seen: Rows and columns that belong to the picture.
    """

    rows: int
    bits: int
    seen_rows: int
    seen_bits: int
    seen: tuple[int, int]

    @property
    def row(self) -> int:
        """Bytes of a row."""
        return (self.bits + 7) // 8

    @property
    def whole(self) -> bool:
        """Whether all of it belongs to the picture."""
        return self.seen_rows == self.rows and self.seen_bits == self.bits


class Blocks:
    """The strips or tiles of one folder.

    Raises:
        NeedsReviewError: The folder has both, or more than its picture needs.
    """

    def __init__(self, reader: TiffReader, folder: Folder, ctx: Context) -> None:
        get = reader.number
        self._ctx = ctx
        self.tiled = _TILES in folder.tags
        if self.tiled and _STRIPS in folder.tags:
            raise NeedsReviewError("a folder has strips and tiles: readers show one or the other")
        self.packing = get(folder, _PACKING, _PLAIN)
        self._floating = get(folder, _PREDICTOR, 1) == _FLOATING
        self._reversed = get(folder, _FILL_ORDER, 1) == 2  # noqa: PLR2004 - the lowest bit first
        self._height, self._width = get(folder, _HEIGHT, 0), get(folder, _WIDTH, 0)
        samples, bits = get(folder, _SAMPLES, 1), reader.numbers(folder, _BITS) or (1,)
        apart = get(folder, _LAYOUT, 1) == 2 and samples > 1  # noqa: PLR2004 - a plane a sample
        self._bits = sum(bits) if len(bits) == samples and not apart else bits[0]
        if len(bits) != samples and not apart:
            self._bits = samples * bits[0]
        self._cells = (1, 1)
        self._photometric = "" if get(folder, _COLOUR, 0) == _YCBCR else "RGB"
        if not self._photometric and not apart and samples > 1:
            h, v = (*reader.numbers(folder, _SUBSAMPLING), 2, 2)[:2]
            self._cells = max(h, 1), max(v, 1)
        if self.tiled:
            self._high, self._wide = get(folder, _TILE_HEIGHT, 0), get(folder, _TILE_WIDTH, 0)
        else:
            self._high = max(1, min(get(folder, _ROWS, self._height), self._height))
            self._wide = self._width
        self._high, self._wide = max(self._high, 1), max(self._wide, 1)
        self._across = -(-self._width // self._wide)
        self._down = -(-self._height // self._high)
        starts = reader.numbers(folder, _TILES if self.tiled else _STRIPS)
        if len(starts) > self._across * self._down * (samples if apart else 1):
            raise NeedsReviewError("a folder has more strips or tiles than its picture needs")

    def shape(self, index: int) -> Shape:
        """Return what one strip or tile holds."""
        place = index % (self._across * self._down)
        y, x = place // self._across * self._high, place % self._across * self._wide
        seen_rows, seen_columns = (
            min(self._high, self._height - y),
            min(self._wide, self._width - x),
        )
        rows = self._high if self.tiled else seen_rows
        h, v = self._cells
        # cells of h x v pixels share their colours (section 21): h * v + 2 samples
        cell = self._bits if h * v == 1 else (h * v + 2) * self._bits // 3
        across = -(-self._wide // h)
        return Shape(
            rows=-(-rows // v),
            bits=across * cell,
            seen_rows=-(-seen_rows // v),
            seen_bits=-(-seen_columns // h) * cell if seen_columns < self._wide else across * cell,
            seen=(seen_rows, seen_columns),
        )

    def trimmed(self, block: memoryview, shape: Shape) -> tuple[bytes | memoryview, list[Gone]]:
        """Return a strip or tile without what no reader shows, and what went, with its place.

        Raises:
            NeedsReviewError: It does not unpack, or cannot be written back.
            LimitExceededError: It unpacks to more than the limits allow.
        """
        what = "tile" if self.tiled else "strip"
        if self.packing not in _UNPACKED:
            if not shape.whole:
                raise NeedsReviewError("a tile reaches beyond its picture and cannot be unpacked")
            return block, []
        size = shape.row * shape.rows
        if size > self._ctx.limits.decoded_bytes:
            raise LimitExceededError("a strip unpacks to more than the limit (decoded_bytes)")
        raw, end = self._unpack(block, size)
        if len(raw) < size:
            if self.packing != _PLAIN or not shape.whole:
                raise NeedsReviewError(f"a {what} does not unpack to as much as its picture needs")
            return block, []
        gone: list[Gone] = []
        if 0 <= end < len(block):
            gone.append((f"slack of a {what}", block[end:]))
        shown = raw if shape.whole else self._blank(raw, shape)
        if shown is not raw and shown != raw:
            gone.append((f"padding of a {what}", raw))
        elif end >= 0:
            return block[:end], gone
        else:
            gone.append((f"coding of a {what}", block))
        return self._pack(shown, shape), gone

    def blanked(self, block: bytes, shape: Shape, tables: bytes) -> tuple[bytes, list[Gone]]:
        """Return a JPEG strip or tile with the MCUs beyond its picture made flat, and what went.

        Raises:
            NeedsReviewError: It is of a process that nothing here masks.
            UnreadableInputError: It is malformed.
        """
        (rows, columns), (high, wide) = _frame(block), shape.seen
        if rows - high < _UNIT and columns - wide < _UNIT:
            return block, []
        import numpy as np  # noqa: PLC0415  # start-up cost: edges of tiles alone

        from safelight.deid.pixels.jpegmask import mask_jpeg  # noqa: PLC0415  # as above
        from safelight.deid.pixels.jpegparts import parse  # noqa: PLC0415  # as above
        from safelight.deid.pixels.jpegproof import prove  # noqa: PLC0415  # as above

        across, down = (_UNIT * each for each in parse(block, tables).sampling)
        beyond = np.zeros((rows, columns), np.bool_)
        beyond[-(-high // down) * down :] = True
        beyond[:, -(-wide // across) * across :] = True
        if not beyond.any():
            return block, []
        done = mask_jpeg(block, beyond, photometric=self._photometric, tables=tables)
        prove(block, done, beyond, tables=tables)
        return done, [(f"padding of a {'tile' if self.tiled else 'strip'}", block)]

    def _unpack(self, block: memoryview, size: int) -> tuple[bytes, int]:
        """Return at most ``size`` bytes, and where the code for them ends; -1 if not known."""
        import imagecodecs  # noqa: PLC0415  # start-up cost

        try:
            if self.packing == _PLAIN:
                return bytes(block[:size]), min(size, len(block))
            if self.packing in _DEFLATE:
                return _inflated(block, size)
            if self.packing == _PACKBITS:
                return _runs(block, size)
            if self.packing == _LZW:
                raw = bytes(imagecodecs.lzw_decode(bytes(block), out=bytearray(size)))
                less = imagecodecs.lzw_decode(bytes(block[:-_LZW_END]), out=bytearray(size))
                return raw, len(block) if len(less) < len(raw) else -1
            if self.packing == _ZSTD:  # frames that stand for nothing may stand anywhere
                return bytes(imagecodecs.zstd_decode(bytes(block), out=bytearray(size))), -1
            return bytes(imagecodecs.lzma_decode(bytes(block), out=bytearray(size))), -1
        except (RuntimeError, ValueError, zlib.error) as err:
            raise NeedsReviewError("a strip or tile does not unpack") from err

    def _blank(self, raw: bytes, shape: Shape) -> bytes:
        """Return unpacked rows with zeros beyond the picture.

        Zeros stay zeros under a predictor of differences, or repeat the last pixel that is seen.
        """
        import numpy as np  # noqa: PLC0415  # start-up cost

        if self._cells != (1, 1) or self._floating:
            raise NeedsReviewError("a tile reaches beyond its picture and cannot be written back")
        lines = np.frombuffer(raw, np.uint8).reshape(shape.rows, shape.row).copy()
        lines[shape.seen_rows :] = 0
        at, more = divmod(shape.seen_bits, 8)
        lines[:, at + (more > 0) :] = 0
        if more:
            lines[:, at] &= (1 << more) - 1 if self._reversed else 0xFF & 0xFF00 >> more
        return lines.tobytes()

    def _pack(self, raw: bytes, shape: Shape) -> bytes:
        """Return bytes packed as the folder's blocks are."""
        import imagecodecs  # noqa: PLC0415  # start-up cost

        if self._reversed and self.packing != _PLAIN:
            raise NeedsReviewError("a strip or tile cannot be written back")
        if self.packing in _DEFLATE:
            return zlib.compress(raw, 6)
        if self.packing == _LZW:
            return bytes(imagecodecs.lzw_encode(raw))
        if self.packing == _PACKBITS:  # each row apart
            rows = (raw[at : at + shape.row] for at in range(0, len(raw), shape.row))
            return b"".join(bytes(imagecodecs.packbits_encode(row)) for row in rows)
        if self.packing == _ZSTD:
            return bytes(imagecodecs.zstd_encode(raw))
        if self.packing == _LZMA:
            return bytes(imagecodecs.lzma_encode(raw))
        return raw


def _frame(block: bytes) -> tuple[int, int]:
    """Return rows and columns of a JPEG stream (ITU-T T.81, B.2.2)."""
    at = 2
    while at + 9 <= len(block):
        marker = block[at + 1]
        if marker in _FRAMES:
            return int.from_bytes(block[at + 5 : at + 7]), int.from_bytes(block[at + 7 : at + 9])
        at += 2 + int.from_bytes(block[at + 2 : at + 4])
    raise UnreadableInputError("a JPEG strip or tile holds no picture")


def _inflated(block: memoryview, size: int) -> tuple[bytes, int]:
    unpacker = zlib.decompressobj()
    raw = unpacker.decompress(block, size)
    more = unpacker.decompress(unpacker.unconsumed_tail, 1) if not unpacker.eof else b""
    ended = unpacker.eof and not more
    return raw, len(block) - len(unpacker.unused_data) if ended else -1


def _runs(block: memoryview, size: int) -> tuple[bytes, int]:
    """Undo PackBits; return the bytes and where their code ends, -1 if a run goes on behind."""
    out = bytearray()
    at, stop = 0, len(block)
    while len(out) < size and at < stop:
        head = block[at]
        if head < _NOTHING:
            out += block[at + 1 : at + 2 + head]
            at += 2 + head
        elif head > _NOTHING:
            out += bytes(block[at + 1 : at + 2]) * (257 - head)
            at += 2
        else:
            at += 1
    if at > stop:
        raise UnreadableInputError("a strip or tile is truncated")
    return bytes(out[:size]), at if len(out) <= size else -1

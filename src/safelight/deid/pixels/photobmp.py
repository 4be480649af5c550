"""BMP: rows are drawn over where they stand; run-length rows are written plain.

Source: Windows bitmap headers (BITMAPCOREHEADER to BITMAPV5HEADER), OS/2 2.x header.
"""

import struct
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from safelight.deid.pixels.masks import Fill, Masks, edge_of
from safelight.deid.pixels.photocommon import check_size
from safelight.dicomio.limits import Limits
from safelight.errors import NeedsReviewError, UnreadableInputError

__all__ = ["mask"]

_CORE, _OS2_SHORT, _INFO = 12, 16, 40
_RGB, _RLE8, _RLE4, _FIELDS, _ALPHA_FIELDS = 0, 1, 2, 3, 6
_PACKED: Final = {_RLE8: 8, _RLE4: 4}

Array = NDArray[Any]


def mask(data: bytes, masks: Masks, fill: Fill, limits: Limits) -> bytes:
    """Return the BMP masked.

    Raises:
        UnreadableInputError: It is malformed or truncated.
        NeedsReviewError: Its pixels are packed as another kind of file.
    """
    try:
        return _Bmp(data, limits).mask(masks, fill)
    except struct.error:
        raise UnreadableInputError("the file is truncated") from None


class _Bmp:
    """One bitmap."""

    def __init__(self, data: bytes, limits: Limits) -> None:
        if data[:2] != b"BM":
            raise UnreadableInputError("the file does not start as a BMP")
        self.data = bytearray(data)
        self.start, self.size = struct.unpack_from("<II", data, 10)
        self.packing = self.colours = 0
        if self.size == _CORE:
            self.columns, height, _, self.bits = struct.unpack_from("<4H", data, 18)
        else:
            self.columns, height, _, self.bits = struct.unpack_from("<2i2H", data, 18)
            if self.size >= _INFO:
                self.packing = struct.unpack_from("<I", data, 30)[0]
                self.colours = struct.unpack_from("<I", data, 46)[0]
        self.rows, self.upside = abs(height), height > 0
        check_size(self.rows, self.columns, limits)
        if self.bits not in (1, 2, 4, 8, 16, 24, 32):
            raise UnreadableInputError("the header's fields are out of range")
        if self.packing not in (_RGB, _RLE8, _RLE4, _FIELDS, _ALPHA_FIELDS):
            raise NeedsReviewError("the bitmap is packed as another kind of picture")

    @property
    def stride(self) -> int:
        return int(self.columns * self.bits + 31) // 32 * 4

    def mask(self, masks: Masks, fill: Fill) -> bytes:
        """Return the file masked."""
        here = masks.sized(self.rows, self.columns, 1).of(0)
        edge = edge_of(here)
        if self.upside:
            here, edge = here[::-1], edge[::-1]
        if self.packing in _PACKED:
            self._unpack()
        size = self.stride * self.rows
        if len(self.data) < self.start + size:
            raise UnreadableInputError("the file is truncated")
        rows = np.frombuffer(self.data, np.uint8, size, self.start).reshape(self.rows, -1)
        dark, middle = self._levels(rows)
        self._draw(rows, here, dark)
        if fill is Fill.BOX:
            self._draw(rows, edge, middle)
        return bytes(self.data)

    def _draw(self, rows: Array, where: Array, level: bytes) -> None:
        if self.bits >= 8:  # noqa: PLR2004 - whole bytes
            used = self.columns * self.bits // 8
            pixels = rows[:, :used].reshape(self.rows, self.columns, -1)
            pixels[where] = np.frombuffer(level, np.uint8)
            rows[:, :used] = pixels.reshape(self.rows, used)
            return
        bits = np.unpackbits(rows, axis=1)
        used = self.columns * self.bits
        pixels = bits[:, :used].reshape(self.rows, self.columns, self.bits)
        pixels[where] = [level[0] >> place & 1 for place in range(self.bits - 1, -1, -1)]
        bits[:, :used] = pixels.reshape(self.rows, used)
        rows[:] = np.packbits(bits, axis=1)

    def _levels(self, rows: Array) -> tuple[bytes, bytes]:
        """Return the darkest and a middle pixel, as stored."""
        if self.bits <= 8:  # noqa: PLR2004 - indexed
            return self._palette()
        width = self.bits // 8
        if self.packing == _RGB and width != 2:  # noqa: PLR2004 - five bits a colour
            seen = width == 4 and bool(rows[:, 3::4].any())  # noqa: PLR2004 - a byte of its own
            last = b"\xff" * (width - 3) if seen else bytes(width - 3)
            return bytes(3) + last, b"\x80" * 3 + last
        fields = [0x7C00, 0x3E0, 0x1F, 0]
        if self.packing != _RGB:
            count = 4 if self.packing == _ALPHA_FIELDS or self.size >= 56 else 3  # noqa: PLR2004 - headers with an alpha field
            fields = [*struct.unpack_from(f"<{count}I", self.data, 54), 0][:4]
        dark = fields[3]
        middle = dark
        for one in fields[:3]:
            middle |= one & -one << max(one.bit_count() - 1, 0) if one else 0
        limit = (1 << self.bits) - 1
        return (dark & limit).to_bytes(width, "little"), (middle & limit).to_bytes(width, "little")

    def _palette(self) -> tuple[bytes, bytes]:
        entry, begin = (3 if self.size == _CORE else 4), 14 + self.size
        count = min(self.colours or 1 << self.bits, 1 << self.bits)
        count = min(count, max(self.start - begin, 0) // entry)
        raw = np.frombuffer(self.data, np.uint8, count * entry, begin).reshape(-1, entry)
        if not len(raw):
            raise UnreadableInputError("a picture without its palette")
        light = raw[:, :3].astype(int) @ (114, 587, 299)
        return bytes((int(light.argmin()),)), bytes((int(np.abs(light - 128_000).argmin()),))

    def _unpack(self) -> None:
        """Write run-length rows plain."""
        self.bits = _PACKED[self.packing]
        indices = _runs(bytes(self.data[self.start :]), self.columns, self.rows, self.packing)
        if self.bits == 4:  # noqa: PLR2004 - two pixels a byte
            indices = np.pad(indices, ((0, 0), (0, self.columns % 2)))
            indices = indices[:, ::2] << 4 | indices[:, 1::2]
        rows = np.pad(indices, ((0, 0), (0, self.stride - indices.shape[1]))).tobytes()
        self.data[self.start :] = rows
        struct.pack_into("<I", self.data, 2, len(self.data))
        struct.pack_into("<I", self.data, 30, _RGB)
        struct.pack_into("<I", self.data, 34, len(rows))


def _runs(data: bytes, columns: int, rows: int, packing: int) -> Array:
    """Return indices, bottom row first, shape (rows, columns)."""
    out = np.zeros((rows, columns), np.uint8)
    at = x = y = 0
    half = packing == _RLE4
    while at + 1 < len(data) and y < rows:
        count, value = data[at], data[at + 1]
        at += 2
        pixels = b""
        if count:
            pair = bytes((value >> 4, value & 15)) if half else bytes((value,))
            pixels = (pair * count)[:count]
        elif value == 0:
            x, y = 0, y + 1
        elif value == 1:
            return out
        elif value == 2:  # noqa: PLR2004 - a jump
            if at + 1 >= len(data):
                break
            x, y = x + data[at], y + data[at + 1]
            at += 2
        else:
            size = (value + 1) // 2 if half else value
            raw = data[at : at + size]
            at += size + size % 2
            pixels = bytes(n for one in raw for n in (one >> 4, one & 15)) if half else raw
            pixels = pixels[:value]
        pixels = pixels[: max(columns - x, 0)]
        if pixels:
            out[y, x : x + len(pixels)] = np.frombuffer(pixels, np.uint8)
            x += len(pixels)
    if y < rows - 1:
        raise UnreadableInputError("the file is truncated")
    return out

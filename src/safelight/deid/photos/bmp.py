"""BMP: header fields, masks, palette and rows are laid out anew; gaps and profiles go.

Source: Windows bitmap headers (BITMAPCOREHEADER to BITMAPV5HEADER), OS/2 2.x header.
"""

import struct
from typing import Final

from safelight.deid.context import Cleaned, Context
from safelight.deid.photos.common import Cursor, Trail
from safelight.errors import NeedsReviewError
from safelight.types import Original

__all__ = ["clean"]

_FILE_HEADER: Final = 14
_CORE, _OS2_SHORT, _INFO, _OS2, _V4, _V5 = 12, 16, 40, 64, 108, 124
_HEADERS: Final = (_CORE, _OS2_SHORT, _INFO, 52, 56, _OS2, _V4, _V5)
_RGB, _RLE8, _RLE4, _FIELDS, _ALPHA_FIELDS = 0, 1, 2, 3, 6
_SRGB: Final = b"BGRs"  # LCS_sRGB, little endian
_PROFILES: Final = (b"DEBM", b"KNIL")  # embedded profile, path of a profile


def clean(original: Original, ctx: Context) -> Cleaned:
    """Return the BMP with its header, palette and rows alone.

    Raises:
        UnreadableInputError: It is malformed or truncated.
        NeedsReviewError: Its pixels are packed as another kind of file.
    """
    cursor = Cursor(original.reveal())
    trail = Trail(ctx)
    head = bytes(cursor.take(_FILE_HEADER))
    pixels_at = int.from_bytes(head[10:14], "little")
    size = cursor.number(4, "little")
    if head[:2] != b"BM" or size not in _HEADERS:
        raise cursor.error("the header is of an unknown kind")
    info = bytearray(struct.pack("<I", size) + cursor.take(size - 4))
    width, height, bits, packing, colours = _fields(info)
    if width <= 0 or height == 0 or bits not in (1, 2, 4, 8, 16, 24, 32):
        raise cursor.error("the header's fields are out of range")
    extra = b""
    if size == _INFO and packing in (_FIELDS, _ALPHA_FIELDS):
        extra = bytes(cursor.take(12 if packing == _FIELDS else 16))
    palette = _palette(cursor, size, bits, colours, pixels_at)
    rows, end = _rows(original.reveal(), pixels_at, (width, abs(height), bits, packing), trail)
    _scrub_header(info, original.reveal(), trail)
    if size >= _INFO:
        info[20:24] = struct.pack("<I", len(rows))
    start = _FILE_HEADER + size + len(extra) + len(palette)
    trail.remove("reserved fields", head[6:10].strip(b"\x00"))
    if pixels_at > cursor.at:
        trail.remove("between header and pixels", cursor.data[cursor.at : pixels_at])
    trail.remove("after the pixels", cursor.data[end:])
    total = start + len(rows)
    trail.keep(struct.pack("<2sIII", b"BM", total, 0, start), bytes(info), extra, palette, rows)
    return trail.done()


def _fields(info: bytearray) -> tuple[int, int, int, int, int]:
    """Return width, height, bits a pixel, packing and the number of colours in the palette."""
    if len(info) == _CORE:
        width, height, _, bits = struct.unpack_from("<4H", info, 4)
        return width, height, bits, _RGB, 0
    width, height, _, bits = struct.unpack_from("<2i2H", info, 4)
    if len(info) == _OS2_SHORT:
        return width, height, bits, _RGB, 0
    packing = struct.unpack_from("<I", info, 16)[0]
    return width, height, bits, packing, struct.unpack_from("<I", info, 32)[0]


def _palette(cursor: Cursor, size: int, bits: int, colours: int, pixels_at: int) -> memoryview:
    entry = 3 if size == _CORE else 4
    count = colours or (1 << bits if bits <= 8 else 0)  # noqa: PLR2004 - indexed
    if count > 1 << min(bits, 8):
        raise cursor.error("the palette is longer than its pixels can use")
    room = pixels_at - cursor.at
    if room < 0:
        raise cursor.error("the pixels start inside the header")
    # some writers leave colours out: what lies before the pixels is all there is
    return cursor.take(min(count, room // entry) * entry)


def _rows(
    data: bytes, start: int, shape: tuple[int, int, int, int], trail: Trail
) -> tuple[memoryview | bytes, int]:
    """Return the rows with their padding emptied, and where they end in the input."""
    width, height, bits, packing = shape
    cursor = Cursor(data, min(start, len(data)))
    if packing in (_RLE8, _RLE4):
        end = _packed_end(cursor, packing)
        return memoryview(data)[start:end], end
    if packing not in (_RGB, _FIELDS, _ALPHA_FIELDS):
        raise NeedsReviewError("the bitmap is packed as another kind of picture")
    used = (width * bits + 7) // 8
    stride = (width * bits + 31) // 32 * 4
    rows: memoryview | bytes = cursor.take(stride * height)
    end = cursor.at
    if stride > used:
        # a strided slice over the flat rows: all first padding bytes, all second, ...
        padding = b"".join(bytes(rows[at::stride]) for at in range(used, stride))
        if padding.strip(b"\x00"):
            trail.remove("padding of the rows", padding)
            emptied = bytearray(rows)
            for at in range(used, stride):
                emptied[at::stride] = bytes(height)
            rows = bytes(emptied)
    return rows, end


def _packed_end(cursor: Cursor, packing: int) -> int:
    """Return where run-length pixels end: after the end-of-bitmap escape."""
    data, at, stop = cursor.data, cursor.at, cursor.stop
    while at + 1 < stop:
        count, value = data[at], data[at + 1]
        at += 2
        if count:
            continue
        if value == 1:
            return at
        if value == 2:  # noqa: PLR2004 - a jump: two more bytes
            at += 2
        elif value > 2:  # noqa: PLR2004 - literal pixels, padded to an even length
            size = value if packing == _RLE8 else (value + 1) // 2
            at += size + size % 2
    cursor.at = stop
    raise cursor.error("the file is truncated: its pixels have no end mark")


def _scrub_header(info: bytearray, data: bytes, trail: Trail) -> None:
    """Empty what is no pixel's business: profiles, reserved fields, the writer's own number."""
    if len(info) == _OS2:
        trail.remove("OS/2 header", bytes(info[40:]).strip(b"\x00"))
        info[40:] = bytes(len(info) - 40)
    if len(info) == _V5:
        start, size = struct.unpack_from("<2I", info, 112)
        trail.remove("colour profile", data[14 + start : 14 + start + size] if size else b"")
        info[112:124] = bytes(12)
    if len(info) >= _V4 and bytes(info[56:60]) in _PROFILES:
        info[56:60] = _SRGB
        trail.note("The colour profile was removed; colours are read as sRGB.")

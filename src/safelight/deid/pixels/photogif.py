"""GIF: each frame's indices are unpacked, drawn over and packed again; all else stays.

Source: CompuServe GIF89a specification, appendix F (LZW).
"""

import struct
from collections.abc import Iterator
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from safelight.deid.pixels.masks import Fill, Mask, Masks, edge_of
from safelight.deid.pixels.photocommon import check_size
from safelight.dicomio.limits import Limits
from safelight.errors import LimitExceededError, UnreadableInputError

__all__ = ["mask"]

_IMAGE, _EXTENSION, _TRAILER, _CONTROL = 0x2C, 0x21, 0x3B, 0xF9
_MOST_CODES: Final = 4096
_ROWS_OF: Final = ((0, 8), (4, 8), (2, 4), (1, 2))  # appendix E: interlaced rows

Array = NDArray[Any]


def mask(data: bytes, masks: Masks, fill: Fill, limits: Limits) -> bytes:
    """Return the GIF masked, all frames alike.

    Raises:
        UnreadableInputError: It is malformed or truncated.
        LimitExceededError: It unpacks to more than the limits allow.
    """
    try:
        return _Gif(data, masks, fill, limits).mask()
    except (IndexError, struct.error):
        raise UnreadableInputError("the file is truncated") from None


class _Gif:
    """One pass over the blocks."""

    def __init__(self, data: bytes, masks: Masks, fill: Fill, limits: Limits) -> None:
        if data[:6] not in (b"GIF87a", b"GIF89a") or len(data) < 13:  # noqa: PLR2004 - its header
            raise UnreadableInputError("the file does not start as a GIF")
        self.data, self.fill, self.limits = data, fill, limits
        self.columns, self.rows = (int.from_bytes(data[at : at + 2], "little") for at in (6, 8))
        self.masks = masks
        self.whole: Mask = np.zeros((0, 0), np.bool_)
        self.left = limits.decoded_bytes
        self.hidden = -1  # transparent index of the next picture

    def _grow(self) -> None:
        """Make the screen as large as its frames reach: readers show them whole."""
        data = self.data
        at = self._table(data[10], 13)[1]
        while at < len(data) and data[at] != _TRAILER:
            if data[at] == _IMAGE:
                x, y, columns, rows = self._place(at)
                self.columns, self.rows = max(self.columns, x + columns), max(self.rows, y + rows)
                at = self._past(self._table(data[at + 9], at + 10)[1] + 1)
            else:
                at = self._past(at + 2) if data[at] == _EXTENSION else at + 1

    def _place(self, start: int) -> tuple[int, int, int, int]:
        """Return column, row, columns and rows of the picture that starts here."""
        x, y, columns, rows = struct.unpack_from("<4H", self.data, start + 1)
        return x, y, columns, rows

    def mask(self) -> bytes:
        data = self.data
        self._grow()
        check_size(self.rows, self.columns, self.limits)
        self.whole = self.masks.sized(self.rows, self.columns, 1, together=True).of(0)
        table, at = self._table(data[10], 13)
        out = [data[:at]]
        while at < len(data) and data[at] != _TRAILER:
            start = at
            if data[at] == _EXTENSION:
                if data[at + 1] == _CONTROL:
                    self.hidden = data[at + 6] if data[at + 3] & 1 else -1
                at = self._past(at + 2)
                out.append(data[start:at])
            elif data[at] == _IMAGE:
                own, coded = self._table(data[at + 9], at + 10)
                at = self._past(coded + 1)
                picture = b"".join(self._blocks(coded + 1))
                out += (data[start:coded], self._picture(start, coded, picture, own or table))
                self.hidden = -1
            else:  # zeros between blocks are skipped, as all readers do
                at += 1
        return b"".join((*out, b"\x3b"))

    def _table(self, flags: int, at: int) -> tuple[bytes, int]:
        size = 3 << (flags & 7) + 1 if flags & 0x80 else 0
        return self.data[at : at + size], at + size

    def _blocks(self, at: int) -> Iterator[bytes]:
        while self.data[at]:
            yield self.data[at + 1 : at + 1 + self.data[at]]
            at += 1 + self.data[at]

    def _past(self, at: int) -> int:
        while self.data[at]:
            at += 1 + self.data[at]
        return at + 1

    def _picture(self, start: int, coded: int, packed: bytes, table: bytes) -> bytes:
        """Return code size and sub-blocks of one picture, masked."""
        x, y, columns, rows = self._place(start)
        self.left -= columns * rows
        if self.left < 0:
            raise LimitExceededError("its pictures are larger than the limit allows")
        here = self.whole[y : y + rows, x : x + columns]
        root = self.data[coded]
        if not 1 <= root <= 8:  # noqa: PLR2004 - an index is a byte
            raise UnreadableInputError("a picture's code size is out of range")
        flat = _unpacked(packed, root, columns * rows)
        indices = np.frombuffer(flat, np.uint8).reshape(rows, columns).copy()
        order = _order(rows, interlaced=bool(self.data[start + 9] & 0x40))
        dark, middle = self._levels(table, root)
        indices[here[order]] = dark
        if self.fill is Fill.BOX:
            indices[edge_of(here)[order]] = middle
        wider = max(root, 2)  # no GIF is written with less
        return bytes((wider,)) + _sub_blocks(_packed(indices.tobytes(), wider))

    def _levels(self, table: bytes, root: int) -> tuple[int, int]:
        """Return the darkest index and a middle one, not the transparent one."""
        entries = np.frombuffer(table, np.uint8).reshape(-1, 3).astype(int)[: 1 << root]
        if not len(entries):
            raise UnreadableInputError("a picture without its palette")
        light = entries @ (299, 587, 114)
        if 0 <= self.hidden < len(light) > 1:
            light[self.hidden] = 1 << 20
        return int(light.argmin()), int(np.abs(light - 128_000).argmin())


def _order(rows: int, *, interlaced: bool) -> list[int]:
    """Return which row of the picture each stored row is."""
    if not interlaced:
        return list(range(rows))
    return [row for first, step in _ROWS_OF for row in range(first, rows, step)]


def _unpacked(data: bytes, root: int, size: int) -> bytes:
    """Return as many indices as a picture has; missing ones are 0, as browsers show them."""
    clear, stop = 1 << root, (1 << root) + 1
    start = [bytes((n,)) for n in range(clear)] + [b"", b""]
    table, width, last = list(start), root + 1, b""
    out: list[bytes] = []
    total = held = bits = 0
    for byte in data:
        held |= byte << bits
        bits += 8
        while bits >= width:
            code = held & (1 << width) - 1
            held >>= width
            bits -= width
            if code == clear:
                table, width, last = list(start), root + 1, b""
                continue
            if code == stop or total >= size:
                return b"".join(out)[:size].ljust(size, b"\0")
            if code < len(table):
                found = table[code]
            elif last and code == len(table):
                found = last + last[:1]
            else:
                raise UnreadableInputError("a picture's codes make no sense")
            out.append(found)
            total += len(found)
            if last and len(table) < _MOST_CODES:
                table.append(last + found[:1])
                if len(table) == 1 << width and width < 12:  # noqa: PLR2004 - the widest code
                    width += 1
            last = found
    return b"".join(out)[:size].ljust(size, b"\0")


def _packed(indices: bytes, root: int) -> bytes:
    """Return LZW codes, the least significant bit first."""
    clear, stop = 1 << root, (1 << root) + 1
    codes: dict[tuple[int, int], int] = {}
    width, following = root + 1, stop + 1
    held, bits = clear, width
    out = bytearray()
    prefix = -1
    for index in indices:
        if prefix < 0:
            prefix = index
            continue
        known = codes.get((prefix, index))
        if known is not None:
            prefix = known
            continue
        held |= prefix << bits
        bits += width
        if following < _MOST_CODES:
            codes[prefix, index] = following
            if following == 1 << width:
                width += 1
            following += 1
        else:
            held |= clear << bits
            bits += width
            codes, width, following = {}, root + 1, stop + 1
        prefix = index
        while bits >= 8:  # noqa: PLR2004 - whole bytes
            out.append(held & 0xFF)
            held >>= 8
            bits -= 8
    if prefix >= 0:
        held |= prefix << bits
        bits += width
        if following == 1 << width and width < 12:  # noqa: PLR2004 - the widest code
            width += 1
    held |= stop << bits
    bits += width
    return bytes(out) + held.to_bytes((bits + 7) // 8, "little")


def _sub_blocks(data: bytes) -> bytes:
    pieces = (data[at : at + 255] for at in range(0, len(data), 255))
    return b"".join(bytes((len(piece),)) + piece for piece in pieces) + b"\0"

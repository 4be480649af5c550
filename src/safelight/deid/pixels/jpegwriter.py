"""Coefficients of a JPEG written as one sequential scan a component group.

Source: ITU-T T.81 F.1.2 (sequential), K.2 (tables).
"""

from typing import Final

import numpy as np
from numpy.typing import NDArray

from safelight.deid.pixels.huffman import Table, made_for
from safelight.deid.pixels.jpegparts import Jpeg, Scan
from safelight.deid.pixels.jpegread import addresses
from safelight.errors import NeedsReviewError

__all__ = ["written"]

Ints = NDArray[np.int64]
_MOST_BLOCKS: Final = 10  # of an MCU: T.81 B.2.3
_PIECE: Final = 1 << 18  # events whose bits are laid out at a time
_DROPPED: Final = frozenset({0xC0, 0xC1, 0xC2, 0xC4, 0xDD, 0xDA})


def written(jpeg: Jpeg, found: list[NDArray[np.int16]]) -> bytes:
    """Return the stream of these coefficients, with all segments that are not about their coding.

    Args:
        jpeg: The parts.
        found: For each component its blocks, shape (blocks, 64), in zigzag order.

    Raises:
        NeedsReviewError: It needs other tables than those it shares with further streams.
    """
    several = len(jpeg.components) > 1
    blocks = sum(one.h * one.v for one in jpeg.components) if several else 1
    indices = range(len(jpeg.components))
    groups = [tuple(indices)] if blocks <= _MOST_BLOCKS else [(index,) for index in indices]
    out = [b"\xff\xd8", *_kept_segments(jpeg)]
    body = bytearray(jpeg.data[jpeg.frame_at : jpeg.scans[0].head])
    while body[1] == 0xFF:  # noqa: PLR2004 - fill bytes before the marker
        del body[0]
    size = int.from_bytes(body[2:4], "big")
    # 8-bit baseline where it was baseline or progressive; the extended process else
    body[1] = 0xC1 if jpeg.precision != 8 or jpeg.process == 0xC1 else 0xC0  # noqa: PLR2004 - SOF1, SOF0
    out += (bytes(body[: 2 + size]), b"\xff\xdd\0\x04\0\0")
    for group in groups:
        out += _coded(jpeg, group, found)
    out.append(b"\xff\xd9")
    return b"".join(out)


def _kept_segments(jpeg: Jpeg) -> list[bytes]:
    """Return all segments but frames, Huffman tables, restart intervals and scans."""
    data, at, out = jpeg.data, 2, []
    stops = {scan.start: scan.stop for scan in jpeg.scans}
    while at < jpeg.end:
        while data[at] == 0xFF:  # noqa: PLR2004 - a marker and fill bytes
            at += 1
        marker, at = data[at], at + 1
        if marker == 0xD9:  # noqa: PLR2004 - EOI
            break
        if marker == 1 or 0xD0 <= marker <= 0xD7:  # noqa: PLR2004 - TEM and restarts stand alone
            continue
        stop = at + int.from_bytes(data[at : at + 2], "big")
        if marker not in _DROPPED:
            out.append(bytes((0xFF, marker)) + data[at:stop])
        at = stops.get(stop, stop)
    return out


def _coded(jpeg: Jpeg, group: tuple[int, ...], found: list[NDArray[np.int16]]) -> list[bytes]:
    """Return the tables, head and coded data of one scan."""
    scan = Scan(tuple((index, 0, 0) for index in group), (0, 63), (0, 0), 0, 0, 0, {}, 0)
    widths = [jpeg.units[1] * (one.h if len(jpeg.components) > 1 else 1) for one in jpeg.components]
    order, offsets = addresses(jpeg, scan, widths)
    places, rows = np.array(order), np.array(offsets) // 64
    blocks = np.empty((len(order), 64), np.int16)
    for place, index in enumerate(group):
        blocks[places == place] = found[index][rows[places == place]]
    slots = _slots(jpeg, group)
    events = _Events(blocks, places, np.array(slots)[places])
    tables = events.tables()
    if jpeg.abbreviated:
        tables = _shared(jpeg, tables)
    head = bytes((len(group),))
    for index, slot in zip(group, slots, strict=True):
        head += bytes((jpeg.components[index].ident, slot * 17))
    head += b"\0\x3f\0"
    segments = [
        table.segment(number & 1, number >> 1)
        for number, table in enumerate(tables)
        if table is not None
    ]
    sos = b"\xff\xda" + (len(head) + 2).to_bytes(2, "big") + head
    return [*segments, sos, events.coded(tables)]


def _slots(jpeg: Jpeg, group: tuple[int, ...]) -> list[int]:
    """Return the destination of each component's tables: brightness and colour have them apart."""
    if jpeg.abbreviated:
        there = {index: dc for scan in jpeg.scans for index, dc, ac in scan.components if dc == ac}
        return [there.get(index, 0) & 1 for index in group]
    return [int(len(group) > 1 and index > 0) for index in group]


def _shared(jpeg: Jpeg, tables: list[Table | None]) -> list[Table | None]:
    """Return the tables that a stream shares with others, which decoders do not load again.

    Raises:
        NeedsReviewError: They have no code for what is written.
    """
    found: list[Table | None] = []
    for number, table in enumerate(tables):
        there = jpeg.scans[0].tables.get((number & 1, number >> 1))
        if table is not None and (there is None or not {*table.symbols} <= {*there.symbols}):
            raise NeedsReviewError("a JPEG whose tables have no room for what a mask needs")
        found.append(there if table is not None else None)
    return found


class _Events:
    """What is written for blocks, one after another: codes and the bits behind them (F.1.2).

    Args:
        blocks: Coefficients, shape (blocks, 64), zigzag order.
        places: Component of each block, for the prediction of DC.
        groups: Which tables a block uses: 0 or 1.
    """

    def __init__(self, blocks: NDArray[np.int16], places: Ints, groups: Ints) -> None:
        count = len(blocks)
        dc = blocks[:, 0].astype(np.int64)
        for place in range(int(places.max()) + 1):
            mine = places == place
            dc[mine] = np.diff(dc[mine], prepend=0)
        row, k = np.nonzero(blocks[:, 1:])
        values = blocks[row, k + 1].astype(np.int64)
        first = np.diff(row, prepend=-1) != 0
        run = np.where(first, k, np.diff(k, prepend=0) - 1)
        fresh, last = 1 + run // 16, np.full(count, -1)
        last[row] = k  # the last one wins
        short = last < 62  # noqa: PLR2004 - the block ends before its last coefficient
        each = 1 + np.bincount(row, fresh, count).astype(np.int64) + short
        begin = np.cumsum(each) - each
        before = np.cumsum(fresh)  # events of coefficients up to and with this one
        of_block = np.bincount(row, fresh, count).astype(np.int64)
        base = np.cumsum(of_block) - of_block
        at = begin[row] + before - base[row]
        total = int(each.sum())
        self.symbols = np.full(total, 0xF0, np.int64)  # what is not set is sixteen zeros
        self.extra = np.zeros(total, np.int64)
        self.sizes = np.zeros(total, np.int64)
        self.kinds = np.repeat(groups * 2 + 1, each)
        self.kinds[begin] -= 1
        self._set(at, values, (run % 16) << 4)
        self._set(begin, dc, np.zeros(count, np.int64))
        self.symbols[(begin + each - 1)[short]] = 0

    def _set(self, at: Ints, values: Ints, upper: Ints) -> None:
        size = np.frexp(np.abs(values).astype(np.float64))[1].astype(np.int64)
        self.symbols[at] = upper | size
        self.sizes[at] = size
        self.extra[at] = np.where(values < 0, values + (1 << size) - 1, values)

    def tables(self) -> list[Table | None]:
        """Return DC and AC tables of both groups; None for a group that no block uses."""
        found: list[Table | None] = []
        for kind in range(4):
            counts = np.bincount(self.symbols[self.kinds == kind], minlength=256)
            used = {symbol: int(counts[symbol]) for symbol in np.flatnonzero(counts).tolist()}
            found.append(made_for(used) if used else None)
        return found

    def coded(self, tables: list[Table | None]) -> bytes:
        """Return the bits, stuffed and padded with ones."""
        codes, lengths = np.zeros((4, 256), np.int64), np.zeros((4, 256), np.int64)
        for kind, table in enumerate(tables):
            for symbol, code in (table.codes() if table else {}).items():
                codes[kind, symbol], lengths[kind, symbol] = int(code, 2), len(code)
        bits = []
        for start in range(0, len(self.symbols), _PIECE):
            part = slice(start, start + _PIECE)
            where = self.kinds[part], self.symbols[part]
            value = codes[where] << self.sizes[part] | self.extra[part]
            length = lengths[where] + self.sizes[part]
            ends = np.repeat(np.cumsum(length), length)
            left = ends - 1 - np.arange(len(ends))
            bits.append((np.repeat(value, length) >> left & 1).astype(np.uint8))
        size = sum(len(one) for one in bits)
        bits.append(np.ones(-size % 8, np.uint8))
        return np.packbits(np.concatenate(bits)).tobytes().replace(b"\xff", b"\xff\x00")

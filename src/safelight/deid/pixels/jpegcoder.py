"""All coefficients of a JPEG, decoded and coded again in one sequential pass, none changed.

For progressive streams, and for tables that have no room for a code a mask needs. Source: ITU-T
T.81 F.1.2 and F.2.2 (sequential), G.1.2 and G.2 (progressive), K.2 (tables).
"""

from array import array
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from safelight.deid.pixels.huffman import Lookup, Table, coefficient_lookup, made_for
from safelight.deid.pixels.jpegparts import Jpeg, Scan
from safelight.deid.pixels.jpegread import damaged, plan_of, words_of
from safelight.errors import NeedsReviewError

__all__ = ["write_anew"]

Ints = NDArray[np.int64]
Mask = NDArray[np.bool_]
_MOST_BLOCKS: Final = 10  # of an MCU: T.81 B.2.3
_PIECE: Final = 1 << 18  # events whose bits are laid out at a time
_DROPPED: Final = frozenset({0xC0, 0xC1, 0xC2, 0xC4, 0xDD, 0xDA})
_LARGEST: Final = 1 << 27  # coefficients


def write_anew(jpeg: Jpeg, units: Mask, levels: list[Ints]) -> bytes:
    """Return the stream as one sequential scan a component group, with touched MCUs flat.

    Args:
        jpeg: The parts.
        units: MCUs to be masked, shape as ``jpeg.units``.
        levels: For each component the DC value of each MCU if it is masked.

    Raises:
        UnreadableInputError: The coded data is damaged.
        NeedsReviewError: It is too large to be decoded whole.
    """
    found = _Coefficients(jpeg).read()
    down, across = jpeg.units
    for index, one in enumerate(jpeg.components):
        h, v = (one.h, one.v) if len(jpeg.components) > 1 else (1, 1)
        # rows of MCUs, rows in one, columns of MCUs, columns in one
        grid = found[index].reshape(down, v, across, h, 64).transpose(0, 2, 1, 3, 4)
        flat = np.zeros(grid.shape[2:], np.int16)
        for y, x in np.argwhere(units).tolist():
            flat[..., 0] = levels[index][y, x]
            grid[y, x] = flat
    return _write(jpeg, found)


class _Coefficients:
    """Reads scans into arrays of blocks, padded to whole MCUs, in zigzag order."""

    def __init__(self, jpeg: Jpeg) -> None:
        self.jpeg = jpeg
        down, across = jpeg.units
        single = len(jpeg.components) == 1
        self.sizes = [
            (down, across) if single else (down * one.v, across * one.h) for one in jpeg.components
        ]
        if sum(rows * columns for rows, columns in self.sizes) * 64 > _LARGEST:
            raise NeedsReviewError("a progressive JPEG that is too large to be masked")
        self.store = [array("h", bytes(128 * rows * columns)) for rows, columns in self.sizes]
        self.words: array[int] = array("I")
        self.at = 0
        self.run = 0  # blocks left of an end-of-band run

    def read(self) -> list[NDArray[np.int16]]:
        """Return the coefficients of each component, shape (blocks, 64)."""
        for scan in self.jpeg.scans:
            self._scan(scan)
        return [np.frombuffer(one, np.int16).reshape(-1, 64) for one in self.store]

    def _scan(self, scan: Scan) -> None:
        order, offsets = _addresses(self.jpeg, scan, [columns for _, columns in self.sizes])
        plan = plan_of(self.jpeg, scan)
        step = (scan.restart or plan.count) * plan.each
        spans = list(self.jpeg.intervals(scan))
        if len(spans) != -(-len(order) // step):
            raise damaged("restarts are missing")
        lookups: list[tuple[Lookup | None, Lookup | None]] = [
            (_lookup(scan, 0, dc), _lookup(scan, 1, ac)) for _, dc, ac in scan.components
        ]
        stores = [self.store[index] for index, _, _ in scan.components]
        for number, (start, stop) in enumerate(spans):
            coded = self.jpeg.data[start:stop].replace(b"\xff\x00", b"\xff")
            self.words, self.at, self.run = words_of(coded), 0, 0
            blocks = slice(number * step, (number + 1) * step)
            try:
                self._interval(scan, order[blocks], offsets[blocks], lookups, stores)
            except (IndexError, TypeError, OverflowError):
                raise damaged("its coded data makes no sense") from None
            if self.at > 8 * len(coded):
                raise damaged("it ends inside its pixels")

    def _interval(
        self,
        scan: Scan,
        order: list[int],
        offsets: list[int],
        lookups: list[Any],
        stores: list["array[int]"],
    ) -> None:
        first, last = scan.spectral
        high, low = scan.approximation
        sequential = not self.jpeg.progressive
        previous = [0] * len(stores)
        for place, base in zip(order, offsets, strict=True):
            dc, ac = lookups[place]
            store = stores[place]
            if sequential or (first == 0 and not high):
                previous[place] += self._difference(dc)
                store[base] = previous[place] << (0 if sequential else low)
            elif first == 0:
                store[base] |= self._take(1) << low
            if sequential:
                self._band(store, base, 1, 63, 0, ac)
            elif first and not high:
                self._band(store, base, first, last, low, ac)
            elif first:
                self._refine(store, base, first, last, low, ac)

    def _symbol(self, lookup: Lookup) -> int:
        at = self.at
        window = self.words[at >> 3] >> 8 - (at & 7) & 0xFFFF
        symbol = lookup.symbols[window]
        if symbol < 0:
            raise damaged("its coded data makes no sense")
        self.at = at + lookup.lengths[window]
        return symbol

    def _take(self, count: int) -> int:
        at = self.at
        self.at = at + count
        return (self.words[at >> 3] >> 8 - (at & 7) & 0xFFFF) >> 16 - count if count else 0

    def _value(self, size: int) -> int:
        raw = self._take(size)
        return raw if not size or raw >> size - 1 else raw - (1 << size) + 1

    def _difference(self, lookup: Lookup) -> int:
        return self._value(self._symbol(lookup) & 15)

    def _band(
        self, store: "array[int]", base: int, k: int, last: int, low: int, ac: Lookup
    ) -> None:
        """Read coefficients ``k`` to ``last`` of one block, its first time (F.2.2.2, G.2.2)."""
        if self.run:
            self.run -= 1
            return
        words, symbols, lengths, at = self.words, ac.symbols, ac.lengths, self.at
        while k <= last:
            window = words[at >> 3] >> 8 - (at & 7) & 0xFFFF
            symbol = symbols[window]
            at += lengths[window]
            size, zeros = symbol & 15, symbol >> 4
            if symbol < 0:
                raise damaged("its coded data makes no sense")
            if size:
                k += zeros
                raw = (words[at >> 3] >> 8 - (at & 7) & 0xFFFF) >> 16 - size
                at += size
                value = raw if raw >> size - 1 else raw - (1 << size) + 1
                if k > last:
                    raise damaged("its coded data makes no sense")
                store[base + k] = value << low
                k += 1
            elif zeros == 15:  # noqa: PLR2004 - sixteen zeros
                k += 16
            else:
                self.at = at
                self.run = (1 << zeros) - 1 + self._take(zeros)
                return
        self.at = at

    def _refine(
        self, store: "array[int]", base: int, k: int, last: int, low: int, ac: Lookup
    ) -> None:
        """Read one more bit of coefficients that are there, and new ones (G.1.2.3)."""
        bit = 1 << low
        while k <= last and not self.run:
            symbol = self._symbol(ac)
            size, zeros = symbol & 15, symbol >> 4
            value = 0
            if size:
                value = bit if self._take(1) else -bit
            elif zeros < 15:  # noqa: PLR2004 - an end-of-band run
                self.run = (1 << zeros) + self._take(zeros)
                break
            k = self._pass(store, base, k, last, zeros, bit)
            if value:
                if k > last:
                    raise damaged("its coded data makes no sense")
                store[base + k] = value
            k += 1
        if self.run:
            self._pass(store, base, k, last, -1, bit)
            self.run -= 1

    def _pass(self, store: "array[int]", base: int, k: int, last: int, zeros: int, bit: int) -> int:
        """Pass over coefficients, correcting those that are there, up to the wanted zero."""
        while k <= last:
            value = store[base + k]
            if value:
                if self._take(1) and not abs(value) & bit:
                    store[base + k] = value + bit if value > 0 else value - bit
            else:
                if not zeros:
                    break
                zeros -= 1
            k += 1
        return k


def _lookup(scan: Scan, kind: int, slot: int) -> Lookup | None:
    table = scan.tables.get((kind, slot))
    return None if table is None else coefficient_lookup(table)


def _addresses(jpeg: Jpeg, scan: Scan, widths: list[int]) -> tuple[list[int], list[int]]:
    """Return place in the scan, and where its first coefficient lies, of each block in order."""
    if len(scan.components) == 1:
        index = scan.components[0][0]
        rows, columns = jpeg.blocks(index)
        where = np.arange(rows)[:, None] * widths[index] + np.arange(columns)[None, :]
        return [0] * (rows * columns), (where.reshape(-1) * 64).tolist()
    down, across = jpeg.units
    places, parts = [], []
    for place, (index, _, _) in enumerate(scan.components):
        one = jpeg.components[index]
        y = np.arange(down)[:, None, None, None] * one.v + np.arange(one.v)[None, None, :, None]
        x = np.arange(across)[None, :, None, None] * one.h + np.arange(one.h)[None, None, None, :]
        parts.append((y * widths[index] + x).reshape(down * across, -1))
        places += [place] * (one.h * one.v)
    offsets = np.concatenate(parts, axis=1).reshape(-1) * 64
    return places * (down * across), offsets.tolist()


# --- writing ----------------------------------------------------------------------------------


def _write(jpeg: Jpeg, found: list[NDArray[np.int16]]) -> bytes:
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
    several = len(group) > 1
    scan = Scan(tuple((index, 0, 0) for index in group), (0, 63), (0, 0), 0, 0, 0, {}, 0)
    widths = [jpeg.units[1] * (one.h if len(jpeg.components) > 1 else 1) for one in jpeg.components]
    order, offsets = _addresses(jpeg, scan, widths)
    places, rows = np.array(order), np.array(offsets) // 64
    blocks = np.empty((len(order), 64), np.int16)
    for place, index in enumerate(group):
        blocks[places == place] = found[index][rows[places == place]]
    colour = (np.array(group)[places] > 0) & several  # brightness and colour have tables apart
    events = _Events(blocks, places, colour.astype(np.int64))
    tables = events.tables()
    head = bytes((len(group),))
    for index in group:
        slot = 1 if several and index else 0
        head += bytes((jpeg.components[index].ident, slot * 17))
    head += b"\0\x3f\0"
    segments = [
        table.segment(number & 1, number >> 1)
        for number, table in enumerate(tables)
        if table is not None
    ]
    sos = b"\xff\xda" + (len(head) + 2).to_bytes(2, "big") + head
    return [*segments, sos, events.coded(tables)]


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

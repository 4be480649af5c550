"""All coefficients of a JPEG, decoded and coded again in one sequential pass.

For progressive streams, tables that have no room for a code a mask needs, and MCUs of which a part
stays; what no mask touches is unchanged. Source: ITU-T T.81 F.2.2 (sequential), G.1.2 and G.2
(progressive).
"""

from array import array
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from safelight.deid.pixels.huffman import Lookup, coefficient_lookup
from safelight.deid.pixels.jpegparts import Jpeg, Scan
from safelight.deid.pixels.jpegread import addresses, damaged, plan_of, words_of
from safelight.deid.pixels.jpegspared import Spared, redrawn
from safelight.deid.pixels.jpegwriter import written
from safelight.errors import NeedsReviewError

__all__ = ["write_anew"]

Ints = NDArray[np.int64]
Mask = NDArray[np.bool_]
_LARGEST: Final = 1 << 27  # coefficients


def write_anew(jpeg: Jpeg, units: Mask, levels: list[Ints], stays: Spared | None = None) -> bytes:
    """Return the stream as one sequential scan a component group, with touched MCUs flat.

    Args:
        jpeg: The parts.
        units: MCUs to be masked, shape as ``jpeg.units``.
        levels: For each component the DC value of each MCU if it is masked.
        stays: What of them is not made flat.

    Raises:
        UnreadableInputError: The coded data is damaged.
        NeedsReviewError: It is too large to be decoded whole, or no single scan can hold it.
    """
    if jpeg.requantised:
        raise NeedsReviewError("a JPEG whose quantisation tables change between its scans")
    found = _Coefficients(jpeg).read()
    down, across = jpeg.units
    for index, one in enumerate(jpeg.components):
        h, v = (one.h, one.v) if len(jpeg.components) > 1 else (1, 1)
        # rows of MCUs, rows in one, columns of MCUs, columns in one
        blocks = found[index].reshape(down * v, across * h, 64)
        kept = redrawn(jpeg, index, blocks, units, stays) if stays else None
        grid = blocks.reshape(down, v, across, h, 64).transpose(0, 2, 1, 3, 4)
        flat = np.zeros(grid.shape[2:], np.int16)
        for y, x in np.argwhere(units).tolist():
            flat[..., 0] = levels[index][y, x]
            grid[y, x] = flat
        if kept is not None:
            blocks[kept[0]] = kept[1]
    return written(jpeg, found)


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
        order, offsets = addresses(self.jpeg, scan, [columns for _, columns in self.sizes])
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

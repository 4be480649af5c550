"""Where the blocks of a sequential JPEG scan start, found without decoding (ITU-T T.81 F.2)."""

from array import array
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from safelight.deid.pixels.huffman import ADVANCE, BITS, END, INVALID, Lookup
from safelight.deid.pixels.jpegparts import Jpeg, Scan
from safelight.errors import UnreadableInputError

__all__ = ["Plan", "addresses", "damaged", "differences", "plan_of", "positions", "words_of"]

_LAST: Final = 64
_SLACK: Final = 4096  # bytes: ten blocks of no more than 64 symbols of 31 bits

Ints = NDArray[np.int64]


@dataclass(slots=True)
class Plan:
    """The blocks of one scan in the order they are coded.

    Attributes:
        order: For each block of an MCU of this scan, the place of its component in the scan.
        owner: MCU of the frame that each block belongs to, flat, in coding order.
        each: Blocks of one MCU.
        count: MCUs.
    """

    order: tuple[int, ...]
    owner: Ints
    each: int
    count: int


def plan_of(jpeg: Jpeg, scan: Scan) -> Plan:
    """Return the order of a scan's blocks (A.2)."""
    rows, columns = jpeg.units
    if len(scan.components) > 1:
        order = tuple(
            place
            for place, (index, _, _) in enumerate(scan.components)
            for _ in range(jpeg.components[index].h * jpeg.components[index].v)
        )
        owner = np.repeat(np.arange(rows * columns), len(order))
        return Plan(order, owner, len(order), rows * columns)
    index = scan.components[0][0]
    down, across = jpeg.blocks(index)
    one = jpeg.components[index]
    h, v = (one.h, one.v) if len(jpeg.components) > 1 else (1, 1)
    owner = (np.arange(down)[:, None] // v) * columns + np.arange(across)[None, :] // h
    return Plan((0,), owner.reshape(-1), 1, down * across)


def damaged(what: str) -> UnreadableInputError:
    """Return the error for a stream that cannot be followed."""
    return UnreadableInputError(f"a JPEG stream is damaged: {what}")


def words_of(coded: bytes) -> "array[int]":
    """Return the 24 bits from each byte on."""
    padded = np.frombuffer(coded + b"\xff" * _SLACK, np.uint8).astype(np.uint32)
    return array("I", (padded[:-2] << 16 | padded[1:-1] << 8 | padded[2:]).tobytes())


def positions(
    coded: bytes, lookups: list[tuple[Lookup, Lookup]], order: Sequence[int], count: int
) -> Ints:
    """Return the bit where each block starts, and where the last one ends.

    Raises:
        UnreadableInputError: The data is no coded data, or ends too early.
    """
    words, size = words_of(coded), 8 * len(coded)
    plan = [(lookups[n][0].one, lookups[n][1].many, lookups[n][1].one) for n in order]
    starts: list[int] = []
    note, at = starts.append, 0
    for _ in range(count):
        for dc, many, one in plan:
            note(at)
            step = dc[words[at >> 3] >> 8 - (at & 7) & 0xFFFF]
            at += step & BITS
            begin, k = at, 1 + (step >> ADVANCE)
            while k < _LAST:
                step = many[words[at >> 3] >> 8 - (at & 7) & 0xFFFF]
                at += step & BITS
                k += step >> ADVANCE
            if k != _LAST and not END <= k < END + _LAST:
                at = _slowly(words, begin, one, k)
        if at > size:
            raise damaged("it ends inside its pixels")
    note(at)
    return np.array(starts, np.int64)


def _slowly(words: "array[int]", at: int, one: list[int], reached: int) -> int:
    """Pass one block symbol by symbol: it is full, and what follows is the next block's."""
    k = 1 if reached < INVALID else reached
    while k < _LAST:
        step = one[words[at >> 3] >> 8 - (at & 7) & 0xFFFF]
        at += step & BITS
        k += step >> ADVANCE
    if k != _LAST and not END <= k < END + _LAST:
        raise damaged("its coded data makes no sense")
    return at


def differences(
    coded: bytes, starts: Ints, places: Ints, lookups: list[tuple[Lookup, Lookup]]
) -> tuple[Ints, Ints]:
    """Return bits and value of each block's DC difference (F.2.2.1)."""
    padded = np.frombuffer(coded + b"\xff" * 8, np.uint8).astype(np.int64)
    first = starts >> 3
    wide = np.zeros(len(starts), np.int64)
    for n in range(5):
        wide = wide << 8 | padded[first + n]
    wide = wide << (starts & 7) & ((1 << 40) - 1)
    window = wide >> 24
    symbols = np.array([dc.symbols for dc, _ in lookups], np.int64)[places, window]
    lengths = np.array([dc.lengths for dc, _ in lookups], np.int64)[places, window]
    raw = (wide >> (40 - lengths - symbols)) & ((1 << symbols) - 1)
    low = (symbols > 0) & (raw < (1 << np.maximum(symbols - 1, 0)))
    return lengths + symbols, np.where(low, raw - (1 << symbols) + 1, raw)


def addresses(jpeg: Jpeg, scan: Scan, widths: list[int]) -> tuple[list[int], list[int]]:
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

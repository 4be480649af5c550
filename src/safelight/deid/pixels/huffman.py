"""Huffman tables of JPEG: read by windows of 16 bits, extended, or made for given counts.

Source: ITU-T T.81 annexes C (codes), F.1.2 and F.2.2 (coefficients), K.2 (making a table).
"""

import heapq
from dataclasses import dataclass
from functools import lru_cache
from typing import Final

import numpy as np
from numpy.typing import NDArray

from safelight.errors import NeedsReviewError

__all__ = [
    "ADVANCE",
    "BITS",
    "END",
    "INVALID",
    "Lookup",
    "Table",
    "ac_lookup",
    "coefficient_lookup",
    "dc_lookup",
    "extended",
    "made_for",
]

LONGEST: Final = 16
_WINDOWS: Final = 1 << LONGEST
BITS: Final = 63  # of an entry: the low six bits tell how many bits of the stream it takes
ADVANCE: Final = 6  # above them: by how many coefficients it goes on
END: Final = 128  # ... or that the block ends here
INVALID: Final = 1024  # ... or that no code begins so
_ZRL: Final = 0xF0
_ROUNDS: Final = 6

Ints = NDArray[np.int32]


@dataclass(frozen=True, slots=True)
class Table:
    """One table as DHT holds it.

    Attributes:
        counts: How many codes there are of 1 to 16 bits.
        symbols: The symbols in the order of their codes.
    """

    counts: tuple[int, ...]
    symbols: bytes

    def codes(self) -> dict[int, str]:
        """Return the code of each symbol as a string of zeros and ones."""
        found: dict[int, str] = {}
        code = at = 0
        for length, count in enumerate(self.counts, 1):
            for symbol in self.symbols[at : at + count]:
                found.setdefault(symbol, f"{code:0{length}b}")
                code += 1
            at += count
            code <<= 1
        return found

    def segment(self, kind: int, slot: int) -> bytes:
        """Return a DHT segment that defines this table; ``kind`` is 0 for DC and 1 for AC."""
        body = bytes((kind << 4 | slot, *self.counts)) + self.symbols
        return b"\xff\xc4" + (len(body) + 2).to_bytes(2, "big") + body


@dataclass(frozen=True, slots=True)
class Lookup:
    """What a window of the next 16 bits says. Built once a table.

    Attributes:
        symbols: The symbol whose code the window begins with; -1 when none.
        lengths: Bits of that code.
        one: Entries of a single symbol, packed as ``BITS`` and ``ADVANCE`` say.
        many: Entries of as many symbols as fit the window.
    """

    symbols: list[int]
    lengths: list[int]
    one: list[int]
    many: list[int]


def _windows(table: Table) -> tuple[Ints, Ints]:
    """Return symbol and code length for each window; -1 and 0 where no code begins so."""
    symbols, lengths = np.full(_WINDOWS, -1, np.int32), np.zeros(_WINDOWS, np.int32)
    at = first = 0
    for length, count in enumerate(table.counts, 1):
        span = 1 << (LONGEST - length)
        if at + count * span > _WINDOWS or first + count > len(table.symbols):
            raise NeedsReviewError("a table of a JPEG frame is malformed")
        found = np.frombuffer(table.symbols, np.uint8)[first : first + count].astype(np.int32)
        symbols[at : at + count * span] = np.repeat(found, span)
        lengths[at : at + count * span] = length
        at += count * span
        first += count
    return symbols, lengths


@lru_cache(maxsize=64)
def coefficient_lookup(table: Table) -> Lookup:
    """Return symbols and lengths of codes alone."""
    symbols, lengths = _windows(table)
    return Lookup(symbols.tolist(), lengths.tolist(), [], [])


@lru_cache(maxsize=64)
def dc_lookup(table: Table) -> Lookup:
    """Return how DC differences are passed: their code and the bits behind it."""
    symbols, lengths = _windows(table)
    wrong = (symbols < 0) | (symbols > 15)  # noqa: PLR2004 - T.81 F.1.2.1.1 and H.1.2.2
    entries = np.where(wrong, INVALID << ADVANCE, lengths + symbols)
    packed = entries.tolist()
    return Lookup(symbols.tolist(), lengths.tolist(), packed, packed)


@lru_cache(maxsize=64)
def ac_lookup(table: Table) -> Lookup:
    """Return how AC coefficients of sequential scans are passed, one or several at a time."""
    symbols, lengths = _windows(table)
    run, size = symbols >> 4, symbols & 15
    step = np.where(symbols == 0, END, run + 1)
    wrong = (symbols < 0) | ((size == 0) & (symbols != 0) & (symbols != _ZRL))
    step = np.where(wrong, INVALID, step)
    bits = np.where(wrong, 0, lengths + size)
    one = bits | step << ADVANCE
    window = np.arange(_WINDOWS, dtype=np.int32)
    for _ in range(_ROUNDS):
        shifted = (window << np.minimum(bits, LONGEST)) & (_WINDOWS - 1)
        following = one[shifted]
        extra = following & BITS
        fits = (step < END) & (following >> ADVANCE < INVALID) & (bits + extra <= LONGEST)
        if not fits.any():
            break
        bits = np.where(fits, bits + extra, bits)
        step = np.where(fits, step + (following >> ADVANCE), step)
    many = bits | step << ADVANCE
    return Lookup(symbols.tolist(), lengths.tolist(), one.tolist(), many.tolist())


def extended(table: Table, wanted: set[int]) -> Table | None:
    """Return the table with more symbols and no code changed; None when there is no room.

    The code of ones alone is reserved (T.81 C.2): below it longer codes can be hung.
    """
    missing = sorted(wanted - set(table.symbols))
    if not missing:
        return table
    counts, free, last = list(table.counts), 0, 0
    for length, count in enumerate(counts, 1):
        free = (free if length > 1 else 1) * 2 - count
        last = length if count else last
    # codes of 16 bits that are left, less the one that is all ones
    if not last or free - 1 < len(missing):
        return None
    counts[LONGEST - 1] += len(missing)
    return Table(tuple(counts), table.symbols + bytes(missing))


def made_for(counts: dict[int, int]) -> Table:
    """Return a good table for symbols that occur so often; no code longer than 16 bits (K.2)."""
    heap: list[tuple[int, int, tuple[int, ...]]] = [
        (number, symbol, (symbol,)) for symbol, number in counts.items() if number
    ]
    heap.append((0, 256, (256,)))  # takes the code of ones alone
    lengths = dict.fromkeys((symbol for _, symbol, _ in heap), 0)
    heapq.heapify(heap)
    if len(heap) == 1:
        heap.append((0, 0, (0,)))
        lengths[0] = 0
    while len(heap) > 1:
        few, low, left = heapq.heappop(heap)
        more, high, right = heapq.heappop(heap)
        for symbol in left + right:
            lengths[symbol] += 1
        heapq.heappush(heap, (few + more, max(low, high), left + right))
    sizes = [0] * 300
    for length in lengths.values():
        sizes[length] += 1
    for length in range(299, LONGEST, -1):  # K.2, figure K.3
        while sizes[length]:
            shorter = length - 2
            while not sizes[shorter]:
                shorter -= 1
            sizes[length] -= 2
            sizes[length - 1] += 1
            sizes[shorter + 1] += 2
            sizes[shorter] -= 1
    longest = max(length for length in range(1, LONGEST + 1) if sizes[length])
    sizes[longest] -= 1
    del lengths[256]
    ordered = sorted(lengths, key=lambda symbol: (lengths[symbol], symbol))
    return Table(tuple(sizes[1 : LONGEST + 1]), bytes(ordered))

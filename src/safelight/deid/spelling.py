"""Whether numbers spell text: names and identifiers can lie in any element that holds bytes."""

import math
import re
import struct
from collections import Counter
from itertools import pairwise
from typing import Final

__all__ = ["spells"]

_SPELLED: Final = re.compile(rb"[A-Za-z][A-Za-z^ .,'-]{5,}|\d{6,}")
_SHORT: Final = 64  # bytes: longer runs of numbers are tables, not single values
_SHORTEST: Final = 6  # letters or digits that are text in a short value
_UNLIKELY: Final = 1e-4  # chance that bytes without any order spell somewhere in a table
_SIGNS: Final = 59 / 256  # of all bytes stand in text
_DIFFERENT: Final = 4
_STEP: Final = 4  # of a byte to its neighbour: samples and colours go on like that
_FEW: Final = 12  # letters: what every other byte does is told by six of them
_UNEQUAL: Final = 2  # of the steps of a short ramp, which are rounded
_STEADY: Final = 0.75  # of the neighbours
_FLOATS: Final = {b"FL": 4, b"OF": 4, b"FD": 8, b"OD": 8}
_PLAUSIBLE: Final = {4: (1e-6, 1e7), 8: (1e-12, 2.0**52)}  # sizes of what is measured
_MANY: Final = 64  # floating point numbers: so many tell of which size the others are
_NEAR: Final = 0.9  # of them share their size
_BAND: Final = 3  # exponents, times two, to either side


def spells(raw: bytes, vr: bytes = b"", *, big: bool = False) -> bool:
    """Tell whether text stands in numbers: a run of letters or digits that is no numeric pattern.

    Palettes, look-up tables and samples climb, fall or go on in small steps, byte by byte or in
    every other byte; that is no text. In long tables short runs occur by chance, so there a run
    must be longer. Letters in a floating point number are its fraction as long as the number is of
    a size that is measured, or of the size of its neighbours: ``Jane`` would be 7e22.

    Args:
        raw: The encoded value.
        vr: Its value representation; empty where not known.
        big: The numbers are big endian.
    """
    least = _SHORTEST
    if len(raw) > _SHORT:
        least = max(8, math.ceil(math.log(_UNLIKELY / len(raw)) / math.log(_SIGNS)))
    size = _FLOATS.get(vr, 0)
    band: tuple[int, int] | None = None
    for match in _SPELLED.finditer(raw):
        run = match.group()
        if len(run) < least or len(set(run)) < _DIFFERENT or _goes_on(run):
            continue
        if not size or run.isdigit():
            return True
        band = band or _band(raw, size, big=big)
        if not _measured(raw, match.start(), match.end(), size, band, big=big):
            return True
    return False


def _goes_on(run: bytes) -> bool:
    """Tell whether bytes, or every other of them, climb, fall or change little by little."""
    halves = (run[::2], run[1::2])
    if len(run) < _FEW:  # so short that letters are in order by chance
        return _even(run) or all(map(_stepped, halves))
    return _even(run) or all(map(_even, halves))


def _stepped(run: bytes) -> bool:
    """Tell whether bytes go on in equal steps."""
    steps = [other - one for one, other in pairwise(run)]
    return max(steps) - min(steps) <= _UNEQUAL


def _even(run: bytes) -> bool:
    ordered = sorted(run)
    if ordered in (list(run), list(run)[::-1]):
        return True
    near = sum(abs(one - other) <= _STEP for one, other in pairwise(run))
    return near >= _STEADY * (len(run) - 1)


def _band(raw: bytes, size: int, *, big: bool) -> tuple[int, int]:
    """Return the first bytes, without their sign, that most numbers of a table have; else none."""
    first = raw[0::size] if big else raw[size - 1 :: size]
    if len(first) >= _MANY:
        count = Counter(each & 0x7F for each in first)
        most = max(count, key=lambda each: count[each])
        low, high = most - _BAND, most + _BAND
        if sum(number for each, number in count.items() if low <= each <= high) > _NEAR * len(
            first
        ):
            return low, high
    return 1, 0


def _measured(
    raw: bytes, start: int, stop: int, size: int, band: tuple[int, int], *, big: bool
) -> bool:
    """Tell whether all numbers that a run of letters touches are of a size that is measured."""
    form = (">" if big else "<") + ("f" if size == 4 else "d")  # noqa: PLR2004  # bytes of a float
    least, most = _PLAUSIBLE[size]
    for at in range(start // size * size, min(stop, len(raw) // size * size), size):
        first = raw[at if big else at + size - 1] & 0x7F
        (number,) = struct.unpack_from(form, raw, at)
        if not (number == 0 or least <= abs(number) <= most or band[0] <= first <= band[1]):
            return False
    return True

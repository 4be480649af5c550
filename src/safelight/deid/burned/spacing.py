"""How far a mask reaches: past the ends of a line, more where letters are spread, up to a mark."""

from collections.abc import Sequence
from dataclasses import replace
from typing import Final

from safelight.deid.burned.sight import Candidate
from safelight.deid.burned.strip import Strip

__all__ = ["NEXT", "PAD", "PIXELS", "padded", "pitch"]

NEXT: Final = 3.0  # letters' widths, where letters are spread
PAD: Final = 0.2  # of a line's height, across
PIXELS: Final = 1.5

_READ: Final = 0.8
_SEVERAL: Final = 2
_SPREAD: Final = 0.85  # of the height; letters of one width come near it
_MOST: Final = 3.0
_ENDS: Final = 0.35  # of a line's height, along
_OVERLAPS: Final = 0.3  # of the lower line's height


def pitch(candidate: Candidate) -> float:
    """Return the pixels from one letter to the next where letters are spread; 0 where not.

    Args:
        candidate: A line; letters less than 0.85 of its height from one to the next are not spread.
    """
    reading, strip = candidate.reading, candidate.strip
    letters = 0 if reading is None else sum(not char.isspace() for char in reading.text)
    if reading is None or reading.sure < _READ or letters < _SEVERAL:
        return 0.0
    step = strip.length / letters
    return min(step, _MOST * strip.height) if step >= _SPREAD * strip.height else 0.0


def padded(strip: Strip, kept: Sequence[Strip] = (), step: float = 0.0) -> Strip:
    """Return the strip as it is masked: with a margin for what its threshold cut off.

    Args:
        strip: Around the ink that was seen.
        kept: Proven marks; the margin gives way where it would cut into one.
        step: Pixels from letter to letter where they are spread: lone letters beyond the ends are
            easily missed.
    """
    across = min(strip.height, strip.length)
    whole = strip.padded(max(_ENDS * across, NEXT * step) + PIXELS, PAD * across + PIXELS)
    if step and any(_meet(whole, mark) for mark in kept):
        return padded(strip, kept)
    if any(_meet(whole, mark) for mark in kept):
        return _halfway(
            strip, strip.padded(_ENDS * across / 2, PAD * across / 3 + PIXELS / 2), kept
        )
    return whole


def _halfway(strip: Strip, wide: Strip, kept: Sequence[Strip]) -> Strip:
    """Return a level mask cut where it would run into a mark right above or below its line.

    The cut is halfway between the two, however little they overlap: what a threshold says of
    where their ink ends is a pixel or two too far in both.
    """
    if strip.angle:
        return wide
    _, top, _, bottom = strip.bounds()
    first, last = wide.bounds()[1::2]
    for mark in kept:
        a = mark.bounds()
        if not _meet(wide, mark):
            continue
        most = _OVERLAPS * min(strip.height, a[3] - a[1])
        if abs(a[3] - top) <= most:
            first = max(first, (a[3] + top) / 2)
        elif abs(a[1] - bottom) <= most:
            last = min(last, (a[1] + bottom) / 2)
    return replace(wide, y=(first + last) / 2, height=last - first)


def _meet(one: Strip, other: Strip) -> bool:
    a, b = one.bounds(), other.bounds()
    return min(a[2], b[2]) > max(a[0], b[0]) and min(a[3], b[3]) > max(a[1], b[1])

"""What a mark's line holds beyond the letters that were read: the proof does not reach that far.

A line is joined from pieces that stand side by side. Where its reading ends long before the line
does, what follows is something else, such as initials written up the edge of a film. Only what was
read may stay.
"""

from dataclasses import replace
from typing import Final

from safelight.deid.burned.read import MARGIN, Reading
from safelight.deid.burned.strip import Strip

__all__ = ["explained"]

_FAR: Final = 1.5  # heights from the middle of the last letter to the end of the line
_LETTER: Final = 1.0  # heights from a letter's middle to where it ends for certain


def explained(strip: Strip, reading: Reading) -> tuple[Strip, list[Strip]]:
    """Return the part of a line that its reading explains, and the parts beyond its ends.

    Args:
        strip: The line.
        reading: What it says, and where in it.
    """
    if reading.turn % 180:
        return strip, []  # read across: such a strip is hardly longer than high
    margin = MARGIN * strip.height + 1
    whole = strip.length + 2 * margin
    first, last = reading.start * whole - margin, reading.stop * whole - margin
    if reading.turn:
        first, last = strip.length - last, strip.length - first
    start, stop, beyond = 0.0, strip.length, list[Strip]()
    if first > _FAR * strip.height:
        start = first - _LETTER * strip.height
        beyond.append(_between(strip, 0.0, start))
    if strip.length - last > _FAR * strip.height:
        stop = last + _LETTER * strip.height
        beyond.append(_between(strip, stop, strip.length))
    return _between(strip, start, stop), beyond


def _between(strip: Strip, low: float, high: float) -> Strip:
    """Return the part of a strip between two distances from its start."""
    ux, uy = strip.along
    middle = (low + high - strip.length) / 2
    return replace(strip, x=strip.x + ux * middle, y=strip.y + uy * middle, length=high - low)

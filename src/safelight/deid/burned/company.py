"""What stands beside what: finds believed for their neighbours, and finds that are the same."""

from collections.abc import Sequence
from dataclasses import replace
from typing import Final

from safelight.deid.burned.sight import Candidate
from safelight.deid.burned.strip import Strip

__all__ = ["apart", "distinct", "in_company"]

_CLEARLY: Final = 0.85
_UNLIKE: Final = 1.6
_TURNED: Final = 10
_FOLLOWS: Final = 2.0
_BELOW: Final = 0.9
_LIKE: Final = 0.7


def in_company(found: Sequence[Candidate]) -> list[Candidate]:
    """Take weak finds for writing that stand in a line or a block with text that was read."""
    clear = [
        one.strip
        for one in found
        if not one.weak and one.reading is not None and one.reading.sure >= _CLEARLY
    ]
    return [
        replace(one, weak=False)
        if one.weak and any(_beside(one.strip, strip) for strip in clear)
        else one
        for one in found
    ]


def _beside(one: Strip, other: Strip) -> bool:
    """Tell whether two lines of like height follow each other or stand one below the other."""
    tall, short = max(one.height, other.height), min(one.height, other.height)
    if tall > _UNLIKE * short or abs((one.angle - other.angle + 90) % 180 - 90) > _TURNED:
        return False
    a, b = one.bounds(), other.bounds()
    across = max(a[0], b[0]) - min(a[2], b[2])
    down = max(a[1], b[1]) - min(a[3], b[3])
    return (down < 0 and across <= _FOLLOWS * tall) or (across < 0 and down <= _BELOW * tall)


def apart(one: Strip, other: Strip) -> bool:
    """Tell whether the upright rectangles around two strips have nothing in common."""
    a, b = one.bounds(), other.bounds()
    return a[0] > b[2] or b[0] > a[2] or a[1] > b[3] or b[1] > a[3]


def distinct(found: Sequence[Candidate]) -> tuple[Candidate, ...]:
    """Leave out what another candidate of its kind covers already, the surer reading kept.

    What was confirmed once stays so.
    """
    out: list[Candidate] = []
    for one in sorted(found, key=lambda c: -(c.reading.sure if c.reading else c.score)):
        for place, other in enumerate(out):
            if one.sort is other.sort and _same(one.strip, other.strip):
                whole = _wider(other.strip, one.strip)
                out[place] = replace(other, strip=whole, weak=other.weak and one.weak)
                break
        else:
            out.append(one)
    return tuple(out)


def _same(one: Strip, other: Strip) -> bool:
    near = abs(one.x - other.x) + abs(one.y - other.y) < _LIKE * min(one.height, other.height)
    return near and _LIKE < one.length / other.length < 1 / _LIKE


def _wider(one: Strip, other: Strip) -> Strip:
    """Return the first strip, as long and high as the larger of both."""
    return replace(one, length=max(one.length, other.length), height=max(one.height, other.height))

"""What stands beside what: finds believed for their neighbours, and finds that are the same."""

from collections.abc import Sequence
from dataclasses import replace
from typing import Final

from safelight.deid.burned.grammar import parse
from safelight.deid.burned.sight import Candidate
from safelight.deid.burned.strip import Strip

__all__ = ["apart", "distinct", "in_company"]

_CLEARLY: Final = 0.85
_UNLIKE: Final = 1.6
_TURNED: Final = 10
_FOLLOWS: Final = 2.0
_BELOW: Final = 0.9
_LIKE: Final = 0.7
_LEAST: Final = 0.2  # of a mark's height
_LIKE_WIDE: Final = 2.0
_LAPS: Final = 0.3
_UNDER: Final = 0.5
_ROOM: Final = 0.35


def in_company(found: Sequence[Candidate]) -> list[Candidate]:
    """Take weak finds for writing that stand in a line or a block with text that was read.

    Right above or below a laterality mark smaller ones are as well: there the markers of a film
    bear the initials of who took it.
    """
    clear, sides = list[Strip](), list[Strip]()
    for one in found:
        if one.weak or one.reading is None or one.reading.sure < _CLEARLY:
            continue
        clear.append(one.strip)
        mark = parse(one.reading.text)
        if mark is not None and mark.kind == "laterality":
            sides.append(one.strip)
    return [_believed(one, clear, sides) if one.weak else one for one in found]


def _believed(one: Candidate, clear: Sequence[Strip], sides: Sequence[Strip]) -> Candidate:
    """Return a weak find as what it is beside lines that were read."""
    if any(_beside(one.strip, strip) for strip in clear):
        return replace(one, weak=False)
    for strip in sides:
        if _signs(one.strip, strip):  # of faint letters only a part may have been seen
            room = _ROOM * strip.height
            return replace(one, weak=False, strip=one.strip.padded(room, room))
    return one


def _signs(one: Strip, mark: Strip) -> bool:
    """Tell whether a strip stands right above or below a mark and is no larger than it."""
    a, b = one.bounds(), mark.bounds()
    wide, high = b[2] - b[0], b[3] - b[1]
    across = min(a[2], b[2]) - max(a[0], b[0])
    down = max(a[1], b[1]) - min(a[3], b[3])
    small = _LEAST * high <= a[3] - a[1] <= high and a[2] - a[0] <= _LIKE_WIDE * wide
    return small and across > 0 and -_LAPS * (a[3] - a[1]) <= down <= _UNDER * high


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

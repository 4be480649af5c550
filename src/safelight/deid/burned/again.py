"""Tell a mark that was found twice, whole or in pieces, from something that stands beside it."""

from collections.abc import Sequence
from typing import Final

from safelight.deid.burned.sight import Candidate, Sort
from safelight.deid.burned.strip import Strip

__all__ = ["no_neighbour", "part", "turns"]

_INSIDE: Final = 0.85
_TALLER: Final = 1.25
_MOSTLY: Final = 0.6
_ASKEW: Final = 1.6
_ABOUT: Final = 0.3  # of a mark's height: no letter has room there
_NEARLY: Final = 0.95
_SEVERAL: Final = 2

# No letter or digit looks like these when turned: an L is a 7 upside down, OBL is 780.
_ONE_WAY: Final = frozenset("AKPR")


def part(one: Candidate, proven: Sequence[Candidate]) -> bool:
    """Tell whether nearly all of a find lies in a proven line of about its height.

    Most of it is enough where its letters are among the line's: it is a piece seen askew. Bold
    letters have steep edges and look like a bar code, several of them that were read are none.
    """
    if one.sort is Sort.CODE:
        return False
    strip = one.strip
    for other in proven:
        if one.sort is Sort.PATTERN and len(_said(other)) < _SEVERAL:
            continue
        same = _said(one) != "" and _said(one) in _said(other)
        inside, taller = (_MOSTLY, _ASKEW) if same else (_INSIDE, _TALLER)
        low = min(strip.height, strip.length) <= taller * other.strip.height
        if low and _share(strip, other.strip.padded(1, 1)) >= inside:
            return True
    return False


def no_neighbour(one: Candidate, mark: Candidate) -> bool:
    """Tell whether a weak find says nothing against a mark.

    It was so unlikely that nobody tried to read it, or it is the mark itself: most of it on the
    mark and none far from it. Whatever the mark could be a piece of has a letter beside it.
    """
    if not one.weak or one.sort is not Sort.TEXT:
        return False
    if one.reading is None:
        return True
    room = _ABOUT * min(mark.strip.height, mark.strip.length)
    if _share(one.strip, mark.strip.padded(room, room)) < _NEARLY:
        return False
    return _share(one.strip, mark.strip) >= _MOSTLY or _share(mark.strip, one.strip) >= _INSIDE


def turns(text: str) -> bool:
    """Tell whether a short text may be another one that was read turned."""
    return len(text) < _SEVERAL or not _ONE_WAY & set(text)


def _share(one: Strip, other: Strip) -> float:
    """Return how much of the upright rectangle around a strip lies in that around another."""
    a, b = one.bounds(), other.bounds()
    width, height = min(a[2], b[2]) - max(a[0], b[0]), min(a[3], b[3]) - max(a[1], b[1])
    if min(width, height) <= 0:
        return 0.0
    return width * height / ((a[2] - a[0]) * (a[3] - a[1]))


def _said(one: Candidate) -> str:
    return "" if one.reading is None else "".join(filter(str.isalnum, one.reading.text.upper()))

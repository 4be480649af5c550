"""Join pieces of writing into lines, and make each line whole to its faint ends."""

import math
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import cv2
import numpy as np
from scipy.spatial import cKDTree

from safelight.deid.burned.find import Levels, Piece
from safelight.deid.burned.strip import Floats, Strip

__all__ = ["Line", "completed", "join"]

_GAP: Final = 1.15
_OVERLAP: Final = 0.45
_UNLIKE: Final = 2.8
_REACH: Final = 1.6
_SLENDER: Final = 2.0
_ENDS: Final = 1.8
_FURTHEST: Final = 70.0
_HOLE: Final = 0.7
_ENOUGH: Final = 0.2
_ROWS: Final = 16
_TURNED: Final = 20
_SQUARE: Final = 1.5
_TIGHT: Final = 0.8
_LIKE: Final = 0.6
_TALLER: Final = 1.7
_FILLED: Final = 0.3
_LETTER: Final = 64
_ROW: Final = 0.5
_PAIR: Final = 2
_SPECK: Final = 0.1


@dataclass(frozen=True, slots=True, kw_only=True)
class Line:
    """One line of writing, or one letter that stands alone.

    Attributes:
        strip: The rectangle around its ink, without padding.
        peak: Greatest probability in it.
        area: Pixels of ink.
        count: Pieces that were joined.
    """

    strip: Strip
    peak: float
    area: int
    count: int


def join(found: Sequence[Piece], levels: Levels) -> list[Line]:
    """Return the lines: pieces that stand side by side at like heights; weak ones only beside."""
    if not found:
        return []
    owner = list(range(len(found)))

    def root(place: int) -> int:
        while owner[place] != place:
            owner[place] = owner[owner[place]]
            place = owner[place]
        return place

    pairs = _neighbours(found)
    for left, right in pairs:
        if root(left) != root(right) and (
            _belong(found[left], found[right]) or _one_letter(found[left], found[right])
        ):
            owner[root(left)] = root(right)
    sizes = Counter(root(place) for place in range(len(found)))
    single = [sizes[root(place)] == 1 for place in range(len(found))]
    for left, right in pairs:
        if single[left] and single[right] and _stacked(found[left], found[right]):
            owner[root(left)] = root(right)
    groups: dict[int, list[Piece]] = {}
    for place, piece in enumerate(found):
        groups.setdefault(root(place), []).append(piece)
    out = []
    for group in groups.values():
        peak = max(piece.peak for piece in group)
        if peak < levels.high:
            continue
        line = _line(group, peak)
        if _straight(line, group):
            out.append(line)
        else:  # not one line: noise, or several lines that touch
            out += [_line([piece], piece.peak) for piece in group if piece.peak >= levels.faint]
    return out


def _straight(line: Line, group: Sequence[Piece]) -> bool:
    """Tell whether pieces fill a line: no higher than they are, and without wide holes."""
    strokes = [piece for piece in group if piece.area > _SPECK * line.area]
    if len(group) == 1 or (len(strokes) == _PAIR and _one_letter(*strokes)):
        return True
    strip = line.strip
    tallest = max(min(piece.strip.height, piece.strip.length) for piece in group)
    filled = sum(piece.strip.height * piece.strip.length for piece in group)
    return strip.height <= _TALLER * tallest and filled >= _FILLED * strip.height * strip.length


def _line(group: Sequence[Piece], peak: float) -> Line:
    strip = Strip.around(np.concatenate([piece.hull for piece in group]))
    if len(group) > 1:  # the direction of the longest piece holds for a short row of letters
        longest = max(group, key=lambda piece: piece.strip.length)
        if longest.strip.vertical and strip.length < 1.6 * strip.height:
            strip = strip.turned() if not strip.vertical else strip
    return Line(strip=strip, peak=peak, area=sum(p.area for p in group), count=len(group))


def _neighbours(found: Sequence[Piece]) -> list[tuple[int, int]]:
    """Return pairs whose rectangles may come near each other."""
    centres = np.array([[piece.strip.x, piece.strip.y] for piece in found])
    radii = np.array([piece.strip.length / 2 + _REACH * piece.strip.height for piece in found])
    tree = cKDTree(centres)
    largest = float(radii.max())
    usual = float(np.percentile(radii, 90))
    pairs: set[tuple[int, int]] = set(map(tuple, tree.query_pairs(2 * usual)))
    for place in np.flatnonzero(radii > usual):
        near = tree.query_ball_point(centres[place], radii[place] + largest)
        pairs |= {(min(place, other), max(place, other)) for other in near if other != place}
    return [
        (int(a), int(b))
        for a, b in sorted(pairs)
        if math.hypot(*(centres[a] - centres[b])) <= radii[a] + radii[b]
    ]


def _belong(one: Piece, other: Piece) -> bool:
    """Tell whether two pieces stand in one line."""
    a, b = one.strip, other.strip
    long_a, long_b = a.length > _SLENDER * a.height, b.length > _SLENDER * b.height
    if long_a and long_b and abs((a.angle - b.angle + 90) % 180 - 90) > _TURNED:
        return False
    if long_a or long_b:
        guide = a if long_a and (not long_b or a.length >= b.length) else b
        return _aligned(one, other, guide.angle)
    return _aligned(one, other, 0.0)


def _one_letter(one: Piece, other: Piece) -> bool:
    """Tell whether two pieces are strokes of one upright letter: in a row, touching, as one square.

    The stem of an L and its foot, the halves of a bold R.
    """
    low = np.minimum(one.hull.min(axis=0), other.hull.min(axis=0))
    high = np.maximum(one.hull.max(axis=0), other.hull.max(axis=0)) + 1
    shared = (
        np.minimum(one.hull.max(axis=0), other.hull.max(axis=0))
        - np.maximum(one.hull.min(axis=0), other.hull.min(axis=0))
        + 1
    )
    short, long = sorted(float(side) for side in high - low)
    rows = min(float(np.ptp(each.hull[:, 1])) + 1 for each in (one, other))
    level = shared[1] >= _ROW * rows
    return bool(level and shared[0] >= -1 and long <= min(_LETTER, _SLENDER * short))


def _stacked(one: Piece, other: Piece) -> bool:
    """Tell whether two letters that stand alone are neighbours of a line that runs otherwise."""
    a, b = one.strip, other.strip
    if max(a.length / a.height, b.length / b.height) > _SQUARE or not _alike(a, b):
        return False
    towards = math.degrees(math.atan2(b.y - a.y, b.x - a.x))
    return _aligned(one, other, 90.0, gap=_TIGHT) or _aligned(one, other, towards, gap=_TIGHT)


def _alike(a: Strip, b: Strip) -> bool:
    return _LIKE < (a.length * a.height) / (b.length * b.height) < 1 / _LIKE


def _aligned(one: Piece, other: Piece, angle: float, gap: float = _GAP) -> bool:
    turn = math.radians(angle)
    along = np.array([math.cos(turn), math.sin(turn)])
    across = np.array([-along[1], along[0]])
    (a0, a1), (b0, b1) = _span(one, along), _span(other, along)
    (c0, c1), (d0, d1) = _span(one, across), _span(other, across)
    tall, short = max(c1 - c0, d1 - d0), min(c1 - c0, d1 - d0)
    between = max(a0, b0) - min(a1, b1)
    if between > gap * tall:
        return False
    shared = min(c1, d1) - max(c0, d0)
    if shared < _OVERLAP * short:
        return False
    return tall <= _UNLIKE * short or between <= 0.5 * tall


def _span(
    piece: Piece, axis: "np.ndarray[tuple[int], np.dtype[np.float64]]"
) -> tuple[float, float]:
    spread = piece.hull @ axis
    return float(spread.min()), float(spread.max()) + 1


def completed(line: Line, probability: Floats, levels: Levels) -> Line:
    """Return the line with its ends drawn out to where even faint signs of ink stop.

    Args:
        line: A line as joined.
        probability: The map that it was found in, (rows, columns).
        levels: The thresholds of the look.
    """
    strip = line.strip
    scale = _ROWS / max(strip.height, 1.0)
    reach = min(_ENDS * strip.height, _FURTHEST)
    long = strip.padded(reach, 0.15 * strip.height)
    width = max(round(long.length * scale), 4)
    target = np.array([[0, 0], [width, 0], [width, _ROWS]], np.float32)
    matrix = cv2.getAffineTransform(long.corners()[:3], target)
    part = cv2.warpAffine(probability, matrix, (width, _ROWS), flags=cv2.INTER_LINEAR)
    ink = (part > levels.low * 0.6).sum(axis=0) >= max(_ROWS * _ENOUGH, 1)
    first, last = round(reach * scale), width - round(reach * scale)
    hole = max(round(_HOLE * _ROWS), 1)
    start = _drawn(ink[:first][::-1], hole)
    stop = _drawn(ink[last:], hole)
    if not start and not stop:
        return line
    grow0, grow1 = start / scale, stop / scale
    ux, uy = strip.along
    shift = (grow1 - grow0) / 2
    whole = Strip(
        x=strip.x + ux * shift,
        y=strip.y + uy * shift,
        length=strip.length + grow0 + grow1,
        height=strip.height,
        angle=strip.angle,
    )
    return Line(strip=whole, peak=line.peak, area=line.area, count=line.count)


def _drawn(ink: "np.ndarray[tuple[int], np.dtype[np.bool_]]", hole: int) -> int:
    """Return how far ink goes on before a hole that is too wide."""
    reached = 0
    for place in np.flatnonzero(ink):
        if place - reached > hole:
            break
        reached = int(place) + 1
    return reached

"""From where the segmenter sees ink to pieces of writing: scales, thresholds, components.

The segmenter gives a probability a pixel. A component counts when it reaches the high threshold
somewhere; its extent is taken at the low one, so that faint strokes of a letter come along.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final, Protocol

import cv2
import numpy as np
import numpy.typing as npt

from safelight.deid.burned.strip import Floats, Strip

__all__ = [
    "SUSPECT",
    "Grey",
    "Levels",
    "Piece",
    "Segments",
    "leaning",
    "look_at",
    "merged",
    "pieces",
    "scales_for",
    "slanted",
]

Grey = npt.NDArray[np.uint8]

_LARGE: Final = 1500

#: A probability that calls for a look at twice the size: tiny letters are seen there.
SUSPECT: Final = 0.2
_CLEAR: Final = 0.5
_CELL: Final = 8
_TOLD: Final = 0.4
_LEFT: Final = 0.3
_HALO: Final = 1.5
_THICK: Final = 1.8
_AROUND: Final = 2
_ASIDE: Final = 5  # a line goes on to the left and right
_SMALL: Final = 14
_SPECK: Final = 4
_TINY: Final = 8
_PLAIN: Final = 0.9
_LEAST_AREA: Final = 6
_MOST_PIECES: Final = 3000
_SLANT: Final = (18.0, 72.0)
_SLENDER: Final = 2.2
_FILLED: Final = 0.3
_UNDIVIDED: Final = 24
_TALL: Final = 64
_SPLIT: Final = 10
_CORES: Final = (0.75, 0.9, 0.97, 0.99)
_SHARE: Final = 0.06
_SURELY: Final = 0.9
_BESIDE: Final = 0.25
_LONG: Final = 20
_NARROW: Final = 8
_STEPS: Final = (0.5, 0.7, 0.85, 0.95)


class Segments(Protocol):
    """What finds ink: ``safelight.deid.burned.segment.Segmenter`` and nothing else at run time."""

    def probability(self, grey: Grey, scale: float = 1.0) -> Floats:
        """Return the probability that a pixel is writing, of the shape of ``grey``."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Levels:
    """Thresholds of one look.

    Attributes:
        high: What a component must reach somewhere.
        low: Where its extent ends.
        faint: What a component beside a line must reach to belong to it.
    """

    high: float = 0.6
    low: float = 0.3
    faint: float = 0.35


@dataclass(frozen=True, slots=True, kw_only=True)
class Piece:
    """One component of the map: a letter, a word or a line.

    Attributes:
        strip: The rectangle around it.
        peak: Greatest probability in it.
        area: Pixels above the low threshold.
        hull: Corner points of its convex hull, shape (n, 2), x before y.
    """

    strip: Strip
    peak: float
    area: int
    hull: npt.NDArray[np.int32]


def scales_for(rows: int, columns: int, *, more: bool = False) -> tuple[float, ...]:
    """Return the scales below 1 that a picture is looked at as well, the largest first.

    Args:
        rows: Height in pixels.
        columns: Width in pixels.
        more: Whether a tag asks for a closer look.
    """
    scales = [0.5]
    if max(rows, columns) > _LARGE or more:
        scales.append(0.25)
    return tuple(scale for scale in scales if min(rows, columns) * scale >= _NARROW)


def look_at(segments: Segments, grey: Grey, scales: Sequence[float]) -> Floats:
    """Return the greatest probability over the scales, shape (rows, columns)."""
    best: Floats | None = None
    for scale in scales:
        if min(grey.shape) * scale >= _NARROW:
            seen = segments.probability(grey, scale)
            best = seen if best is None else np.maximum(best, seen)
    return np.zeros(grey.shape, np.float32) if best is None else best


def merged(full: Floats, coarse: Sequence[tuple[float, Floats]]) -> Floats:
    """Return the map at full size with what only smaller sizes show.

    At smaller sizes lines close together run into one: they count only where a thick part of what
    they show is not explained by what full size shows, as with large letters.

    Args:
        full: The probability at full size, (rows, columns).
        coarse: Scales below 1 with what was seen there, the largest first.
    """
    best = full
    for scale, plane in coarse:
        if float(plane.max(initial=0.0)) < _CLEAR:
            continue
        reach, thick = round(_HALO / scale), round(_THICK / scale)
        told = cv2.dilate((best > _TOLD).astype(np.uint8), _disc(reach))
        rest = ((plane > _LEFT) & (told == 0)).astype(np.uint8)
        core = cv2.morphologyEx(rest, cv2.MORPH_OPEN, _disc(thick))
        if core.any():
            more = cv2.dilate(core, _disc(thick)) > 0
            best = np.maximum(best, np.where(more, plane, np.float32(0)))
    return best


def _disc(radius: int) -> Grey:
    return np.asarray(cv2.getStructuringElement(cv2.MORPH_RECT, (2 * radius + 1, 2 * radius + 1)))


def suspects(
    full: Floats, best: Floats, threshold: float = SUSPECT
) -> list[tuple[int, int, int, int]]:
    """Return rectangles (left, top, right, bottom) where tiny writing may be, the smallest first.

    Args:
        full: The probability at full size, (rows, columns): tiny letters leave weak signs in it.
        best: The greatest over the smaller scales.
        threshold: How weak a sign is followed.
    """
    if float(full.max(initial=0.0)) < threshold:
        return []
    mask = ((full > threshold) | (best > _CLEAR)).astype(np.uint8)
    count, _, stats, _ = cv2.connectedComponentsWithStats(mask, connectivity=8)
    rows, columns = full.shape
    near = np.zeros((rows // _CELL + 1, columns // _CELL + 1), np.uint8)
    for left, top, width, height, area in stats[1:count]:
        if min(width, height) > _SMALL or area < _SPECK:
            continue
        own = full[top : top + height, left : left + width]
        if min(width, height) <= _TINY or float(own.max()) < _PLAIN:
            window = np.s_[
                max(top // _CELL - _AROUND, 0) : (top + height) // _CELL + _AROUND + 1,
                max(left // _CELL - _ASIDE, 0) : (left + width) // _CELL + _ASIDE + 1,
            ]
            near[window] = 1
    count, _, stats, _ = cv2.connectedComponentsWithStats(near, connectivity=8)
    out = []
    for left, top, width, height in stats[1:count, :4].tolist():
        x, y = left * _CELL, top * _CELL
        out.append((x, y, min(x + width * _CELL, columns), min(y + height * _CELL, rows)))
    return sorted(
        (box for box in out if box[2] > box[0] and box[3] > box[1]),
        key=lambda box: (box[2] - box[0]) * (box[3] - box[1]),
    )


def slanted(segments: Segments, grey: Grey) -> Floats:
    """Return the probability as seen with the picture turned by 45 degrees."""
    rows, columns = grey.shape
    side = int(np.ceil((rows + columns) / np.sqrt(2))) + 2
    matrix = cv2.getRotationMatrix2D((columns / 2, rows / 2), 45, 1.0)
    matrix[:, 2] += side / 2 - columns / 2, side / 2 - rows / 2
    turned = cv2.warpAffine(
        grey, matrix, (side, side), flags=cv2.INTER_LINEAR, borderValue=int(np.median(grey))
    )
    seen = segments.probability(turned, 1.0)
    flags = cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP
    return np.asarray(cv2.warpAffine(seen, matrix, (columns, rows), flags=flags))


def pieces(probability: Floats, levels: Levels) -> list[Piece]:
    """Return the components that reach the faint threshold, in no order; specks left out."""
    if float(probability.max(initial=0.0)) < levels.high:
        return []
    mask = (probability > levels.low).astype(np.uint8)
    _, labels, stats, _ = cv2.connectedComponentsWithStats(mask, connectivity=8)
    strong = np.unique(labels[probability > levels.faint])
    strong = strong[strong > 0]
    if len(strong) > _MOST_PIECES:  # noise all over: the largest are looked at
        order = np.argsort(stats[strong, cv2.CC_STAT_AREA])[::-1]
        strong = strong[order[:_MOST_PIECES]]
    out = []
    for label in strong:
        left, top, width, height, area = (int(value) for value in stats[label])
        if area < _LEAST_AREA:
            continue
        own = labels[top : top + height, left : left + width] == label
        part = np.where(own, probability[top : top + height, left : left + width], 0)
        if min(width, height) > _TALL:
            out += _sharper(part, (left, top), levels)
        elif min(width, height) >= _SPLIT:
            out += _apart(own.astype(np.uint8), part, (left, top))
        else:
            out += _solid(own.astype(np.uint8), part, (left, top), float(part.max()))
    return out


def _apart(own: Grey, part: Floats, corner: tuple[int, int], step: int = 0) -> list[Piece]:
    """Return a component in the parts that it has at a high threshold, each with what is nearest.

    Lines close together are joined by faint bridges, which the low threshold takes for ink.
    """
    if step >= len(_CORES) or min(own.shape) < _SPLIT:
        return _solid(own, part, corner, float(part.max()))
    count, labels, stats, _ = cv2.connectedComponentsWithStats(
        (part > _CORES[step]).astype(np.uint8), connectivity=8
    )
    large = [
        label for label in range(1, count) if stats[label, cv2.CC_STAT_AREA] >= _SHARE * part.size
    ]
    if len(large) < 2:  # noqa: PLR2004 - one part is the whole
        core = (labels == large[0]).astype(np.uint8) if large else None
        limbs = None if core is None or _CORES[step] < _SURELY else _limbs(own, core)
        if limbs is None:
            return _apart(own, part, corner, step + 1)
        _, nearest = cv2.connectedComponents(limbs)
        nearest += 1  # what is no limb is the core's
    else:
        _, nearest = cv2.distanceTransformWithLabels(
            (~np.isin(labels, large)).astype(np.uint8),
            cv2.DIST_L2,
            3,
            labelType=cv2.DIST_LABEL_CCOMP,
        )
    out = []
    for label in np.unique(nearest[own > 0]):
        mask = (nearest == label) & (own > 0)
        ys, xs = np.nonzero(mask)
        window = np.s_[ys.min() : ys.max() + 1, xs.min() : xs.max() + 1]
        inner = np.where(mask, part, np.float32(0))[window]
        at = (corner[0] + int(xs.min()), corner[1] + int(ys.min()))
        out += _apart(np.ascontiguousarray(mask[window], np.uint8), inner, at, step + 1)
    return out


def _limbs(own: Grey, core: Grey) -> Grey | None:
    """Return what of a component lies beside its sure part; None where that is hardly more.

    Sure writing runs into the outline of an organ beside it at the low threshold, and together
    they look like no line.
    """
    tight, loose = (Strip.around(cv2.findNonZero(mask).reshape(-1, 2)) for mask in (core, own))
    if tight.length < _SLENDER * tight.height or loose.height < _SLENDER * tight.height:
        return None
    near = cv2.dilate(core, _disc(max(1, round(_BESIDE * tight.height))))
    return np.asarray(own & (1 - near))


def _sharper(part: Floats, corner: tuple[int, int], levels: Levels) -> list[Piece]:
    """Return what a component too large for one line falls into at higher thresholds.

    Lines set close together run into one another at the low threshold.
    """
    for low in _STEPS:
        if low <= levels.low:
            continue
        mask = (part > low).astype(np.uint8)
        count, labels, stats, _ = cv2.connectedComponentsWithStats(mask, connectivity=8)
        out: list[Piece] = []
        for label in range(1, count):
            left, top, width, height, area = (int(value) for value in stats[label])
            if area < _LEAST_AREA:
                continue
            own = labels[top : top + height, left : left + width] == label
            inner = np.where(own, part[top : top + height, left : left + width], 0)
            at = (corner[0] + left, corner[1] + top)
            if min(width, height) > _TALL and low < _STEPS[-1]:
                out += _sharper(inner, at, Levels(high=levels.high, low=low, faint=levels.faint))
            elif inner.max() > levels.faint:
                out += _solid(own.astype(np.uint8), inner, at, float(inner.max()))
        return out
    return []


def _solid(own: Grey, part: Floats, corner: tuple[int, int], peak: float) -> list[Piece]:
    """Return a component as one piece; a thin or bent one in parts that fill their rectangles.

    A ring or a long bent edge would otherwise take all that it goes around with it.
    """
    contours, _ = cv2.findContours(own, cv2.RETR_EXTERNAL, cv2.CHAIN_APPROX_SIMPLE, offset=corner)
    hull = cv2.convexHull(np.concatenate(contours)).reshape(-1, 2).astype(np.int32)
    strip = Strip.around(hull)
    area = int(np.count_nonzero(own))
    if area >= _FILLED * strip.length * strip.height or max(own.shape) <= _UNDIVIDED:
        return [Piece(strip=strip, peak=peak, area=area, hull=hull)]
    out = []
    along = 0 if own.shape[0] >= own.shape[1] else 1
    half = own.shape[along] // 2
    for offset, mask, values in zip(
        (0, half),
        np.split(own, [half], axis=along),
        np.split(part, [half], axis=along),
        strict=True,
    ):
        inside = mask > 0
        if not inside.any():
            continue
        ys, xs = np.nonzero(inside)
        window = np.s_[ys.min() : ys.max() + 1, xs.min() : xs.max() + 1]
        x = corner[0] + int(xs.min()) + (offset if along else 0)
        y = corner[1] + int(ys.min()) + (0 if along else offset)
        out += _solid(
            np.ascontiguousarray(mask[window]), values[window], (x, y), float(values[inside].max())
        )
    return out


def leaning(found: Sequence[Piece]) -> bool:
    """Tell whether some piece is long and lies aslant: then a turned look may find more."""
    low, high = _SLANT
    return any(
        piece.strip.length > _SLENDER * piece.strip.height
        and low < abs(piece.strip.angle) < high
        and piece.strip.length > _LONG
        for piece in found
    )

"""What of a picture is looked at: its grey, the colours where they hide something, its edges."""

from typing import Final

import cv2
import numpy as np
import numpy.typing as npt

from safelight.deid.burned.find import Grey, Segments
from safelight.deid.burned.sight import Shown
from safelight.deid.burned.strip import Floats

__all__ = ["SHRUNK", "contrast", "fine", "planes", "sharpened", "shrunk"]

#: The smaller size at which the sharpened plane is looked at too.
SHRUNK: Final = 0.5

_EDGE: Final = 24
_NO_EDGE: Final = 10
_SOME: Final = 12
_SURROUNDINGS: Final = 24
_SIGMA: Final = 1.5  # pixels
_AMOUNT: Final = 3.0
_TONES: Final = (2, 98)  # percentiles


def sharpened(grey: Grey) -> Grey:
    """Return a plane with its edges drawn out: blurred and faint letters show in it (unsharp mask).

    Args:
        grey: Shape (rows, columns), 0 to 255.
    """
    soft = cv2.GaussianBlur(grey, (0, 0), _SIGMA)
    return np.asarray(cv2.addWeighted(grey, 1 + _AMOUNT, soft, -_AMOUNT, 0), np.uint8)


def shrunk(segments: Segments, grey: Grey) -> Floats:
    """Return what shows on the sharpened plane at half the size, where large blur is half as wide.

    Args:
        segments: The text-pixel network.
        grey: Shape (rows, columns), 0 to 255.

    Returns:
        The probability, of the shape of ``grey``.
    """
    rows, columns = grey.shape
    size = max(1, round(columns * SHRUNK)), max(1, round(rows * SHRUNK))
    small = np.asarray(cv2.resize(grey, size, interpolation=cv2.INTER_AREA), np.uint8)
    found = segments.probability(sharpened(small))
    return np.asarray(cv2.resize(found, (columns, rows), interpolation=cv2.INTER_LINEAR))


def contrast(tones: npt.NDArray[np.uint8] | npt.NDArray[np.float32]) -> float:
    """Return the grey levels between the darkest and the brightest parts of a region, not empty."""
    dark, bright = np.percentile(tones, _TONES)
    return float(bright - dark)


def fine(tones: npt.NDArray[np.float32]) -> float:
    """Return by how many grey levels a pixel differs from its surroundings on average."""
    return float(np.abs(tones - cv2.GaussianBlur(tones, (0, 0), 1)).mean())


def planes(picture: Shown, grey: Grey) -> list[tuple[Grey, int, int]]:
    """Return what must be looked at, each with its left column and top row.

    The first is the grey. Where the greatest or the least of the colours, red or blue has edges
    that none before it has, that part of it follows: yellow on white, blue on black, red on green.
    """
    out = [(grey, 0, 0)]
    if picture.rgb is None:
        return out
    told = cv2.dilate(_edges(grey), np.ones((3, 3), np.uint8))
    rgb = picture.rgb
    for plane in (rgb.max(axis=2), rgb.min(axis=2), rgb[:, :, 0], rgb[:, :, 2]):
        edges = _edges(plane)
        more = (edges > _EDGE) & (told < _NO_EDGE)
        if np.count_nonzero(more) < _SOME:
            continue
        left, top, width, height = cv2.boundingRect(more.astype(np.uint8))
        x, y = max(left - _SURROUNDINGS, 0), max(top - _SURROUNDINGS, 0)
        part = plane[y : top + height + _SURROUNDINGS, x : left + width + _SURROUNDINGS]
        out.append((np.ascontiguousarray(part), x, y))
        told = np.maximum(told, cv2.dilate(edges, np.ones((3, 3), np.uint8)))
    return out


def _edges(plane: Grey) -> Grey:
    """Return how much each pixel differs from its neighbours, shape (rows, columns)."""
    return np.asarray(cv2.morphologyEx(plane, cv2.MORPH_GRADIENT, np.ones((2, 2), np.uint8)))

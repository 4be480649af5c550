"""Part a block of lines that was taken for one: by the rows in it that hold no strokes."""

import math
from itertools import pairwise
from typing import Final

import cv2
import numpy as np
import numpy.typing as npt

from safelight.deid.burned.find import Grey
from safelight.deid.burned.strip import Strip

__all__ = ["layered", "stacked"]

_LEAST: Final = 6
_VALLEY: Final = 0.45
_INK: Final = 0.12
_WIDE: Final = 2
_TILT: Final = 8
_BESIDE: Final = 2  # the outer edges of letters count as well


def stacked(grey: Grey, strip: Strip) -> list[Strip]:
    """Return the lines that an upright block falls into; empty when it is one line.

    Args:
        grey: The picture, (rows, columns).
        strip: The block.
    """
    left, top, right, bottom = (round(side) for side in strip.bounds())
    left, right = left - _BESIDE, right + _BESIDE
    top, left = max(top, 0), max(left, 0)
    crop = grey[top:bottom, left:right]
    if crop.shape[0] < 2 * _LEAST + 2 or crop.shape[1] < _LEAST:
        return []
    strokes = cv2.absdiff(crop[:, 1:], crop[:, :-1]).astype(np.float32)
    profile = np.convolve(strokes.sum(axis=1), np.ones(3) / 3, mode="same")
    edges = [0, *_valleys(profile), len(profile)]
    if len(edges) <= _WIDE:
        return []
    out = []
    for first, last in pairwise(edges):
        columns = strokes[first:last].sum(axis=0)
        inked = np.flatnonzero(columns > _INK * columns.max())
        if last - first < _LEAST or not len(inked):
            continue
        start, stop = int(inked[0]), int(inked[-1]) + 2
        out.append(
            Strip(
                x=left + (start + stop) / 2,
                y=top + (first + last) / 2,
                length=float(stop - start),
                height=float(last - first),
            )
        )
    return out if len(out) > 1 else []


def layered(grey: Grey, strip: Strip) -> bool:
    """Tell whether a strip holds lines one above the other, turned as they are sharpest.

    Args:
        grey: The picture, (rows, columns).
        strip: What was read as one line, at any angle.
    """
    wide, tall = round(strip.length) + 1 + 2 * _BESIDE, round(strip.height) + 1
    cut = cv2.getRotationMatrix2D((strip.x, strip.y), strip.angle, 1.0)
    cut[:, 2] += wide / 2 - strip.x, tall / 2 - strip.y
    crop = cv2.warpAffine(grey, cut, (wide, tall), borderMode=cv2.BORDER_REPLICATE)
    if min(crop.shape) < 2 * _LEAST:
        return False
    strokes = cv2.absdiff(crop[:, 1:], crop[:, :-1])
    room = tall + round(wide * math.sin(math.radians(_TILT)))
    best, lines = -1.0, np.zeros(room)
    for tilt in range(-_TILT, _TILT + 1, 2):
        turn = cv2.getRotationMatrix2D((wide / 2, tall / 2), tilt, 1.0)
        turn[1, 2] += (room - tall) / 2
        rows = cv2.warpAffine(strokes, turn, (wide, room)).sum(axis=1, dtype=np.float64)
        profile = np.convolve(rows, np.ones(3) / 3, mode="same")
        sharp = float(np.square(np.diff(profile)).sum())
        if sharp > best:
            best, lines = sharp, profile
    inked = np.flatnonzero(lines > _INK * lines.max())
    return bool(len(inked)) and bool(_valleys(lines[inked[0] : inked[-1] + 1]))


def _valleys(profile: npt.NDArray[np.float64]) -> list[int]:
    """Return rows between two lines: least in their surroundings and far below what is beside."""
    cuts: list[int] = []
    last = 0
    for row in range(_LEAST, len(profile) - _LEAST):
        beside = min(
            profile[max(last, row - 2 * _LEAST) : row].max(),
            profile[row + 1 : row + 2 * _LEAST + 1].max(),
        )
        lowest = profile[max(row - _LEAST, 0) : row + _LEAST + 1].min()
        if profile[row] <= lowest and profile[row] < _VALLEY * beside and row - last >= _LEAST:
            cuts.append(row)
            last = row
    return cuts

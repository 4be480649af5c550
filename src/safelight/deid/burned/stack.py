"""Part a block of lines that was taken for one: by the rows in it that hold no strokes."""

from itertools import pairwise
from typing import Final

import cv2
import numpy as np
import numpy.typing as npt

from safelight.deid.burned.find import Grey
from safelight.deid.burned.strip import Strip

__all__ = ["stacked"]

_LEAST: Final = 6
_VALLEY: Final = 0.45
_INK: Final = 0.12
_WIDE: Final = 2


def stacked(grey: Grey, strip: Strip) -> list[Strip]:
    """Return the lines that an upright block falls into; empty when it is one line.

    Args:
        grey: The picture, (rows, columns).
        strip: The block.
    """
    left, top, right, bottom = (round(side) for side in strip.bounds())
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

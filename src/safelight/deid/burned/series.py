"""Look at a whole series at once: overlays stand still while anatomy moves.

The mean, median, least and greatest value over the frames bring out writing too faint for one
frame. Memory is bounded: running sums and extremes, and a reservoir of frames for the median.
"""

from dataclasses import dataclass, replace
from typing import Final

import cv2
import numpy as np
import numpy.typing as npt

from safelight.deid.burned.company import distinct
from safelight.deid.burned.find import Grey
from safelight.deid.burned.look import Eyes
from safelight.deid.burned.sight import NO_HINTS, Candidate, Hints, Shown, Sight, Sort

__all__ = ["SeriesLook"]

_RESERVOIR: Final = 15
_LEAST: Final = 3
_BYTES: Final = 48 << 20
_GAMMA: Final = 0.5
_FLAT: Final = 2
_MANY: Final = 8
_READ: Final = 0.6
_LETTERS: Final = 2


@dataclass(frozen=True, slots=True)
class _Plane:
    grey: Grey
    rgb: Grey | None = None


class SeriesLook:
    """Gathers the frames of one series, of one size; frames of another size are left out.

    Args:
        eyes: The engines that look.
    """

    def __init__(self, eyes: Eyes) -> None:
        self._eyes = eyes
        self._count = 0
        self._sum: npt.NDArray[np.uint32] | None = None
        self._low: Grey
        self._high: Grey
        self._kept: list[Grey] = []
        self._every = 1

    def add(self, picture: Shown) -> None:
        """Take in one frame or slice, in any order."""
        grey = picture.grey
        if self._sum is None:
            self._sum = np.zeros(grey.shape, np.uint32)
            self._low, self._high = grey.copy(), grey.copy()
        if grey.shape != self._sum.shape:
            return
        self._sum += grey
        np.minimum(self._low, grey, out=self._low)
        np.maximum(self._high, grey, out=self._high)
        if self._count % self._every == 0:
            self._kept.append(grey.copy())
            if len(self._kept) > max(3, min(_RESERVOIR, _BYTES // grey.size)):
                self._kept = self._kept[::2]
                self._every *= 2
        self._count += 1

    def finish(self, hints: Hints = NO_HINTS) -> Sight | None:
        """Return what the projections show, for all frames; None for fewer than three frames.

        The memory is given back.
        """
        total, count = self._sum, self._count
        self._sum = None
        if total is None or count < _LEAST:
            self._kept.clear()
            return None
        mean = (total / count).astype(np.uint8)
        median = np.median(np.stack(self._kept), axis=0).astype(np.uint8)
        self._kept.clear()
        found: list[Candidate] = []
        for plane in (mean, median, self._low, self._high):
            for view in _views(plane):
                found += self._eyes.look(_Plane(view), hints, frame=None).found
        if count < _MANY:
            found = [one if _legible(one) else replace(one, weak=True) for one in found]
        rows, columns = mean.shape
        return Sight(rows=rows, columns=columns, frame=None, found=distinct(found))


def _legible(one: Candidate) -> bool:
    """Tell whether something is a code, or was read as more than one letter over and over.

    Over a few frames noise hardly fades, and with its shadows lifted it looks like strokes: what
    stands there and cannot be read is seen in the frames themselves, or is nothing.
    """
    if one.sort is not Sort.TEXT:
        return True
    letters = set(filter(str.isalnum, one.reading.text)) if one.reading else set()
    return one.reading is not None and one.reading.sure >= _READ and len(letters) >= _LETTERS


def _views(plane: Grey) -> list[Grey]:
    """Return the projection over its full range of tones, and once more with its shadows lifted."""
    low, high = (float(value) for value in np.percentile(plane, (0.5, 99.8)))
    if high - low < _FLAT:
        return []
    ramp = np.clip((np.arange(256) - low) / (high - low), 0, 1)
    return [
        np.asarray(cv2.LUT(plane, np.round(255 * ramp**gamma).astype(np.uint8)))
        for gamma in (1.0, _GAMMA)
    ]

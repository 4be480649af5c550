"""A second opinion on where text is: PP-OCR's DBNet, run on crops where the segmenter fired.

Liao et al., "Real-time scene text detection with differentiable binarization", AAAI 2020.
"""

from functools import cached_property
from typing import Any, Final

import cv2
import numpy as np
import numpy.typing as npt

from safelight.deid.burned.models import open_model, wheel_model
from safelight.deid.burned.strip import Floats, Strip

__all__ = ["Detector"]

_MULTIPLE: Final = 32
_THRESHOLD: Final = 0.3
_SCORE: Final = 0.5
_UNCLIP: Final = 1.5
_LEAST: Final = 3
_MOST_PIXELS: Final = 1536 * 1536

#: The longest short side of a box, in pixels: beyond it takes a skull or a spine for one letter.
TALLEST: Final = 90.0

Grey = npt.NDArray[np.uint8]


class Detector:
    """The text detector, loaded when it is first asked."""

    @cached_property
    def _session(self) -> Any:
        return open_model(wheel_model("det"))

    def probability(self, grey: Grey) -> Floats:
        """Return where text is, 0 to 1, of the same shape; large crops are looked at smaller."""
        rows, columns = grey.shape
        scale = min(1.0, (_MOST_PIXELS / (rows * columns)) ** 0.5)
        height = max(_MULTIPLE, round(rows * scale / _MULTIPLE) * _MULTIPLE)
        width = max(_MULTIPLE, round(columns * scale / _MULTIPLE) * _MULTIPLE)
        small = cv2.resize(grey, (width, height), interpolation=cv2.INTER_LINEAR)
        plane = small.astype(np.float32) / 127.5 - 1
        block = np.broadcast_to(plane, (1, 3, height, width)).copy()
        score: Floats = self._session.run(None, {"x": block})[0][0, 0]
        return np.asarray(cv2.resize(score, (columns, rows), interpolation=cv2.INTER_LINEAR))

    def strips(self, probability: Floats) -> list[tuple[Strip, float]]:
        """Return the lines in a probability map with their mean score; no giant ones."""
        mask = (probability > _THRESHOLD).astype(np.uint8)
        contours, _ = cv2.findContours(mask, cv2.RETR_LIST, cv2.CHAIN_APPROX_SIMPLE)
        out = []
        for contour in contours:
            strip = Strip.around(contour.reshape(-1, 2))
            if min(strip.length, strip.height) < _LEAST:
                continue
            left, top, width, height = cv2.boundingRect(contour)
            inside = np.zeros((height, width), np.uint8)
            cv2.drawContours(inside, [contour], -1, 1, cv2.FILLED, offset=(-left, -top))
            part = probability[top : top + height, left : left + width]
            score = float(part[inside > 0].mean())
            if score < _SCORE:
                continue
            grow = strip.length * strip.height * _UNCLIP / (2 * (strip.length + strip.height))
            strip = strip.padded(grow, grow)
            if min(strip.length, strip.height) <= TALLEST:
                out.append((strip, score))
        return out

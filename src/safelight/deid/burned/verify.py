"""Tell writing from what the segmenter takes for it: three engines' opinions weighed together.

Logistic weights fitted on generated pictures (``docs/burned-in.md``). A line is dismissed only when
nothing speaks for it; a dismissed one is weak, not forgotten.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from safelight.deid.burned.lines import Line
from safelight.deid.burned.read import Reading

__all__ = ["ACCEPT", "Opinion", "Peaks", "alone", "read", "seen"]

_SURE: Final = 0.999
_LETTERS: Final = 8

#: Scores from which a line counts as writing at each stage, and below which it is dismissed there.
ACCEPT: Final = {"alone": (-2.2, 2.8), "read": (-1.4, 2.4), "seen": (0.6, 0.6)}

# Constant; then logits of the greatest probability, at full size and at half; logarithms of size,
# slenderness and height; how much of the rectangle is ink; then how sure the reader is and how many
# letters it reads; then the detector's logit.
_ALONE: Final = (0.68, 0.63, 0.74, 0.26, -0.42, -0.98, -0.27, 4.28)
_READ: Final = (-1.4, 0.56, 0.57, 0.23, -0.4, -1.37, -0.02, 1.48, 3.75, 3.39)
_SEEN: Final = (-1.89, 0.32, 0.53, 0.16, -0.32, -0.99, -0.08, 3.09, 2.63, 3.76, 0.22)


@dataclass(frozen=True, slots=True)
class Peaks:
    """The greatest probabilities over a line: at full size, at half, and at twice the size."""

    full: float
    half: float
    zoom: float


@dataclass(frozen=True, slots=True)
class Opinion:
    """What is known of a line that may be writing."""

    line: Line
    peaks: Peaks
    reading: Reading | None = None
    detected: float = 0.0


def alone(opinion: Opinion) -> float:
    """Return the score from the segmenter alone."""
    return _weigh(_ALONE, _shape(opinion))


def read(opinion: Opinion) -> float:
    """Return the score once the line was read."""
    return _weigh(_READ, [*_shape(opinion), *_said(opinion)])


def seen(opinion: Opinion) -> float:
    """Return the score once the detector looked as well."""
    return _weigh(_SEEN, [*_shape(opinion), *_said(opinion), _logit(opinion.detected)])


def _shape(opinion: Opinion) -> list[float]:
    strip, peaks = opinion.line.strip, opinion.peaks
    size = max(strip.length * strip.height, 1.0)
    return [
        _logit(max(peaks.full, peaks.half, peaks.zoom)),
        _logit(peaks.full),
        _logit(peaks.half),
        math.log(size),
        math.log(max(strip.length, 1.0) / max(strip.height, 1.0)),
        math.log(max(strip.height, 1.0)),
        opinion.line.area / size,
    ]


def _said(opinion: Opinion) -> list[float]:
    reading = opinion.reading
    if reading is None:
        return [0.0, 0.0]
    letters = sum(map(str.isalnum, reading.text))
    return [reading.sure, min(letters, _LETTERS) / _LETTERS]


def _logit(probability: float) -> float:
    inside = min(max(probability, 1 - _SURE), _SURE)
    return math.log(inside / (1 - inside))


def _weigh(weights: Sequence[float], values: Sequence[float]) -> float:
    return weights[0] + sum(w * v for w, v in zip(weights[1:], values, strict=True))

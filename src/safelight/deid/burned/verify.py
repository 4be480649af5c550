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

__all__ = [
    "ACCEPT",
    "Opinion",
    "Peaks",
    "alone",
    "logit",
    "lone_shape",
    "plain",
    "read",
    "seen",
    "weigh",
    "wordy",
]

_SURE: Final = 0.999
_LETTERS: Final = 8
_LARGE: Final = 44
_LOOP: Final = 3.5
_CERTAIN: Final = 0.93
_BEYOND: Final = 0.9995
_HOLLOW: Final = 0.2
# Letters that must be read, with how sure the reader must be of them.
_WORDY: Final = ((5, 0.45), (3, 0.9))
_PLAIN: Final = ((2, 0.8), (8, 0.7))
# What the reader makes of a bare line, a crossing or a dot, which calipers and wires are too.
_STROKES: Final = frozenset("一丨—-_|~、丶十+.,·'` ")

#: Scores from which a line counts as writing at each stage, and below which it is dismissed there.
ACCEPT: Final = {"alone": (-2.6, 4.5), "read": (-1.6, 3.0), "seen": (0.0, 0.0)}

# Constant; then logits of the greatest probability, at full size and at half; logarithms of size,
# slenderness and height; how much of the rectangle is ink; then how sure the reader is and how many
# letters it reads; then the detector's logit.
_ALONE: Final = (-3.45, 0.78, 0.44, 0.12, -0.18, -0.92, -0.01, 4.4)
_READ: Final = (-6.01, 0.71, 0.36, 0.06, -0.12, -0.57, -0.02, 2.77, 4.71, 0.62)
_SEEN: Final = (-5.55, 0.63, 0.31, 0.01, -0.09, -0.47, -0.01, 2.98, 3.61, 0.86, 0.17)


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
    return weigh(_ALONE, _shape(opinion))


def read(opinion: Opinion) -> float:
    """Return the score once the line was read."""
    return weigh(_READ, [*_shape(opinion), *_said(opinion)])


def seen(opinion: Opinion) -> float:
    """Return the score once the detector looked as well."""
    return weigh(_SEEN, [*_shape(opinion), *_said(opinion), logit(opinion.detected)])


def _shape(opinion: Opinion) -> list[float]:
    strip, peaks = opinion.line.strip, opinion.peaks
    size = max(strip.length * strip.height, 1.0)
    return [
        logit(max(peaks.full, peaks.half, peaks.zoom)),
        logit(peaks.full),
        logit(peaks.half),
        math.log(size),
        math.log(max(strip.length, 1.0) / max(strip.height, 1.0)),
        math.log(max(strip.height, 1.0)),
        opinion.line.area / size,
    ]


def _said(opinion: Opinion) -> list[float]:
    reading = opinion.reading
    if reading is None or not set(reading.text) - _STROKES:
        return [0.0, 0.0]
    letters = sum(map(str.isalnum, reading.text))
    return [reading.sure, min(letters, _LETTERS) / _LETTERS]


def logit(probability: float, sure: float = _SURE) -> float:
    """Return the logarithm of the odds.

    Args:
        probability: 0 to 1.
        sure: Bound on it; its complement is the other.
    """
    inside = min(max(probability, 1 - sure), sure)
    return math.log(inside / (1 - inside))


def weigh(weights: Sequence[float], values: Sequence[float]) -> float:
    """Return the first weight, plus each other times its value."""
    return weights[0] + sum(w * v for w, v in zip(weights[1:], values, strict=True))


def lone_shape(opinion: Opinion) -> bool:
    """Tell whether something large is hollow, or reads as one letter and not clearly.

    Rings, vessels and bowel loops are so; a single letter of that size is read for certain.
    """
    reading, strip = opinion.reading, opinion.line.strip
    short, long = sorted((strip.height, strip.length))
    if reading is None or short < _LARGE or opinion.peaks.full >= _BEYOND:
        return False
    if opinion.line.area < _HOLLOW * short * long:
        return True
    letters = sum(map(str.isalnum, reading.text))
    return long < _LOOP * short and letters == 1 and reading.sure < _CERTAIN


def plain(reading: Reading | None) -> bool:
    """Tell whether several letters were read for certain."""
    return reading is not None and _told(reading, reading.text, _PLAIN)


def wordy(opinion: Opinion) -> bool:
    """Tell whether so many letters were read that they are none by chance, however unsure each.

    Three are enough where each is certain: ``11 Y`` in faint letters of 8 pixels.
    """
    reading = opinion.reading
    if reading is None:
        return False
    ascii_only = "".join(filter(str.isascii, reading.text))
    return _told(reading, ascii_only, _WORDY)


def _told(reading: Reading, text: str, bars: Sequence[tuple[int, float]]) -> bool:
    letters = sum(map(str.isalnum, text))
    return any(letters >= least and reading.sure >= sure for least, sure in bars)

"""Tell writing from what the segmenter takes for it: its opinion weighed with the reader's.

Logistic weights fitted on generated pictures (``docs/burned-in.md``). They say what is certain and
what nothing speaks for; on the rest the last word is had (``last``). A line that is dismissed is
weak, not forgotten.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from safelight.deid.burned.lines import Line
from safelight.deid.burned.read import Reading

__all__ = [
    "ALONE",
    "READ",
    "Opinion",
    "Peaks",
    "alone",
    "certain",
    "logit",
    "lone",
    "plain",
    "read",
    "weigh",
]

_SQUARE: Final = 2.0
_SURE: Final = 0.999
_LETTERS: Final = 8
# Letters that must be read, with how sure the reader must be of them.
_PLAIN: Final = ((2, 0.8), (8, 0.7))
_MANY: Final = ((5, 0.8), (8, 0.7))
# What the reader makes of a bare line, a crossing or a dot, which calipers and wires are too.
_STROKES: Final = frozenset("一丨—-_|~、丶十+.,·'` ")

#: Scores below which a line is dismissed and from which it counts as writing: by the segmenter
#: alone, and once it was read.
ALONE: Final = (-2.6, 4.5)
READ: Final = (-4.5, 3.0)

# Constant; then logits of the greatest probability, at full size and at half; logarithms of size,
# slenderness and height; how much of the rectangle is ink; then how sure the reader is and how many
# letters it reads.
_ALONE: Final = (-3.45, 0.78, 0.44, 0.12, -0.18, -0.92, -0.01, 4.4)
_READ: Final = (-6.01, 0.71, 0.36, 0.06, -0.12, -0.57, -0.02, 2.77, 4.71, 0.62)


@dataclass(frozen=True, slots=True)
class Peaks:
    """What the first network gives over a line.

    Attributes:
        full: Greatest probability at full size.
        half: At half the size.
        zoom: At twice the size.
        seen_aside: Share of the surroundings that it takes for writing.
        mean_aside: Mean probability there.
    """

    full: float
    half: float
    zoom: float
    seen_aside: float = 0.0
    mean_aside: float = 0.0


@dataclass(frozen=True, slots=True)
class Opinion:
    """What is known of a line that may be writing."""

    line: Line
    peaks: Peaks
    reading: Reading | None = None


def alone(opinion: Opinion) -> float:
    """Return the score from the segmenter alone."""
    return weigh(_ALONE, _shape(opinion))


def read(opinion: Opinion) -> float:
    """Return the score once the line was read."""
    return weigh(_READ, [*_shape(opinion), *_said(opinion)])


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


def plain(reading: Reading | None) -> bool:
    """Tell whether several letters were read for certain."""
    return reading is not None and _told(reading, _PLAIN)


def lone(opinion: Opinion) -> bool:
    """Tell whether a line is no longer than one letter and no more was read."""
    short, long = sorted((opinion.line.strip.height, opinion.line.strip.length))
    text = "" if opinion.reading is None else opinion.reading.text
    return long <= _SQUARE * short and sum(map(str.isalnum, text)) <= 1


def certain(opinion: Opinion) -> bool:
    """Tell whether letters were read for certain: many, or several that the network sees too."""
    reading = opinion.reading
    if reading is None:
        return False
    return _told(reading, _MANY) or (_told(reading, _PLAIN) and read(opinion) >= READ[1])


def _told(reading: Reading, bars: Sequence[tuple[int, float]]) -> bool:
    letters = sum(map(str.isalnum, reading.text))
    return any(letters >= least and reading.sure >= sure for least, sure in bars)

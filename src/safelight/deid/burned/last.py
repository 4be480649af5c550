"""The last word on a line that nobody can read plainly: a second network, tones, and company.

A lone thing on a picture on which nothing can be read must look like writing to both networks and
stand out from its ground. Beside text that was read, less is asked.
"""

import math
from dataclasses import dataclass
from typing import Final

import numpy as np

from safelight.deid.burned.find import Grey, Segments
from safelight.deid.burned.strip import Strip
from safelight.deid.burned.verify import Opinion, logit, weigh
from safelight.deid.burned.views import contrast, fine

__all__ = ["BESIDE", "LONE", "RESCUED", "SHARP", "Again", "again", "facts", "word"]

#: From which word on something counts as writing: what the engines before took for it, what they
#: dismissed on a picture that has text on it, what shows on the sharpened picture only, and the
#: same where something was read elsewhere. Chosen on generated pictures.
LONE: Final = -3.0
RESCUED: Final = -1.0
SHARP: Final = 0.5
BESIDE: Final = 0.0

_CONTEXT: Final = 48
_INK: Final = 0.5
_SURE: Final = 0.9999
_LETTERS: Final = 8
# As ``training.burned.weigh`` fits them, on six generated sets (``docs/burned-in.md``). Constant;
# then logits of the greatest probability of the first network at full size, half and twice the
# size; the same of the second; how much of the rectangle the second fills; logarithms of contrast,
# of the finest strokes, of height and length; ink; letters read; text read elsewhere.
_WEIGHTS: Final = (
    *(-9.4, 0.05, 0.07, 0.05, 0.32, 0.04, 0.53),
    *(0.37, 0.56, 0.71, 0.52, -0.86, 2.54, 2.54, 2.79),
)


@dataclass(frozen=True, slots=True)
class Again:
    """What the second network sees, and how the tones differ.

    Attributes:
        full: Greatest probability in the line at full size.
        half: At half the size.
        zoom: At twice the size.
        filled: Share of the rectangle that it takes for ink, at full size.
        contrast: Grey levels between the darkest and the brightest parts.
        fine: Mean difference of a pixel from its surroundings, in grey levels.
    """

    full: float
    half: float
    zoom: float
    filled: float
    contrast: float
    fine: float

    @property
    def peak(self) -> float:
        """The greatest probability at any size."""
        return max(self.full, self.half, self.zoom)


def again(second: Segments, grey: Grey, strip: Strip) -> Again:
    """Return what a second look at a line tells.

    Args:
        second: The second network.
        grey: The plane, (rows, columns).
        strip: The line.
    """
    left, top, right, bottom = (int(side) for side in strip.bounds())
    x, y = max(left - _CONTEXT, 0), max(top - _CONTEXT, 0)
    crop = np.ascontiguousarray(grey[y : bottom + _CONTEXT, x : right + _CONTEXT])
    inside = np.s_[max(top, 0) - y : bottom - y + 1, max(left, 0) - x : right - x + 1]
    if not crop[inside].size:
        return Again(0.0, 0.0, 0.0, 0.0, 0.0, 0.0)
    full, half, zoom = (second.probability(crop, scale)[inside] for scale in (1.0, 0.5, 2.0))
    tones = crop[inside].astype(np.float32)
    return Again(
        full=float(full.max()),
        half=float(half.max()),
        zoom=float(zoom.max()),
        filled=float((full > _INK).mean()),
        contrast=contrast(tones),
        fine=fine(tones),
    )


def facts(opinion: Opinion, seen: Again, *, company: bool) -> list[float]:
    """Return what the last word is made of, in the order of the weights.

    Args:
        opinion: What the engines before say.
        seen: What the second look tells.
        company: Whether text was read elsewhere on the picture.
    """
    strip, peaks, reading = opinion.line.strip, opinion.peaks, opinion.reading
    letters = 0 if reading is None else sum(map(str.isalnum, reading.text))
    networks = (peaks.full, peaks.half, peaks.zoom, seen.full, seen.half, seen.zoom)
    return [
        *(logit(probability, _SURE) for probability in networks),
        seen.filled,
        math.log(max(seen.contrast, 1.0)),
        math.log(max(seen.fine, 0.1)),
        math.log(max(strip.height, 1.0)),
        math.log(max(strip.length, 1.0)),
        opinion.line.area / max(strip.length * strip.height, 1.0),
        min(letters, _LETTERS) / _LETTERS,
        float(company),
    ]


def word(opinion: Opinion, seen: Again, *, company: bool) -> float:
    """Return the logit of a line's being writing; arguments as in ``facts``."""
    return weigh(_WEIGHTS, facts(opinion, seen, company=company))

"""The last word on a line that cannot be read for certain: a second network, tones, and company.

Boosted trees weigh it all. A lone thing on a picture on which nothing can be read must look like
writing to both networks and stand out from its ground; beside text that was read, less is asked.
"""

import math
from dataclasses import astuple, dataclass
from typing import Final

import numpy as np

from safelight.deid.burned import verify
from safelight.deid.burned.find import Grey, Segments
from safelight.deid.burned.strip import Strip
from safelight.deid.burned.verify import Opinion, logit
from safelight.deid.burned.views import contrast, fine

__all__ = ["FOUND", "SHARPENED", "TREES", "Again", "again", "facts", "least"]

#: The trees that have the last word, as ``training.burned.weigh`` grows them.
TREES: Final = "last-word.npz"
#: From which score of theirs something counts as writing: on the picture, and on the sharpened
#: picture only. Chosen on generated pictures (``docs/models/last-word.md``).
FOUND: Final = -2.0
SHARPENED: Final = -1.75

_LARGE: Final = 0.01  # of the picture
_MORE: Final = 1.0
_CONTEXT: Final = 48
_INK: Final = 0.5
_SURE: Final = 0.9999


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


def least(strip: Strip, grey: Grey, *, sharpened: bool) -> float:
    """Return from which score on a line counts as writing: more is asked before much is masked.

    Args:
        strip: The line.
        grey: The plane that it is in.
        sharpened: Whether that is a sharpened one.
    """
    large = strip.length * strip.height > _LARGE * grey.size
    return (SHARPENED if sharpened else FOUND) + (_MORE if large else 0.0)


def facts(opinion: Opinion, seen: Again, before: Again | None, *, company: int) -> list[float]:
    """Return what the last word is had on, in the order that the trees know.

    Args:
        opinion: What the engines before say.
        seen: What the second look tells.
        before: The same of the picture that was sharpened; None where it was not.
        company: How many lines were read for certain elsewhere.
    """
    strip, peaks, reading = opinion.line.strip, opinion.peaks, opinion.reading
    text = "" if reading is None else reading.text
    networks = (peaks.full, peaks.half, peaks.zoom, seen.full, seen.half, seen.zoom)
    return [
        *(logit(probability, _SURE) for probability in networks),
        seen.filled,
        math.log(max(seen.contrast, 1.0)),
        math.log(max(seen.fine, 0.1)),
        math.log(max(strip.height, 1.0)),
        math.log(max(strip.length, 1.0)),
        opinion.line.area / max(strip.length * strip.height, 1.0),
        float(company),
        0.0 if reading is None else reading.sure,
        float(len(text)),
        float(sum(map(str.isalnum, text))),
        float(sum(char.isascii() and char.isalnum() for char in text)),
        float(sum(map(str.isdigit, text))),
        verify.alone(opinion),
        verify.read(opinion),
        peaks.seen_aside,
        peaks.mean_aside,
        float(before is not None),
        *astuple(before or seen),
    ]

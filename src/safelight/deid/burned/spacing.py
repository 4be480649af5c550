"""How far apart the letters of a line stand, and so how far away its next letter may be."""

from typing import Final

from safelight.deid.burned.sight import Candidate

__all__ = ["pitch"]

_READ: Final = 0.8
_SEVERAL: Final = 2
_SPREAD: Final = 0.85
_MOST: Final = 3.0


def pitch(candidate: Candidate) -> float:
    """Return the pixels from one letter to the next where letters are spread; 0 where not.

    Args:
        candidate: A line; letters nearer to each other than the line is high are not spread.
    """
    reading, strip = candidate.reading, candidate.strip
    letters = 0 if reading is None else sum(not char.isspace() for char in reading.text)
    if reading is None or reading.sure < _READ or letters < _SEVERAL:
        return 0.0
    step = strip.length / letters
    return min(step, _MOST * strip.height) if step >= _SPREAD * strip.height else 0.0

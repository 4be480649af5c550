"""A glance at one of very many pictures: may there be writing on it, for the price of one scale.

The thresholds were chosen on slices of head volumes along three axes, bare and with names on them:
of bare ones about one in forty called for a closer look and none for certain, of those with letters
of 9 pixels and more in full contrast all but a few called for one.
"""

from enum import IntEnum
from typing import Final

import numpy as np

from safelight.deid.burned.find import Grey, Segments

__all__ = ["Glance", "glance"]

_SMALL: Final = 400  # pixels of the longer side: letters of 8 pixels show at twice the size only
_SOME: Final = (0.9, 4)
_CLEAR: Final = (0.97, 12)


class Glance(IntEnum):
    """What a glance gives."""

    NOTHING = 0
    PERHAPS = 1
    CLEARLY = 2


def glance(segments: Segments, grey: Grey) -> Glance:
    """Return whether a picture is worth a closer look.

    Args:
        segments: The network.
        grey: As displayed, (rows, columns).
    """
    probability = segments.probability(grey, 2.0 if max(grey.shape) <= _SMALL else 1.0)
    for level, (least, pixels) in ((Glance.CLEARLY, _CLEAR), (Glance.PERHAPS, _SOME)):
        if np.count_nonzero(probability > least) >= pixels:
            return level
    return Glance.NOTHING

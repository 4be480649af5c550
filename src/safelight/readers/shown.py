"""The picture that readers are shown: like those they learnt from.

It has no frame, and of some kinds no margins: of 20 bleeds in pictures that were cut to the head 17
were seen, and none with 60 black pixels around them. Of CT it is in the window they learnt from,
not in that of a header, which somebody last looked through: a bleed that is plain in a window for
brain is not there in one for bone.
"""

from typing import Final

import numpy as np
from numpy.typing import NDArray

from safelight.readers import quality
from safelight.readers.kind import shrink
from safelight.readers.kind.pixels import LEAST_SIDE
from safelight.readers.measures import hu
from safelight.readers.measures.common import rescale
from safelight.readers.reading import ViewKind
from safelight.readers.view import View

__all__ = ["note", "picture"]

# Lowest and highest CT number that are told apart: head CT is published in a window for brain.
_WINDOWS: Final = {ViewKind.HEAD_CT: (0.0, 80.0)}
# Learnt from pictures that were cut to what they show.
_TIGHT: Final = frozenset((ViewKind.HEAD_CT, ViewKind.BREAST_ULTRASOUND))
_COARSE: Final = 96  # side at which margins are looked for
_PLANES: Final = 2


def picture(view: View, kind: ViewKind | None) -> NDArray[np.uint8]:
    """Return the grey levels of what readers see of the picture, shape (rows, columns).

    Args:
        view: The input.
        kind: What it is. Where its readers learnt from one window and the header tells CT numbers,
            they see that window, whatever window the header names.

    Raises:
        UnreadableInputError: It cannot be decoded.
        LimitExceededError: It takes more than the limits allow.
    """
    found = _windowed(view, kind)
    return _cut(view.picture(view.middle) if found is None else found, kind)


def note(view: View, kind: ViewKind | None) -> str:
    """Return in words what readers see otherwise than it is displayed; empty where nothing is.

    Raises:
        UnreadableInputError: See ``picture``, as for all that is raised.
    """
    told = []
    if kind in _WINDOWS and _windowed(view, kind) is not None:
        low, high = _WINDOWS[kind]
        told.append(f"CT numbers from {low:g} to {high:g} HU, whatever window the header names")
    if picture(view, kind).shape != view.picture(view.middle).shape:
        told.append("the picture without what lies around it")
    return f"readers see {' and '.join(told)}" if told else ""


def _cut(grey: NDArray[np.uint8], kind: ViewKind | None) -> NDArray[np.uint8]:
    """Return a picture without what is around it."""
    rows, columns = grey.shape
    if kind is None or min(grey.shape) < LEAST_SIDE:
        return grey
    if kind not in _TIGHT:
        return np.ascontiguousarray(grey[quality.inside(grey)])
    left, top, right, bottom = shrink.content(shrink.reduced(grey, _COARSE))
    down = slice(top * rows // _COARSE, bottom * rows // _COARSE)
    return np.ascontiguousarray(grey[down, left * columns // _COARSE : right * columns // _COARSE])


def _windowed(view: View, kind: ViewKind | None) -> NDArray[np.uint8] | None:
    if kind not in _WINDOWS or hu.refusal(view, view.middle):
        return None
    stored, scaled = view.stored(view.middle), rescale(view, view.middle)
    if stored.ndim != _PLANES or isinstance(scaled, str):
        return None
    low, high = _WINDOWS[kind]
    numbers = stored.astype(np.float64) * scaled[0] + scaled[1]
    levels = np.rint((np.nan_to_num(numbers, nan=low) - low) * (255 / (high - low)))
    return np.clip(levels, 0, 255).astype(np.uint8)

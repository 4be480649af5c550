"""What all measurements share: codes, boxes, and how a refusal is written."""

from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from safelight.errors import UnreadableInputError
from safelight.readers.reading import Code, Measurement
from safelight.readers.view import View

__all__ = ["AREA", "DISTANCE", "MEAN", "inside", "own", "place_of", "real_values", "refused"]

Box = tuple[int, int, int, int]

MEAN: Final = Code(scheme="SCT", value="373098007", meaning="Mean")
DISTANCE: Final = Code(scheme="DCM", value="121206", meaning="Distance")
AREA: Final = Code(scheme="SCT", value="42798000", meaning="Area")
_SEVERAL: Final = 2


def own(value: str, meaning: str) -> Code:
    """Return a code of our own, where PS3.16 has none for the whole."""
    return Code(scheme="99SAFELIGHT", value=value, meaning=meaning)


def refused(name: Code, unit: str, why: str, *, method: str, place: str = "") -> Measurement:
    """Return a measurement without a value."""
    return Measurement(name=name, value=None, unit=unit, place=place, method=method, refused=why)


def place_of(view: View, frame: int, box: Box | None = None) -> str:
    """Return where a value was taken, for ``Measurement.place``."""
    parts = [f"frame {frame + 1}"] if view.frames >= _SEVERAL else []
    if box is not None:
        parts.append(",".join(str(each) for each in box))
    return ", ".join(parts)


def inside(values: NDArray[Any], box: Box | None) -> NDArray[Any]:
    """Return the part of a frame that a box (x, y, w, h) covers.

    Raises:
        UnreadableInputError: The box is empty or leads out of the frame.
    """
    if box is None:
        return values
    x, y, w, h = box
    rows, columns = values.shape[:2]
    if w < 1 or h < 1 or x < 0 or y < 0 or x + w > columns or y + h > rows:
        raise UnreadableInputError("the box does not lie inside the frame", place=place_text(box))
    return values[y : y + h, x : x + w]


def place_text(box: Box) -> str:
    """Return a box as text."""
    return ",".join(str(each) for each in box)


def real_values(view: View, frame: int, box: Box | None = None) -> NDArray[np.float64]:
    """Return rescaled values (PS3.3 C.11.1), flat, without pixels that are padding.

    Raises:
        UnreadableInputError: There are none, or they cannot be decoded.
        LimitExceededError: They take more than the limits allow.
    """
    header = view.pixels
    if header is None:
        raise UnreadableInputError(view.why_no_picture or "it has no pixel data")
    stored = inside(view.stored(frame), box)
    if stored.ndim > _SEVERAL:
        raise UnreadableInputError("its pixels are colours, not values")
    look = header.look(frame)
    if look.modality is not None:
        table = look.modality
        values = table.values()[table.look_up(stored)].astype(np.float64)
    else:
        values = stored.astype(np.float64) * look.slope + look.intercept
    if header.padding is not None:
        low, high = header.padding
        values = values[(stored < low) | (stored > high)]
    values = values[np.isfinite(values)]
    if not values.size:
        raise UnreadableInputError("all of its pixels are padding")
    return np.asarray(values, np.float64).reshape(-1)

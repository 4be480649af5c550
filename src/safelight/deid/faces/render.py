"""Pictures of a head's surface before and after, so that a person sees what was taken off."""

from io import BytesIO
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray
from PIL import Image
from scipy import ndimage

from safelight.deid.faces.judge import Examined

__all__ = ["surface_png"]

Mask = NDArray[np.bool_]
Shade = NDArray[np.uint8]

_LIGHT: Final = (0.35, 0.35, 0.87)  # right, up, towards the viewer
_GAP: Final = 8


def surface_png(examined: Examined) -> bytes | None:
    """Return a PNG: the head from the front and the side, before and after; None without a head."""
    head = examined.head
    if head is None or not head.any():
        return None
    after = head & ~examined.mask.mask if examined.mask is not None else head
    rows = [np.hstack([_front(one), _gap(one), _side(one)]) for one in (head, after)]
    picture = np.hstack([rows[0], _gap(head), rows[1]])
    out = BytesIO()
    image = Image.fromarray(picture)
    image.resize((image.width * 2, image.height * 2), Image.Resampling.BICUBIC).save(out, "PNG")
    return out.getvalue()


def _gap(head: Mask) -> Shade:
    return np.full((head.shape[0], _GAP), 255, np.uint8)


def _front(head: Mask) -> Shade:
    """Return the head as seen from the front, top up; the patient's left is at the right."""
    return _shaded(head.transpose(0, 2, 1)[::-1])


def _side(head: Mask) -> Shade:
    """Return the head as seen from its left, looking to the left of the picture."""
    return _shaded(head[::-1, :, ::-1])


def _shaded(head: Mask) -> Shade:
    """Return light on the first surface along the last axis."""
    seen = head.any(2)
    depth: NDArray[Any] = np.where(seen, head.argmax(2), head.shape[2]).astype(np.float64)
    smooth = ndimage.gaussian_filter(depth, 1.0)
    down, right = np.gradient(smooth)
    length = np.sqrt(down**2 + right**2 + 1)
    light = (_LIGHT[0] * -right + _LIGHT[1] * down + _LIGHT[2]) / length
    shade = np.where(seen, 40 + 215 * np.clip(light, 0, 1), 0)
    return shade.astype(np.uint8)

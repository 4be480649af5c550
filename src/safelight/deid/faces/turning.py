"""A head from all around, before and after its face was taken off: pictures to turn it by.

The surface is where the smoothed mask passes one half; light falls on its gradient, so that both
sides are drawn from the same 2 mm grid that was judged, and from nothing finer.
"""

from dataclasses import dataclass
from typing import Any, Final

import cv2
import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

from safelight.deid.faces.judge import Examined

__all__ = ["ACROSS", "VIEWS", "Turned", "turned"]

VIEWS: Final = 36  # pictures of one turn
ACROSS: Final = 6  # of them in a row of a sheet
_SMOOTH: Final = 0.9  # voxels: of the surface
_SMOOTH_LIGHT: Final = 1.6  # and of the light on it, more
_MARGIN: Final = 3  # voxels
_LARGER: Final = 2.0  # pixels a voxel
_LIGHT: Final = (-0.3, 0.35, 0.89)  # right, up, towards the viewer
_DARK, _BRIGHT = 26.0, 220.0
_QUALITY: Final = 84

Mask = NDArray[np.bool_]
Field = NDArray[np.float32]
Shade = NDArray[np.uint8]


@dataclass(frozen=True, slots=True, kw_only=True)
class Turned:
    """Two sheets of one head, JPEG: ``VIEWS`` pictures, ``ACROSS`` a row, the front first.

    Each next one is seen from further round to the patient's left.

    Attributes:
        before: As it was: it shows who it is.
        after: Without the face.
    """

    before: bytes
    after: bytes


def turned(examined: Examined) -> Turned | None:
    """Return a head from all around, before and after; None where there is no face to show."""
    head, face = examined.head, examined.mask
    if head is None or face is None or not head.any():
        return None
    part = _around(head)
    before = head[part]
    return Turned(before=_sheet(before), after=_sheet(before & ~face.mask[part]))


def _around(head: Mask) -> tuple[slice, ...]:
    """Return the box that holds a head, with a margin."""
    found = []
    for axis in range(3):
        others = tuple(each for each in range(3) if each != axis)
        there = np.flatnonzero(head.any(others))
        found.append(slice(max(0, int(there[0]) - _MARGIN), int(there[-1]) + 1 + _MARGIN))
    return tuple(found)


def _sheet(head: Mask) -> bytes:
    """Return all views of a head, shape (z, y, x), as one JPEG."""
    solid = ndimage.gaussian_filter(np.pad(head.astype(np.float32), _MARGIN), _SMOOTH)
    slopes = np.stack(np.gradient(ndimage.gaussian_filter(solid, _SMOOTH_LIGHT)))
    planes = np.ascontiguousarray(solid.transpose(1, 2, 0))
    rows = []
    for first in range(0, VIEWS, ACROSS):
        views = [
            _view(planes, slopes, 2 * np.pi * at / VIEWS) for at in range(first, first + ACROSS)
        ]
        rows.append(np.hstack(views))
    options = [cv2.IMWRITE_JPEG_QUALITY, _QUALITY]
    _done, data = cv2.imencode(".jpg", np.vstack(rows), options)
    return bytes(data)


def _view(solid: Field, slopes: Field, angle: float) -> Shade:
    """Return a head as it is seen from one side; 0 is the front, a quarter turn its left.

    Args:
        solid: Smoothed, shape (y, x, z).
        slopes: Its gradient, shape (3, z, y, x).
        angle: Radians.
    """
    deep, wide, _tall = solid.shape
    reach = int(np.ceil(np.hypot(deep, wide)))
    reach += reach % 2
    c, s = np.cos(angle), np.sin(angle)
    # Rows of the turned plane go away from the viewer, columns to their right.
    right = np.arange(reach)[None, :] - (reach - 1) / 2
    away = np.arange(reach)[:, None] - (reach - 1) / 2
    x = (right * c - away * s + (wide - 1) / 2).astype(np.float32)
    y = (right * s + away * c + (deep - 1) / 2).astype(np.float32)
    seen = cv2.remap(solid, x, y, cv2.INTER_LINEAR)  # (away, right, z)
    inside = seen > 0.5  # noqa: PLR2004 - the surface
    first = inside.argmax(0)
    hit = inside.any(0)
    column, level = np.nonzero(hit)
    first = first[hit]
    here = seen[first, column, level]
    ahead = seen[np.maximum(first - 1, 0), column, level]
    step = np.clip((here - 0.5) / np.maximum(here - ahead, 1e-6), 0, 1)
    depth = first - step - (reach - 1) / 2
    u = column - (reach - 1) / 2
    places = np.stack(
        [level, u * s + depth * c + (deep - 1) / 2, u * c - depth * s + (wide - 1) / 2]
    )
    grad = np.stack([ndimage.map_coordinates(one, places, order=1) for one in slopes])
    grad /= np.maximum(np.sqrt((grad**2).sum(0)), 1e-6)
    up, back, left = -grad  # the gradient points inwards
    lit = _LIGHT[0] * (left * c + back * s) + _LIGHT[1] * up
    lit += _LIGHT[2] * (left * s - back * c)
    shade = np.zeros(hit.shape, np.float32)
    shade[hit] = _DARK + _BRIGHT * np.clip(lit, 0, 1)
    return _enlarged(shade.T[::-1], hit.T[::-1])  # top up


def _enlarged(shade: NDArray[Any], hit: Mask) -> Shade:
    """Return a view at the size it is shown in, black around it."""
    size = (round(shade.shape[1] * _LARGER), round(shade.shape[0] * _LARGER))
    near = ndimage.distance_transform_edt(~hit, return_distances=False, return_indices=True)
    whole = shade[tuple(near)].astype(np.float32)  # so that no edge is mixed with the dark
    large = cv2.resize(whole, size, interpolation=cv2.INTER_CUBIC)
    edge = cv2.resize(hit.astype(np.float32), size, interpolation=cv2.INTER_LINEAR)
    edge = np.clip((cv2.GaussianBlur(edge, (0, 0), 1.0) - 0.5) * 3 + 0.5, 0, 1)
    view: Shade = np.clip(np.rint(large * edge), 0, 255).astype(np.uint8)
    return view

"""Take the face off a head: what is masked, on the 2 mm grid and in any slice.

Below the brows everything in front of a slanted plane goes, and behind it a shell under the skin
as far back as the cheekbones: nose, mouth, eyes and cheeks. The brain that the skull cap promises
keeps a margin. Another estimate of the brain, from the values, checks what came out.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

from safelight.deid.faces import brain as brains
from safelight.deid.faces.profile import Profile
from safelight.deid.faces.volume import GRID, Affine, Volume

__all__ = ["FaceMask", "Head", "deface", "room_of"]

Mask = NDArray[np.bool_]

_ABOVE: Final = 12.0  # mm above the nasion: brows
_BELOW: Final = 150.0  # mm below it: the chin of a large head, and under it
_TEMPLE: Final = 52.0  # mm behind it, at its height: further back the temporal lobe begins
_CHEEK: Final = 66.0  # mm behind it, lower down: cheekbones and jaw
_WIDENS: Final = 0.5  # mm further back for each mm down
_SHELL: Final = 18.0  # mm under the skin
_PLANE: Final = 18.0  # mm behind the nasion, where the plane starts
_SLOPE: Final = 0.25  # mm further back for each mm down
_MARGIN: Final = 6.0  # mm around the brain
_TOUCHED: Final = 0.1  # mL of the second brain in the mask: abstain


@dataclass(frozen=True, slots=True, kw_only=True)
class Head:
    """What was found of a head, on the grid of its volume.

    Attributes:
        mask: The head, shape (z, y, x).
        profile: Its front.
        cap: Brain by the shape of the skull cap.
        brain: Brain by the values.
    """

    mask: Mask
    profile: Profile
    cap: Mask
    brain: Mask


@dataclass(frozen=True, slots=True, kw_only=True)
class FaceMask:
    """The part of space that shows a face.

    Attributes:
        mask: On the grid, shape (z, y, x).
        origin: Patient coordinates (x, y, z) of voxel 0, mm.
        brain_ml: How much of the second estimate of the brain it touches.
    """

    mask: Mask
    origin: tuple[float, float, float]
    brain_ml: float = 0.0

    def of_slice(self, affine: Affine, rows: int, columns: int) -> Mask:
        """Return which pixels of a slice lie in it, shape (rows, columns).

        Args:
            affine: (column, row, 0) to patient space, as ``slice_affine`` gives it. Of any series
                in the same frame of reference.
            rows: Of the slice.
            columns: Of the slice.
        """
        across = np.arange(columns)[None, :]
        down = np.arange(rows)[:, None]
        places = []
        for axis in (2, 1, 0):  # the grid is (z, y, x)
            start = affine[axis, 3] - self.origin[axis]
            place = (affine[axis, 0] * across + affine[axis, 1] * down + start) / GRID
            places.append(np.rint(place).astype(np.int32))
        inside = np.ones((rows, columns), np.bool_)
        for place, size in zip(places, self.mask.shape, strict=True):
            inside &= (place >= 0) & (place < size)
            np.clip(place, 0, size - 1, out=place)
        return np.asarray(self.mask[places[0], places[1], places[2]] & inside)

    def of_array(self, affine: Affine, shape: tuple[int, ...]) -> Iterator[Mask]:
        """Yield the mask of an array (i, j, k) slice by slice along k, shape (i, j) each.

        Args:
            affine: (i, j, k) to patient space of DICOM; of NIfTI: ``lps(affine)``.
            shape: Of the array; axes after the third are left alone.
        """
        for index in range(shape[2]):
            at = affine.copy()
            at[:3, 3] = affine[:3, 3] + affine[:3, 2] * index
            yield self.of_slice(at, shape[1], shape[0]).T


def deface(volume: Volume, head: Head) -> FaceMask | None:
    """Return the mask of the face; None when it would come too near the brain."""
    low, back = head.profile.down_and_back(volume.data.shape)
    reach = np.minimum(_TEMPLE + _WIDENS * np.maximum(low, 0), _CHEEK)
    window = (low >= -_ABOVE) & (low <= _BELOW) & (back <= reach)
    plane = window & (back <= _PLANE + _SLOPE * np.maximum(low, 0))
    rows = np.flatnonzero(window.any(1))
    mask = np.zeros_like(head.mask)
    if not len(rows):
        return None
    part = slice(max(0, int(rows[0]) - 12), int(rows[-1]) + 13)
    skin = head.mask[part]
    depth = ndimage.distance_transform_edt(np.pad(skin, ((0, 0), (1, 1), (1, 1))))
    shell = depth[:, 1:-1, 1:-1] * GRID <= _SHELL
    mask[part] = (shell | plane[part, :, None]) & window[part, :, None]
    near = _grown(head.cap, _MARGIN)
    mask &= ~near
    touched = brains.millilitres(mask & head.brain)
    if touched > _TOUCHED:
        return None
    return FaceMask(mask=mask, origin=volume.origin, brain_ml=touched)


def room_of(low: NDArray[np.float64], back: NDArray[np.float64]) -> Mask:
    """Return where a brain may be: above the skull base, which falls to the back."""
    return np.asarray(low <= -4 + 0.35 * back)


def _grown(mask: Mask, by: float) -> Mask:
    away = ndimage.distance_transform_edt(~mask)
    return np.asarray(away * GRID <= by)

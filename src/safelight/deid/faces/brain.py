"""The brain, twice: from the shape of the skull cap, and from the values inside it.

The first guides the mask. The second knows nothing of the first and checks the mask afterwards.
Both are crude; what counts is that they err to the outside near the face.
"""

from typing import Final

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

from safelight.deid.faces.volume import GRID, Volume

__all__ = ["from_cap", "from_values", "millilitres"]

Mask = NDArray[np.bool_]

_SKULL: Final = 13.0  # mm of scalp, bone and fluid over the brain
_SCALP: Final = 10.0  # mm under the surface where no brain is
_SEED: Final = 36.0  # mm around the middle of the cap, all brain
_DARK: Final = {"CT": -5.0, "MR": 0.45, "PT": 0.4}
_LIGHT: Final = {"CT": 90.0, "MR": 1.8, "PT": 3.0}
_FEWEST: Final = 200  # points a fit needs
_TOUCH: Final = ndimage.generate_binary_structure(3, 1)


def millilitres(mask: Mask) -> float:
    """Return the volume of a mask on the 2 mm grid."""
    return float(np.count_nonzero(mask)) * GRID**3 / 1000


def from_cap(head: Mask, floor: int) -> Mask | None:
    """Return an ellipsoid inside the skull cap; None when no sensible one fits.

    Args:
        head: The head, shape (z, y, x).
        floor: Lowest slice of the cap: well above brows and ears.
    """
    cap = head.copy()
    cap[:floor] = False
    skin = cap & ~ndimage.binary_erosion(head, _TOUCH, border_value=1)
    points = np.argwhere(skin).astype(np.float64) * GRID
    if len(points) < _FEWEST:
        return None
    middle = points.mean(0)
    near = points - middle
    # A z² + B y² + C x² + D z + E y + F x = 1, by least squares
    terms = np.hstack([near**2, near])
    solved = np.linalg.lstsq(terms / 1e4, np.full(len(near), 1e-4), rcond=None)[0]
    square, linear = solved[:3], solved[3:]
    if (square <= 0).any():
        return None
    centre = -linear / (2 * square)
    radii = np.sqrt((1 + (square * centre**2).sum()) / square)
    if not np.isfinite(radii).all() or radii.min() < 50 or radii.max() > 135:  # noqa: PLR2004 - mm, heads of children and adults
        return None
    grids = np.ogrid[tuple(slice(0, n) for n in head.shape)]
    away = sum(
        ((grid * GRID - middle[n] - centre[n]) / (radii[n] - _SKULL)) ** 2
        for n, grid in enumerate(grids)
    )
    brain: Mask = np.asarray(away <= 1.0)
    return brain & head


def from_values(
    volume: Volume, head: Mask, middle: tuple[int, int, int], room: NDArray[np.bool_]
) -> Mask:
    """Return what has the values of the middle of the head and hangs together with it.

    Args:
        volume: The scan.
        head: The head, shape (z, y, x).
        middle: A voxel (z, y, x) inside the brain.
        room: Where it may be, shape (z, y): not below the skull base.
    """
    grids = np.ogrid[tuple(slice(0, n) for n in head.shape)]
    away = sum(((grid - at) * GRID) ** 2 for grid, at in zip(grids, middle, strict=True))
    seed = np.asarray(away <= _SEED**2) & head
    if not seed.any():
        return np.zeros_like(head)
    kind = volume.modality if volume.modality in _DARK else "MR"
    typical = 1.0 if kind == "CT" else float(np.median(volume.data[seed]))
    data = ndimage.uniform_filter(volume.data, 3) if kind == "CT" else volume.data
    like = (data > _DARK[kind] * typical) & (data < _LIGHT[kind] * typical)
    deep = ndimage.distance_transform_edt(np.pad(head, 1))[1:-1, 1:-1, 1:-1] * GRID > _SCALP
    like &= deep & room[:, :, None]
    core = ndimage.binary_erosion(like, _TOUCH, iterations=4)
    labels, count = ndimage.label(core, _TOUCH)
    if not count:
        return np.zeros_like(head)
    votes = np.bincount(labels[seed], minlength=count + 1)
    votes[0] = 0
    if not votes.any():
        return np.zeros_like(head)
    brain = labels == int(votes.argmax())
    brain = ndimage.binary_dilation(brain, _TOUCH, iterations=5, mask=like)
    closed = ndimage.binary_closing(np.pad(brain, 6), _TOUCH, iterations=4)[6:-6, 6:-6, 6:-6]
    for plane in closed:
        plane[:] = ndimage.binary_fill_holes(plane)
    return np.asarray(closed & head)

"""The head in a volume: what is not air, its front profile, nasion, nose tip and chin."""

from typing import Final

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

from safelight.deid.faces.volume import Volume

__all__ = ["head_of"]

Mask = NDArray[np.bool_]

_AIR: Final = -250.0  # HU between air and skin
_DIM: Final = 0.35  # of Otsu's threshold: skin is dimmer than brain
_HALF_BAND: Final = 30.0  # mm to either side of the middle, where forehead, nose and chin are
_NECK: Final = 300.0  # mm below the vertex: there is no face further down
_ALL: Final = ndimage.generate_binary_structure(3, 1)


def head_of(volume: Volume) -> Mask:
    """Return the largest thing that is not air, holes filled, shape of the volume."""
    data = volume.data
    tissue = data > _AIR if volume.modality == "CT" else data > _threshold(data[volume.inside])
    tissue &= volume.inside
    opened = ndimage.binary_opening(np.pad(tissue, 2, mode="edge"), _ALL)[2:-2, 2:-2, 2:-2]
    labels, count = ndimage.label(opened, _ALL)
    if not count:
        return np.asarray(opened)
    sizes = np.bincount(labels.ravel())
    sizes[0] = 0
    head = labels == int(sizes.argmax())
    head = ndimage.binary_dilation(head, _ALL, mask=tissue)
    return _filled(head)


def _threshold(values: NDArray[np.float32]) -> float:
    """Return a level between air and tissue: a part of Otsu's, above the noise."""
    low, high = np.percentile(values, (0.5, 99.0))
    if not high > low:
        return float(high)
    counts, edges = np.histogram(np.clip(values, low, high), 128)
    middle = (edges[:-1] + edges[1:]) / 2
    weight = np.cumsum(counts)
    total = np.cumsum(counts * middle)
    other = weight[-1] - weight
    with np.errstate(divide="ignore", invalid="ignore"):
        apart = total / weight - (total[-1] - total) / other
        between = np.where((weight > 0) & (other > 0), weight * other * apart**2, 0.0)
    otsu = float(middle[int(between.argmax())])
    return float(low + _DIM * (otsu - low))


def _filled(mask: Mask) -> Mask:
    """Return the mask without holes, seen in slices along each axis (airways open to one side)."""
    filled = ndimage.binary_closing(np.pad(mask, 4), _ALL, iterations=3)[4:-4, 4:-4, 4:-4]
    for axis in (0, 2):
        planes = np.moveaxis(filled, axis, 0)
        for plane in planes:
            plane[:] = ndimage.binary_fill_holes(plane)
    return np.asarray(filled)

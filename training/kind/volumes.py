"""Pictures out of NIfTI volumes and DICOM files, as they would be shown."""

import gzip
import io
from collections.abc import Iterator
from typing import Any, Final

import cv2
import numpy as np
from numpy.typing import NDArray

from safelight.deid.faces.nifti import NiftiImage

__all__ = ["of_dicom", "of_nifti"]

Array = NDArray[Any]
Picture = NDArray[np.uint8]

_PLACES: Final = (0.28, 0.36, 0.44, 0.52, 0.6, 0.68)  # of the extent: where slices are taken
_DIMENSIONS: Final = 3
# Level and width in Hounsfield units, one after the other.
_HEAD: Final = ((40.0, 80.0), (40.0, 160.0), (300.0, 1500.0))
_BODY: Final = ((40.0, 400.0), (-600.0, 1500.0))


def of_nifti(data: bytes, *, window: str) -> Iterator[Picture]:
    """Yield slices in all three planes, the head up, shape (rows, columns).

    Args:
        data: A NIfTI file, compressed or not, as RAS or anything near it.
        window: ``head`` or ``body`` for CT; empty for MR, shown from its own levels.
    """
    image = NiftiImage.read(gzip.decompress(data) if data[:2] == b"\x1f\x8b" else data)
    if image is None:
        return
    first = image.voxels.reshape((*image.voxels.shape[:3], -1), order="F")[..., 0]
    volume = np.nan_to_num(first.astype(np.float32)) * np.float32(image.slope)
    volume = volume + np.float32(image.intercept)
    sides = volume.shape
    steps = np.ones(3) if image.affine is None else np.linalg.norm(image.affine[:3, :3], axis=0)
    number = 0
    for axis in range(_DIMENSIONS):
        for share in _PLACES if sides[axis] > len(_PLACES) else ():
            plane = np.take(volume, int(share * sides[axis]), axis).T[::-1]
            down, across = (float(steps[n]) for n in range(2, -1, -1) if n != axis)
            yield _scaled(_shown(plane, window, number), down, across)
            number += 1


def of_dicom(data: bytes, *, window: str, number: int) -> Picture:
    """Return the picture of a DICOM file; its own window is not used.

    Args:
        data: The file.
        window: As in ``of_nifti``.
        number: Which window is taken, where there are several.
    """
    import pydicom  # noqa: PLC0415  # not needed for the other sources

    held = pydicom.dcmread(io.BytesIO(data))
    plane = held.pixel_array.astype(np.float32)
    plane = plane * float(held.get("RescaleSlope", 1)) + float(held.get("RescaleIntercept", 0))
    return _shown(plane, window, number)


def _shown(plane: Array, window: str, number: int) -> Picture:
    if window:
        windows = _HEAD if window == "head" else _BODY
        level, width = windows[number % len(windows)]
        low, high = level - width / 2, level + width / 2
    else:
        low, high = (float(np.percentile(plane, share)) for share in (0.5, 99.7))
    levels = (plane - low) / max(high - low, 1e-6) * 255
    return np.asarray(levels.clip(0, 255)).astype(np.uint8)


def _scaled(picture: Picture, down: float, across: float) -> Picture:
    """Return a picture with square pixels."""
    least = min(down, across) or 1
    rows, columns = picture.shape
    size = (round(columns * across / least), round(rows * down / least))
    return np.asarray(cv2.resize(picture, size, interpolation=cv2.INTER_AREA)).astype(np.uint8)

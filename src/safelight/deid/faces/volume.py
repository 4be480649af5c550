"""Volumes of about 2 mm in patient space, from a NIfTI file or from slices in any order.

Only a small copy is kept: neither a face nor its mask needs finer voxels, and a series may have
thousands of slices. Patient space is that of DICOM: x to the left, y to the back, z to the head,
in millimetres (PS3.3 C.7.6.2.1.1). NIfTI's x and y have the other sign.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

__all__ = ["GRID", "SeriesVolume", "Slice", "Volume", "slice_affine"]

Array = NDArray[Any]
Affine = NDArray[np.float64]

GRID: Final = 2.0  # mm
_LARGEST: Final = 700.0  # mm: what is longer is cut to its upper part, where a head is
_SLICES: Final = 3000
_FEWEST: Final = 8
_THINNEST: Final = 30.0  # mm: less is a slab, not a volume
_WIDEST_GAP: Final = 12.0  # mm
_PARALLEL: Final = 1e-2
_SHEAR: Final = 0.7  # largest drift of slices across their normal, as a share: a gantry's tilt
_STACKS: Final = 8  # orientations and sizes in one series
_SAME: Final = 0.05  # mm: slices nearer than this lie in one place
_VOXEL: Final = 30.0  # mm


@dataclass(frozen=True, slots=True, kw_only=True)
class Volume:
    """A scan on a grid along the patient's axes.

    Attributes:
        data: Values, float32, shape (z, y, x), ascending to the head, the back and the left. HU
            for CT; outside the scan: the lowest value.
        inside: Where the scan has data, same shape.
        origin: Patient coordinates (x, y, z) of voxel 0, mm.
        modality: ``CT``, ``MR``, ``PT`` or what the header says; empty when unknown.
        body_part: Body Part Examined, upper case; empty when unknown.
    """

    data: NDArray[np.float32]
    inside: NDArray[np.bool_]
    origin: tuple[float, float, float]
    modality: str = ""
    body_part: str = ""

    @classmethod
    def from_array(
        cls, data: Array, affine: Affine, *, modality: str = "", body_part: str = ""
    ) -> "Volume":
        """Return the 2 mm copy of an array.

        Args:
            data: Shape (i, j, k); more axes are cut to their first index.
            affine: 4 by 4, indices (i, j, k) to patient coordinates of DICOM in mm.
            modality: As DICOM names it.
            body_part: As DICOM names it.

        Raises:
            ValueError: It has fewer than three axes, or the affine is no use.
        """
        while data.ndim > 3:  # noqa: PLR2004 - space has three
            data = data[..., 0]
        if data.ndim != 3 or data.dtype.kind not in "iufb" or min(data.shape) < _FEWEST:  # noqa: PLR2004 - as above
            raise ValueError("not a volume of numbers")
        _check(affine)
        small, affine = _shrunk(data, np.asarray(affine, np.float64))
        return cls._gridded(small, affine, modality, body_part)

    @classmethod
    def from_nifti(cls, data: Array, affine: Affine, *, modality: str = "") -> "Volume":
        """Return the 2 mm copy of a NIfTI image; its affine has x to the right, y to the front.

        Raises:
            ValueError: It has fewer than three axes, or the affine is no use.
        """
        flip = np.diag([-1.0, -1.0, 1.0, 1.0])
        return cls.from_array(data, flip @ np.asarray(affine, np.float64), modality=modality)

    @classmethod
    def _gridded(cls, data: Array, affine: Affine, modality: str, body_part: str) -> "Volume":
        corners = np.array(np.meshgrid(*[(0, n - 1) for n in data.shape])).reshape(3, -1)
        placed = affine[:3, :3] @ corners + affine[:3, 3:]
        low, high = placed.min(1), placed.max(1)
        low = np.maximum(low, high - _LARGEST)
        shape = (np.ceil((high - low) / GRID) + 1).astype(int)
        to_index = np.linalg.inv(affine)
        step = np.array([2, 1, 0])  # the grid is (z, y, x)
        matrix = to_index[:3, :3][:, step] * GRID
        offset = to_index[:3, :3] @ low + to_index[:3, 3]
        finite = np.nan_to_num(data.astype(np.float32), posinf=0.0, neginf=0.0)
        size = (int(shape[2]), int(shape[1]), int(shape[0]))
        lowest = float(finite.min())
        grid = ndimage.affine_transform(
            finite, matrix, offset, output_shape=size, order=1, cval=lowest
        )
        inside = ndimage.affine_transform(
            np.ones(data.shape, np.uint8), matrix, offset, output_shape=size, order=0, cval=0
        )
        return cls(
            data=grid,
            inside=inside.astype(np.bool_),
            origin=(float(low[0]), float(low[1]), float(low[2])),
            modality=modality,
            body_part=body_part.upper(),
        )


def _check(affine: Affine) -> None:
    axes = np.asarray(affine, np.float64)
    if axes.shape != (4, 4) or not np.isfinite(axes).all():
        raise ValueError("the affine is no use")
    sizes = np.linalg.norm(axes[:3, :3], axis=0)
    volume = abs(np.linalg.det(axes[:3, :3]))
    if sizes.min() <= 0 or sizes.max() > _VOXEL or volume < 0.3 * sizes.prod():
        raise ValueError("the affine is no use")


def _shrunk(data: Array, affine: Affine) -> tuple[Array, Affine]:
    """Return the array averaged over whole blocks of at most about 2 mm, and its affine."""
    affine = affine.copy()
    for axis in range(3):
        size = float(np.linalg.norm(affine[:3, axis]))
        block = _block(size)
        whole = data.shape[axis] // block * block
        if block == 1 or whole // block < _FEWEST:
            continue
        cut = [slice(None)] * 3
        cut[axis] = slice(0, whole)
        starts = np.arange(0, whole, block)
        data = np.add.reduceat(data[tuple(cut)], starts, axis=axis, dtype=np.float32) / block
        affine[:3, 3] += affine[:3, axis] * (block - 1) / 2
        affine[:3, axis] *= block
    return data, affine


def _block(size: float) -> int:
    return max(1, int(GRID / size + 0.3))


@dataclass(frozen=True, slots=True, kw_only=True)
class Slice:
    """Where one frame lies, and what its values mean.

    Attributes:
        position: Image Position (Patient) (0020,0032).
        orientation: Image Orientation (Patient) (0020,0037), six cosines.
        spacing: Pixel Spacing (0028,0030): between rows, then between columns.
        slope: Rescale Slope.
        intercept: Rescale Intercept.
        modality: Modality.
        body_part: Body Part Examined.
    """

    position: Sequence[float]
    orientation: Sequence[float]
    spacing: Sequence[float]
    slope: float = 1.0
    intercept: float = 0.0
    modality: str = ""
    body_part: str = ""

    def affine(self) -> Affine | None:
        """Return the 4 by 4 from (column, row, 0) to patient space; None when it is no use."""
        return slice_affine(self.position, self.orientation, self.spacing)


def slice_affine(
    position: Sequence[float], orientation: Sequence[float], spacing: Sequence[float]
) -> Affine | None:
    """Return the 4 by 4 from (column, row, slice) of one slice to patient space in mm.

    None when the values make no sense. Source: PS3.3 C.7.6.2.1.1, equation C.7.6.2.1-1.
    """
    if len(position) != 3 or len(orientation) != 6 or len(spacing) != 2:  # noqa: PLR2004 - as the standard has it
        return None
    numbers = np.array([*position, *orientation, *spacing], np.float64)
    if not np.isfinite(numbers).all() or min(spacing) <= 0 or max(spacing) > _VOXEL:
        return None
    row, column = numbers[3:6], numbers[6:9]
    if abs(np.linalg.norm(row) - 1) > _PARALLEL or abs(np.linalg.norm(column) - 1) > _PARALLEL:
        return None
    if abs(row @ column) > _PARALLEL:
        return None
    affine = np.eye(4)
    affine[:3, 0] = row * spacing[1]
    affine[:3, 1] = column * spacing[0]
    affine[:3, 2] = np.cross(row, column)
    affine[:3, 3] = numbers[:3]
    return affine


class SeriesVolume:
    """Slices of one series, added in any order, kept at about 2 mm.

    A series may hold slices of several orientations and sizes, such as a scout: the most that go
    together are the volume. ``reason`` says, after ``finish``, why they are none.
    """

    def __init__(self) -> None:
        self.reason = ""
        self._stacks: list[_Stack] = []

    @property
    def thick(self) -> bool:
        """Whether there are enough slices, and far enough apart, to show a head."""
        return any(stack.thick for stack in self._stacks)

    def add(self, at: Slice, frame: Array) -> None:
        """Add one frame; a second one in the same place (another time or weighting) is passed over.

        Args:
            at: Where it lies.
            frame: Stored values, shape (rows, columns).
        """
        affine = at.affine()
        if affine is None or frame.ndim != 2:  # noqa: PLR2004 - grey
            self.reason = self.reason or "a slice has no place in the patient"
            return
        stack = next((one for one in self._stacks if one.takes(affine, frame)), None)
        if stack is None:
            if len(self._stacks) >= _STACKS:
                return
            stack = _Stack(at, affine, frame)
            self._stacks.append(stack)
        stack.add(at, affine, frame)

    def finish(self) -> Volume | None:
        """Return the volume; None when the slices are none, ``reason`` then says why."""
        largest = max(self._stacks, key=len, default=None)
        if largest is None:
            self.reason = self.reason or "it has no slices"
            return None
        volume = largest.volume()
        self.reason = largest.reason
        return volume


class _Stack:
    """Slices of one orientation and size."""

    def __init__(self, first: Slice, axes: Affine, frame: Array) -> None:
        self.reason = ""
        self._first = first
        self._block = (_block(first.spacing[0]), _block(first.spacing[1]))
        self._axes = axes
        self._size = frame.shape
        self._slices: dict[int, tuple[Affine, NDArray[np.float32]]] = {}

    def __len__(self) -> int:
        return len(self._slices)

    @property
    def thick(self) -> bool:
        """Whether it may show a head."""
        span = (max(self._slices) - min(self._slices)) * _SAME if self._slices else 0.0
        return len(self) >= _FEWEST and span >= _THINNEST

    def takes(self, affine: Affine, frame: Array) -> bool:
        """Tell whether a slice goes with the others."""
        turned = np.abs(affine[:3, :3] - self._axes[:3, :3]).max()
        return bool(turned <= _PARALLEL) and frame.shape == self._size

    def add(self, at: Slice, affine: Affine, frame: Array) -> None:
        """Add a slice that goes with the others."""
        place = round(float(affine[:3, 3] @ self._axes[:3, 2]) / _SAME)
        if place in self._slices:
            return
        if len(self._slices) >= _SLICES:
            self.reason = "it has more slices than a head needs"
            return
        small = _averaged(frame, *self._block) * np.float32(at.slope) + np.float32(at.intercept)
        self._slices[place] = (affine, small)

    def volume(self) -> Volume | None:
        """Return the volume; None when the slices are none, ``reason`` then says why."""
        if self.reason:
            return None
        order = sorted(self._slices)
        places = np.array(order, np.float64) * _SAME
        if not self.thick:
            self.reason = "too few slices, or too thin a slab"
            return None
        if np.diff(places).max() > _WIDEST_GAP:
            self.reason = "there are gaps between its slices"
            return None
        first, last = self._slices[order[0]][0], self._slices[order[-1]][0]
        across = (last - first)[:3, 3] / (places[-1] - places[0])
        if np.linalg.norm(across - self._axes[:3, 2]) > _SHEAR:
            self.reason = "its slices do not lie behind one another"
            return None
        affine = self._axes.copy()
        step = max(float(np.median(np.diff(places))), 0.5)
        count = int((places[-1] - places[0]) / step) + 1
        wanted = places[0] + step * np.arange(count)
        stack = self._between(order, places, wanted)
        affine[:3, 3] = first[:3, 3]
        affine[:3, 2] = across * step
        affine[:3, 3] += affine[:3, 0] * (self._block[1] - 1) / 2
        affine[:3, 3] += affine[:3, 1] * (self._block[0] - 1) / 2
        affine[:3, 0] *= self._block[1]
        affine[:3, 1] *= self._block[0]
        try:
            return Volume.from_array(
                stack, affine, modality=self._first.modality, body_part=self._first.body_part
            )
        except ValueError as problem:
            self.reason = str(problem)
            return None

    def _between(self, order: list[int], places: Array, wanted: Array) -> Array:
        """Return slices at even distances, shape (columns, rows, slices)."""
        above = np.clip(np.searchsorted(places, wanted), 1, len(places) - 1)
        gap = places[above] - places[above - 1]
        weight = np.clip((wanted - places[above - 1]) / gap, 0, 1).astype(np.float32)
        shape = self._slices[order[0]][1].shape
        stack = np.empty((shape[1], shape[0], len(wanted)), np.float32)
        for n, (index, share) in enumerate(zip(above, weight, strict=True)):
            low, high = self._slices[order[index - 1]][1], self._slices[order[index]][1]
            stack[:, :, n] = (low + (high - low) * share).T
        return stack


def _averaged(frame: Array, down: int, across: int) -> NDArray[np.float32]:
    rows, columns = frame.shape[0] // down * down, frame.shape[1] // across * across
    blocks = frame[:rows, :columns].astype(np.float32)
    blocks = blocks.reshape(rows // down, down, columns // across, across)
    averaged: NDArray[np.float32] = blocks.mean((1, 3), dtype=np.float32)
    return averaged

"""A NIfTI image's voxels and place, and the same image with a face blanked.

Source: nifti1.h and nifti2.h: datatype, scl_slope, qform (method 2) and sform (method 3).
"""

import struct
from collections.abc import Iterator
from dataclasses import dataclass
from math import prod
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from safelight.deid.faces.deface import FaceMask
from safelight.deid.faces.volume import Affine, Volume
from safelight.errors import UnreadableInputError

__all__ = ["NiftiImage", "turn_of"]

Array = NDArray[Any]

_TYPES: Final = {
    2: "u1", 4: "i2", 8: "i4", 16: "f4", 64: "f8", 256: "i1", 512: "u2", 768: "u4", 1024: "i8",
    1280: "u8",
}  # fmt: skip
# complex numbers and colours, which are pictures but no volume
_OTHERS: Final = {32: "c8", 1792: "c16", 128: "u1,u1,u1", 2304: "u1,u1,u1,u1"}
_AIR: Final = -900.0  # HU: a NIfTI file names no modality, but only CT goes so far down
_BONE: Final = 500.0


@dataclass(frozen=True, slots=True, kw_only=True, repr=False)
class NiftiImage:
    """An unpacked NIfTI file.

    Attributes:
        voxels: Stored values, shape (i, j, k, …), in the file's byte order; views the file.
        affine: (i, j, k) to patient space of DICOM, mm; None when the header does not say.
        slope: Scale of the stored values.
        intercept: Added after it.
        start: Where the image starts in the file.
    """

    voxels: Array
    affine: Affine | None
    slope: float
    intercept: float
    start: int

    @classmethod
    def read(cls, data: bytes | bytearray | memoryview) -> "NiftiImage | None":
        """Return the image of an unpacked file; None when its voxels are no plain numbers.

        Raises:
            UnreadableInputError: It is malformed or truncated.
        """
        image = cls.any(data)
        plain = image is not None and image.voxels.dtype.kind in "iuf" and image.voxels.ndim > 2  # noqa: PLR2004 - space
        return image if plain else None

    @classmethod
    def any(cls, data: bytes | bytearray | memoryview) -> "NiftiImage | None":
        """Return the image of an unpacked file, of complex numbers or colours too.

        Colours are a structured type of three or four bytes. None when no type here fits.

        Raises:
            UnreadableInputError: It is malformed or truncated.
        """
        view = memoryview(data)
        order, second = _order(view)
        where = (
            (16, "8q", 12, 168, "q", 176, "2d") if second else (40, "8h", 70, 108, "f", 112, "2f")
        )
        at_dims, dims_as, at_type, at_start, start_as, at_scale, scale_as = where
        dims = struct.unpack_from(order + dims_as, view, at_dims)
        coded = struct.unpack_from(order + "h", view, at_type)[0]
        kind = _TYPES.get(coded) or _OTHERS.get(coded)
        start = int(struct.unpack_from(order + start_as, view, at_start)[0])
        slope, intercept = struct.unpack_from(order + scale_as, view, at_scale)
        count = dims[0]
        if not 1 <= count <= 7 or min(dims[1 : count + 1]) < 1:  # noqa: PLR2004 - nifti1.h
            raise UnreadableInputError("the NIfTI dimensions are out of range", place="dim")
        if kind is None:
            return None
        dtype = np.dtype(",".join(order + part for part in kind.split(",")))
        shape = tuple(dims[1 : count + 1])
        if not 0 < start <= len(view) - prod(shape) * dtype.itemsize:
            raise UnreadableInputError("the image is truncated", place=f"byte {len(view)}")
        voxels = np.frombuffer(view, dtype, prod(shape), start).reshape(shape, order="F")
        scaled = bool(np.isfinite(slope) and slope and np.isfinite(intercept))
        return cls(
            voxels=voxels,
            affine=_affine(view, order, second=second),
            slope=float(slope) if scaled else 1.0,
            intercept=float(intercept) if scaled else 0.0,
            start=start,
        )

    def volume(self) -> Volume | None:
        """Return its 2 mm copy; None when it is not a volume or its place is unknown."""
        if self.affine is None:
            return None
        first = self.voxels
        while first.ndim > 3:  # noqa: PLR2004 - space
            first = first[..., 0]
        values = first * np.float32(self.slope) + np.float32(self.intercept)
        low, high = float(np.nanmin(values)), float(np.nanmax(values))
        modality = "CT" if low <= _AIR and high >= _BONE else ""
        try:
            return Volume.from_array(values, self.affine, modality=modality)
        except ValueError:
            return None

    def lowest(self) -> Any:
        """Return the stored value that is shown darkest; 0 for colours and complex numbers."""
        if self.voxels.dtype.kind not in "iuf":
            return np.zeros((), self.voxels.dtype)[()]
        finite = self.voxels[np.isfinite(self.voxels)] if self.voxels.dtype.kind == "f" else None
        values = self.voxels if finite is None else finite
        return (values.min() if self.slope > 0 else values.max()) if values.size else 0

    def blanked(self, data: bytes | bytearray | memoryview, face: FaceMask) -> Iterator[bytes]:
        """Yield the file with the face set to the lowest value, all else as it was.

        Args:
            data: The same file.
            face: Of this image, or of another in the same space.
        """
        assert self.affine is not None  # noqa: S101  # without a place there is no mask
        view = memoryview(data)
        yield bytes(view[: self.start])
        fill = self.lowest()
        shape = self.voxels.shape
        masks = list(face.of_array(self.affine, shape))
        flat = self.voxels.reshape((*shape[:3], -1), order="F")
        for time in range(flat.shape[3]):
            for index, mask in enumerate(masks):
                plane = flat[:, :, index, time]
                if mask.any():
                    plane = np.where(mask, fill, plane).astype(plane.dtype)
                yield plane.tobytes(order="F")
        yield bytes(view[self.start + self.voxels.nbytes :])


def turn_of(affine: Affine | None) -> tuple[bool, int, int]:
    """Return how a slice along k is shown: whether rows run along i, and steps (1 or -1) of both.

    Args:
        affine: (i, j, k) to LPS, mm; None for the RAS order that NIfTI assumes.
    """
    if affine is None:
        return False, -1, -1
    directions = np.asarray(affine, np.float64)[:3, :3]
    first, second, third = (int(np.argmax(np.abs(directions[:, n]))) for n in range(3))
    across = 1 if third == 0 else 0  # sagittal slices run front to back, all others right to left
    if across not in (first, second) or first == second:
        return False, -1, -1
    swap = second == across
    along, down = (1, 0) if swap else (0, 1)
    columns = 1 if directions[across, along] >= 0 else -1
    other = first if swap else second
    wanted = 1 if other != 2 else -1  # noqa: PLR2004 - feet are down: against LPS's third axis
    rows = wanted if directions[other, down] >= 0 else -wanted
    return swap, rows, columns


def _order(view: memoryview) -> tuple[str, bool]:
    for order in "<>":
        size = struct.unpack_from(order + "i", view)[0] if len(view) >= 352 else 0  # noqa: PLR2004 - nifti1.h
        if size == 348:  # noqa: PLR2004 - NIfTI-1
            return order, False
        if size == 540 and len(view) >= 544:  # noqa: PLR2004 - NIfTI-2
            return order, True
    raise UnreadableInputError("the NIfTI header is malformed or truncated", place="byte 0")


def _affine(view: memoryview, order: str, *, second: bool) -> Affine | None:
    """Return the place by the sform, else by the qform; NIfTI's x and y are turned round."""
    codes, rest, number = ((344, "2i"), 352, "d") if second else ((252, "2h"), 256, "f")
    by_quaternion, by_rows = struct.unpack_from(order + codes[1], view, codes[0])
    values = struct.unpack_from(order + "18" + number, view, rest)
    affine = np.eye(4)
    if by_rows > 0:
        affine[:3] = np.array(values[6:]).reshape(3, 4)
    elif by_quaternion > 0:
        sizes = struct.unpack_from(order + "4" + number, view, 104 if second else 76)
        affine[:3] = _turned(values[:6], sizes)
    else:
        return None
    placed: Affine = np.diag([-1.0, -1.0, 1.0, 1.0]) @ affine
    return placed if np.isfinite(placed).all() else None


def _turned(values: tuple[float, ...], sizes: tuple[float, ...]) -> Array:
    b, c, d = values[:3]
    a = max(0.0, 1 - b * b - c * c - d * d) ** 0.5
    turn = np.array(
        [
            [a * a + b * b - c * c - d * d, 2 * (b * c - a * d), 2 * (b * d + a * c)],
            [2 * (b * c + a * d), a * a + c * c - b * b - d * d, 2 * (c * d - a * b)],
            [2 * (b * d - a * c), 2 * (c * d + a * b), a * a + d * d - c * c - b * b],
        ]
    )
    scale = np.array(sizes[1:4]) * [1, 1, -1 if sizes[0] < 0 else 1]
    return np.hstack([turn * scale, np.array(values[3:6])[:, None]])

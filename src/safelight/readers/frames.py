"""Where the pictures of an input come from: DICOM pixel data, photos, NIfTI slices, or nowhere."""

import zlib
from typing import Any, Final, Protocol

import numpy as np
from numpy.typing import NDArray

from safelight.deid.faces.nifti import NiftiImage, turn_of
from safelight.deid.looking import Opened
from safelight.deid.pixels.photos import picture as photo_pictures
from safelight.deid.pixels.picture import Picture
from safelight.deid.pixels.render import HIGH_PERCENT, LOW_PERCENT, render
from safelight.dicomio.limits import Limits
from safelight.errors import LimitExceededError, UnreadableInputError
from safelight.types import Kind

__all__ = ["DicomFrames", "Frames", "NiftiFrames", "NoFrames", "PhotoFrames", "unzipped"]

Array = NDArray[Any]

_SAMPLE: Final = 1 << 20  # voxels that a volume's range is taken from
_RATIO_FLOOR: Final = 1 << 24


class Frames(Protocol):
    """The pictures of one input."""

    count: int

    def picture(self, index: int) -> Picture:
        """Return one as displayed."""
        ...

    def stored(self, index: int) -> Array:
        """Return its stored values."""
        ...


class NoFrames:
    """An input without pictures; asking for one says why there is none.

    Args:
        why: What the error says.
    """

    count = 0

    def __init__(self, why: str) -> None:
        self.why: Final = why

    def picture(self, index: int) -> Picture:
        """Raise UnreadableInputError."""
        raise UnreadableInputError(self.why, place=f"frame {index + 1}")

    def stored(self, index: int) -> Array:
        """Raise UnreadableInputError."""
        raise UnreadableInputError(self.why, place=f"frame {index + 1}")


class DicomFrames:
    """Frames of a DICOM object; the last one decoded is kept.

    Args:
        opened: Its pixels.
    """

    def __init__(self, opened: Opened) -> None:
        self.opened: Final = opened
        self.count = len(opened.source)
        self._last: tuple[int, Picture] | None = None

    def picture(self, index: int) -> Picture:
        """Return a frame as displayed.

        Raises:
            UnreadableInputError: It cannot be decoded.
            LimitExceededError: It takes too much.
        """
        if self._last is None or self._last[0] != index:
            source, header = self.opened.source, self.opened.header
            shown = render(source.frame(index), header, source.colour(index), index=index)
            self._last = index, shown
        return self._last[1]

    def stored(self, index: int) -> Array:
        """Return a frame's stored values."""
        return self.opened.source.frame(index)


class PhotoFrames:
    """Pages of a photo, the right way up; an alpha channel is no page of its own.

    Raises:
        UnreadableInputError: It cannot be decoded.
        LimitExceededError: It takes too much.
    """

    def __init__(self, kind: Kind, data: bytes, limits: Limits) -> None:
        found = photo_pictures(kind, data, limits)
        self._pages = [page.upright() for page in found if page.source == "pixels"]
        self.count = len(self._pages)

    def picture(self, index: int) -> Picture:
        """Return a page."""
        return self._pages[index]

    def stored(self, index: int) -> Array:
        """Return a page's levels, shape (rows, columns) or (rows, columns, 3)."""
        page = self._pages[index]
        return page.grey if page.rgb is None else page.rgb


class NiftiFrames:
    """Slices of a NIfTI volume along its third axis, turned as a radiologist sees them.

    A transverse slice shows the patient's left on the right and the front on top; coronal and
    sagittal slices have the head on top. Without a known place the axes are taken to be RAS.

    Raises:
        UnreadableInputError: It is malformed, truncated or holds no plain numbers.
        LimitExceededError: It unpacks to too much.
    """

    def __init__(self, kind: Kind, data: bytes, limits: Limits) -> None:
        image = NiftiImage.read(unzipped(data, limits) if kind is Kind.NIFTI_GZ else data)
        if image is None:
            raise UnreadableInputError("its voxels are not one number each in three dimensions")
        voxels = image.voxels
        self._voxels = voxels.reshape((*voxels.shape[:3], -1), order="F")
        self._slope, self._intercept = image.slope, image.intercept
        self._turn = turn_of(image.affine)
        self.count = self._voxels.shape[2] * self._voxels.shape[3]
        self._range: tuple[float, float] | None = None

    @property
    def middle(self) -> int:
        """Number of the slice in the middle of a volume, of the volume in the middle of several."""
        slices, volumes = self._voxels.shape[2:4]
        return int(volumes // 2 * slices + slices // 2)

    def picture(self, index: int) -> Picture:
        """Return a slice, stretched over the 0.5 to 99.8 percentile of the volume."""
        low, high = self._levels()
        values = self._real(self.stored(index))
        scale = 255 / (high - low) if high > low else 0.0
        grey = np.clip(np.rint((values - low) * scale), 0, 255).astype(np.uint8)
        return Picture(grey=np.ascontiguousarray(grey), frame=index)

    def stored(self, index: int) -> Array:
        """Return a slice's stored values, shape (rows, columns), as displayed."""
        time, at = divmod(index, self._voxels.shape[2])
        swap, rows, columns = self._turn
        plane = self._voxels[:, :, at, time]
        plane = plane if swap else plane.T  # (i, j): columns run along i
        return plane[::rows, ::columns]

    def _real(self, values: Array) -> Array:
        real = np.nan_to_num(values.astype(np.float64), posinf=0, neginf=0)
        return real * self._slope + self._intercept

    def _levels(self) -> tuple[float, float]:
        if self._range is None:
            flat = self._voxels.reshape(-1, order="F")
            some = self._real(flat[:: max(1, len(flat) // _SAMPLE)])
            low, high = np.percentile(some, (LOW_PERCENT, HIGH_PERCENT))
            if high <= low:
                low, high = some.min(), some.max()
            self._range = float(low), float(high)
        return self._range


def unzipped(data: bytes, limits: Limits) -> bytes:
    """Return what gzip packed, within the limits (RFC 1952; members one after another).

    Raises:
        UnreadableInputError: It is damaged or truncated.
        LimitExceededError: It unpacks to more than ``decoded_bytes`` or ``ratio`` allow.
    """
    most = min(limits.decoded_bytes, max(len(data) * limits.ratio, _RATIO_FLOOR))
    found, rest = bytearray(), data
    while rest[:2] == b"\x1f\x8b":
        stream = zlib.decompressobj(16 + zlib.MAX_WBITS)
        try:
            found += stream.decompress(rest, most - len(found) + 1)
        except zlib.error as error:
            raise UnreadableInputError("the gzip stream is damaged") from error
        if len(found) > most:
            raise LimitExceededError(
                f"it unpacks to more than {most} bytes (limits ratio, decoded_bytes)"
            )
        if not stream.eof:
            raise UnreadableInputError("the gzip stream is truncated")
        rest = stream.unused_data
    if not found:
        raise UnreadableInputError("this is not a gzip stream")
    return bytes(found)

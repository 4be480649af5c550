"""Pictures of an item, from its bytes: as displayed in PNG, or stored values for the viewer."""

import threading
from typing import Any, Final

import cv2
import numpy as np
from numpy.typing import NDArray

from safelight.deid.objects import WALKERS, cut, new_book
from safelight.deid.pixels.header import PixelHeader
from safelight.deid.pixels.photos import MASKED
from safelight.deid.pixels.render import render
from safelight.dicomio.lenient import normalise
from safelight.dicomio.limits import Limits
from safelight.dicomio.walker import OddEncodingError
from safelight.errors import UnreadableInputError
from safelight.readers.frames import DicomFrames, Frames, NiftiFrames, NoFrames, PhotoFrames
from safelight.types import Kind
from safelight.web.levels import levels_of
from safelight.web.models import PictureSet

__all__ = ["Pictures", "encoded"]

_WHITE: Final = 255
_MOST_RAW: Final = 16
_COMPRESSION: Final = 2  # of PNG: fast
_PLANE: Final = 2
_QUALITY: Final = 82  # of JPEG previews
_SIDE: Final = 1024

Array = NDArray[Any]


class Pictures:
    """The pictures of one item.

    Args:
        kind: What it is.
        data: All of it.

    Raises:
        UnreadableInputError: Its pixels cannot be read.
        LimitExceededError: They take too much.
    """

    def __init__(self, kind: Kind, data: bytes) -> None:
        limits = Limits()
        self._lock = threading.Lock()  # decoders and the last frame are one thread's at a time
        self.header: PixelHeader | None = None
        self._frames: Frames
        if kind is Kind.DICOM:
            self._frames = self._dicom(data, limits)
        elif kind in MASKED:
            self._frames = PhotoFrames(kind, data, limits)
        elif kind in (Kind.NIFTI, Kind.NIFTI_GZ):
            self._frames = NiftiFrames(kind, data, limits)
        else:
            self._frames = NoFrames("there is no picture in it")
        self.count: Final = self._frames.count

    def _dicom(self, data: bytes, limits: Limits) -> Frames:
        books = {walker: new_book() for walker in WALKERS.values()}
        try:
            work = cut(data, "", books, limits)
        except OddEncodingError:
            work = cut(normalise(data, limits), "", books, limits)
        opened = work.opened(limits)
        if opened is None:
            return NoFrames("there is no picture in it")
        self.header = opened.header
        return DicomFrames(opened)

    def _checked(self, frame: int) -> int:
        if not 0 <= frame < self.count:
            raise UnreadableInputError("there is no such frame")
        return frame

    def png(self, frame: int, centre: float | None = None, width: float | None = None) -> bytes:
        """Return one frame as displayed, through a window if one is given (rescaled values)."""
        with self._lock:
            return self._png(self._checked(frame), centre, width)

    def _png(self, frame: int, centre: float | None, width: float | None) -> bytes:
        if centre is not None and width is not None and self.header is not None:
            stored = self._frames.stored(frame)
            if stored.ndim == _PLANE and self.header.palettes is None:
                return encoded(self._windowed(stored, frame, centre, width))
        shown = self._frames.picture(frame)
        return encoded(shown.grey if shown.rgb is None else shown.rgb)

    def preview(self, frame: int, side: int) -> bytes:
        """Return one frame as displayed in JPEG, no side longer than ``side``: to show first."""
        self._checked(frame)
        with self._lock:
            shown = self._frames.picture(frame)
        plane = shown.grey if shown.rgb is None else shown.rgb
        rows, columns = plane.shape[:2]
        scale = min(1.0, side / max(rows, columns))
        if scale < 1:
            size = (max(1, round(columns * scale)), max(1, round(rows * scale)))
            plane = cv2.resize(np.ascontiguousarray(plane), size, interpolation=cv2.INTER_AREA)
        return encoded(plane, ".jpg", (cv2.IMWRITE_JPEG_QUALITY, _QUALITY))

    def _windowed(self, stored: Array, frame: int, centre: float, width: float) -> Array:
        """Return grey levels by the linear function (PS3.3 C.11.2.1.2)."""
        header = self.header
        look = header.look(frame) if header is not None else None
        slope, intercept = (look.slope, look.intercept) if look is not None else (1.0, 0.0)
        values = stored.astype(np.float64) * slope + intercept
        wide = max(width, 1.0)
        levels = (values - (centre - 0.5)) / max(wide - 1, 1e-6) + 0.5
        grey = (np.clip(np.nan_to_num(levels), 0, 1) * _WHITE).astype(np.uint8)
        return _WHITE - grey if header is not None and header.inverted else grey

    def raw(self, frame: int, *, levels: bool = False) -> tuple[bytes, dict[str, str]]:
        """Return stored values, little-endian, rows after rows, and what they are.

        Grey values have 16 bits (32-bit ones are scaled to the level shown); colours are RGB
        bytes. The window told is the frame's own, in stored values.

        Args:
            frame: Its number.
            levels: After 16-bit values, one byte more for each stored value from ``base`` on: the
                level it is shown as.
        """
        with self._lock:
            return self._raw(self._checked(frame), levels=levels)

    def _raw(self, frame: int, *, levels: bool) -> tuple[bytes, dict[str, str]]:
        stored = self._frames.stored(frame)
        told: dict[str, float | str] = {"rows": stored.shape[0], "columns": stored.shape[1]}
        if stored.ndim > _PLANE or self._odd(stored):
            shown = self._frames.picture(frame)
            plane = shown.grey if shown.rgb is None else shown.rgb
            told |= {"bits": 8, "signed": 0, "samples": 1 if plane.ndim == _PLANE else 3}
            return plane.tobytes(), _headers(told)
        signed = stored.dtype.kind == "i"
        data = stored.astype("<i2" if signed else "<u2", copy=False).tobytes()
        told |= {"bits": 16, "signed": int(signed), "samples": 1}
        look = self.header.look(frame) if self.header is not None else None
        found = levels_of(stored, self._shown(frame, stored), look)
        told |= {"centre": found.centre, "width": found.width, "inverted": int(found.inverted)}
        if levels:
            told |= {"base": found.base, "levels": len(found.table)}
            data += found.table
        return data, _headers(told)

    def _shown(self, frame: int, stored: Array) -> Array:
        """Return the levels of a grey frame, without decoding it once more."""
        if self.header is None or not isinstance(self._frames, DicomFrames):
            return self._frames.picture(frame).grey
        colour = self._frames.opened.source.colour(frame)
        return render(stored, self.header, colour, index=frame).grey

    def _odd(self, stored: Array) -> bool:
        """Tell whether values are no 16-bit levels that a window makes sense for."""
        header = self.header
        palette = header is not None and header.palettes is not None
        return palette or stored.dtype.kind not in "iu" or stored.dtype.itemsize * 8 > _MOST_RAW

    def told(self, base: str) -> PictureSet | None:
        """Return what the page says of them; None when there are none.

        Args:
            base: Address below which the frames are.
        """
        if not self.count:
            return None
        with self._lock:
            stored = self._frames.stored(0)
        header = self.header
        look = header.look(0) if header is not None else None
        window = look.windows[0] if look is not None and look.windows else (None, None)
        return PictureSet(
            frames=self.count,
            rows=int(stored.shape[0]),
            columns=int(stored.shape[1]),
            colour=stored.ndim > _PLANE,
            bits=8 if stored.ndim > _PLANE or self._odd(stored) else 16,
            signed=stored.dtype.kind == "i",
            slope=look.slope if look is not None else 1.0,
            intercept=look.intercept if look is not None else 0.0,
            centre=window[0],
            width=window[1],
            inverted=header.inverted if header is not None else False,
            png=f"{base}/frames/{{f}}.png",
            preview=f"{base}/frames/{{f}}.jpg?side={_SIDE}",
            raw=f"{base}/frames/{{f}}.raw",
        )


def _headers(told: dict[str, float | str]) -> dict[str, str]:
    return {f"X-Frame-{name.title()}": f"{value}" for name, value in told.items()}


def encoded(
    plane: Array,
    kind: str = ".png",
    options: tuple[int, int] = (cv2.IMWRITE_PNG_COMPRESSION, _COMPRESSION),
) -> bytes:
    """Return grey levels or RGB colours, uint8, as PNG or JPEG.

    Raises:
        UnreadableInputError: It cannot be written as one.
    """
    turned = plane if plane.ndim == _PLANE else plane[:, :, ::-1]
    done, data = cv2.imencode(kind, np.ascontiguousarray(turned), list(options))
    if not done:
        raise UnreadableInputError("the picture cannot be shown")
    return bytes(data)

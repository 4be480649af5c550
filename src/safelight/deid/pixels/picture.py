"""A picture as a viewer shows it, and the way from its pixels back to the stored ones."""

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from safelight.deid.boxes import Box
from safelight.deid.pixels.header import PixelHeader

__all__ = ["Bytes2D", "Picture", "turned_by"]

Bytes2D = NDArray[np.uint8]
_UPRIGHT: Final[dict[int, Callable[[NDArray[Any]], NDArray[Any]]]] = {
    2: lambda a: a[:, ::-1],
    3: lambda a: a[::-1, ::-1],
    4: lambda a: a[::-1],
    5: lambda a: a.swapaxes(0, 1),
    6: lambda a: np.rot90(a, -1),
    7: lambda a: a[::-1, ::-1].swapaxes(0, 1),
    8: np.rot90,
}
_TURNED: Final = range(5, 9)


def turned_by(pixels: NDArray[Any], orientation: int) -> NDArray[Any]:
    """Return pixels the right way up, as EXIF Orientation asks (EXIF 2.32, 4.6.4)."""
    turn = _UPRIGHT.get(orientation)
    return pixels if turn is None else turn(pixels)


@dataclass(frozen=True, slots=True, kw_only=True, repr=False, eq=False)
class Picture:
    """One frame or page as displayed.

    Attributes:
        grey: Levels, uint8, shape (rows, columns).
        rgb: Colours, uint8, shape (rows, columns, 3); None for a grey image.
        header: Of the DICOM object; None for a photo.
        frame: Frame or page, from 0.
        source: ``pixels``, or what lay beside or under them.
        orientation: EXIF Orientation, 1 to 8: how the stored picture has to be turned.
        turned_from: Rows and columns before ``upright`` turned it; None when it did not.
    """

    grey: Bytes2D
    rgb: Bytes2D | None = None
    header: PixelHeader | None = None
    frame: int = 0
    source: str = "pixels"
    orientation: int = 1
    turned_from: tuple[int, int] | None = field(default=None)

    def __repr__(self) -> str:
        rows, columns = self.grey.shape
        return f"Picture(<{columns} x {rows}, {self.source}, frame {self.frame}>)"

    def upright(self) -> "Picture":
        """Return the picture the right way up; ``stored`` then leads back."""
        if self.orientation not in _UPRIGHT or self.turned_from is not None:
            return self
        rows, columns = self.grey.shape
        turned = self.orientation
        rgb = None if self.rgb is None else np.ascontiguousarray(turned_by(self.rgb, turned))
        grey = np.ascontiguousarray(turned_by(self.grey, turned))
        return replace(self, grey=grey, rgb=rgb, turned_from=(rows, columns))

    def stored(self, box: Box) -> Box:
        """Return where a box on this picture lies in the stored frame."""
        left, top = box.x, box.y
        right, bottom = box.x + box.w - 1, box.y + box.h - 1
        if self.turned_from is not None:
            (left, top), (right, bottom) = self._back(left, top), self._back(right, bottom)
        return Box(min(left, right), min(top, bottom), abs(right - left) + 1, abs(bottom - top) + 1)

    def _back(self, x: int, y: int) -> tuple[int, int]:
        """Return column and row, before it was turned, of a pixel of the upright picture."""
        rows, columns = self.turned_from or self.grey.shape
        if self.orientation in _TURNED:
            x, y = y, x
        if self.orientation in (2, 3, 7, 8):
            x = columns - 1 - x
        if self.orientation in (3, 4, 6, 7):
            y = rows - 1 - y
        return x, y

"""A line of writing as an oriented rectangle, and as the small upright boxes that cover it."""

import math
from dataclasses import dataclass, replace
from typing import Final

import cv2
import numpy as np
import numpy.typing as npt

from safelight.deid.boxes import Box

__all__ = ["Floats", "Strip"]

Floats = npt.NDArray[np.float32]

_FULL: Final = 0.8
_BANDS: Final = 4
_LEAST_BAND: Final = 2.0
_MOST_BANDS: Final = 64
_ROUND: Final = 1e-3
_SLENDER: Final = 2.5
_LEVEL: Final = 4
_DIAGONAL: Final = 45


@dataclass(frozen=True, slots=True, kw_only=True)
class Strip:
    """An oriented rectangle around one line, in pixels of the frame.

    Attributes:
        x: Column of the centre.
        y: Row of the centre.
        length: Extent in the direction of the writing.
        height: Extent across it.
        angle: Direction of the writing in degrees, clockwise on the screen, above -90 up to 90.
    """

    x: float
    y: float
    length: float
    height: float
    angle: float = 0.0

    @classmethod
    def around(cls, points: npt.NDArray[np.int32]) -> "Strip":
        """Return the strip around points of shape (n, 2), x before y; upright where that fits."""
        left, top, width, rows = cv2.boundingRect(points)
        (x, y), (a, b), angle = cv2.minAreaRect(points)
        a, b = a + 1, b + 1
        if b > a:
            a, b, angle = b, a, angle + 90
        slant = abs((angle + 45) % 90 - 45)
        slender = a > _SLENDER * b
        near = width * rows <= (1.25 if slender else 1.6) * a * b
        if near and (slant < _LEVEL or not slender):
            upright = cls(
                x=left + width / 2, y=top + rows / 2, length=float(width), height=float(rows)
            )
            return upright if width * 1.6 >= rows else upright.turned()
        return cls(x=x + 0.5, y=y + 0.5, length=a, height=b, angle=_fold(angle))

    def turned(self) -> "Strip":
        """Return the same rectangle, read along its other side."""
        return replace(self, length=self.height, height=self.length, angle=_fold(self.angle + 90))

    @property
    def vertical(self) -> bool:
        """Whether the writing runs up or down rather than across."""
        return abs(self.angle) > _DIAGONAL

    @property
    def along(self) -> tuple[float, float]:
        """The unit vector in the direction of the writing."""
        turn = math.radians(self.angle)
        return math.cos(turn), math.sin(turn)

    def corners(self) -> Floats:
        """Return the four corners, shape (4, 2): start-top, end-top, end-bottom, start-bottom."""
        ux, uy = self.along
        du = np.array([ux, uy]) * self.length / 2
        dv = np.array([-uy, ux]) * self.height / 2
        centre = np.array([self.x, self.y])
        return np.array(
            [centre - du - dv, centre + du - dv, centre + du + dv, centre - du + dv], np.float32
        )

    def padded(self, along: float, across: float) -> "Strip":
        """Return the strip with this many pixels more at each end and each side."""
        return replace(self, length=self.length + 2 * along, height=self.height + 2 * across)

    def scaled(self, factor: float, left: float = 0, top: float = 0) -> "Strip":
        """Return the strip in an image scaled by ``factor`` and then moved."""
        return replace(
            self,
            x=self.x * factor + left,
            y=self.y * factor + top,
            length=self.length * factor,
            height=self.height * factor,
        )

    def bounds(self) -> tuple[float, float, float, float]:
        """Return left, top, right, bottom."""
        points = self.corners()
        low, high = points.min(axis=0), points.max(axis=0)
        return float(low[0]), float(low[1]), float(high[0]), float(high[1])

    def boxes(self, rows: int, columns: int) -> tuple[Box, ...]:
        """Return upright boxes inside a frame that cover the strip: one, or a row of small ones."""
        left, top, right, bottom = self.bounds()
        if self.length * self.height >= _FULL * (right - left) * (bottom - top):
            whole = _box(left, top, right, bottom, rows, columns)
            return (whole,) if whole else ()
        step = max(
            min(self.height, self.length) / _BANDS, _LEAST_BAND, (bottom - top) / _MOST_BANDS
        )
        points = self.corners().astype(np.float64)
        out = []
        count = math.ceil((bottom - top) / step)
        for band in range(count):
            low = top + band * step
            across = _across(points, low, min(low + step, bottom))
            if across:
                box = _box(across[0], low, across[1], min(low + step, bottom), rows, columns)
                if box:
                    out.append(box)
        return tuple(out)


def _fold(angle: float) -> float:
    """Return the angle above -90 and up to 90 degrees."""
    return -((90 - angle) % 180 - 90)


def _across(points: npt.NDArray[np.float64], low: float, high: float) -> tuple[float, float] | None:
    """Return the least and greatest x of a convex shape between two heights."""
    xs = [float(x) for x, y in points if low - _ROUND <= y <= high + _ROUND]
    for place in range(len(points)):
        (x0, y0), (x1, y1) = points[place], points[place - 1]
        xs += [
            float(x0 + (x1 - x0) * (level - y0) / (y1 - y0))
            for level in (low, high)
            if (y0 - level) * (y1 - level) < 0
        ]
    return (min(xs), max(xs)) if xs else None


def _box(
    left: float, top: float, right: float, bottom: float, rows: int, columns: int
) -> Box | None:
    x, y = math.floor(left + _ROUND), math.floor(top + _ROUND)
    w, h = math.ceil(right - _ROUND) - x, math.ceil(bottom - _ROUND) - y
    return Box(x, y, max(w, 1), max(h, 1)).clipped(rows, columns)

"""A picture of any size as 64 x 64 numbers of brightness and colour, in integers throughout.

The same picture gives the same numbers on every machine: areas are weighed in whole numbers, and
sums stay below 2**53, so that no order of adding changes them.
"""

from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

__all__ = ["SIDE", "content", "planes", "reduced", "seen"]

SIDE: Final = 64
_WORK: Final = 512  # a larger side is first averaged in whole blocks
_LOW, _HIGH = 0.01, 0.99  # of the pixels: the levels between them are stretched
_LEAST: Final = 8  # levels between the two, else it shows nothing
_SAMPLES: Final = 3
_COARSE: Final = 96  # side at which margins are looked for
_APART: Final = 20  # levels between what is shown and the margin around it
_LINE: Final = 4  # pixels of a coarse line that are apart: it is no margin
_KEPT: Final = 24  # of a coarse side: less is not what the picture is about

Array = NDArray[Any]


def reduced(pixels: Array, side: int = SIDE) -> NDArray[np.uint8]:
    """Return a picture, squeezed to ``side`` by ``side`` by area, shape (side, side, samples).

    Args:
        pixels: uint8, shape (rows, columns) or (rows, columns, 3).
        side: Of the result, in pixels.
    """
    found = _smaller(pixels)
    rows, columns = found.shape[:2]
    by_rows, by_columns = _weights(rows, side), _weights(columns, side)
    area = rows * columns
    out = np.empty((side, side, found.shape[2]), np.uint8)
    for n in range(found.shape[2]):
        sums = by_rows @ found[:, :, n].astype(np.float64) @ by_columns.T
        out[:, :, n] = (sums.astype(np.int64) * 2 + area) // (2 * area)
    return out


def _smaller(pixels: Array) -> Array:
    """Return a picture with an axis of samples, and of at most about ``_WORK`` on a side."""
    found = pixels[:, :, None] if pixels.ndim < _SAMPLES else pixels
    down, across = (max(1, size // _WORK) for size in found.shape[:2])
    return _blocks(found, down, across) if down > 1 or across > 1 else found


def seen(pixels: Array) -> NDArray[np.int16] | None:
    """Return the numbers of a picture of any size, its margins cut; None when it shows nothing.

    Args:
        pixels: uint8, shape (rows, columns) or (rows, columns, 3).
    """
    work = _smaller(pixels)
    left, top, right, bottom = content(reduced(work, _COARSE))
    rows, columns = work.shape[:2]
    cut = work[
        top * rows // _COARSE : max(bottom * rows // _COARSE, top * rows // _COARSE + 1),
        left * columns // _COARSE : max(right * columns // _COARSE, left * columns // _COARSE + 1),
    ]
    return planes(reduced(cut))


def content(coarse: NDArray[np.uint8]) -> tuple[int, int, int, int]:
    """Return left, top, right and bottom of what stands out from the margin, in coarse pixels.

    The margin is as light as half of the outermost pixels are. A picture that fills its frame, or
    one whose content is small, is left as it is.

    Args:
        coarse: uint8, shape (side, side, samples).
    """
    light = coarse.max(2).astype(np.int64)
    side = len(light)
    ring = np.concatenate((light[0], light[-1], light[:, 0], light[:, -1]))
    level = int(np.sort(ring)[len(ring) // 2])
    apart = np.abs(light - level) > _APART
    bounds = []
    for lines in (apart.sum(0), apart.sum(1)):
        there = np.flatnonzero(lines >= _LINE)
        low, high = (int(there[0]), int(there[-1]) + 1) if there.size else (0, side)
        bounds.append((low, high) if high - low >= _KEPT else (0, side))
    (left, right), (top, bottom) = bounds
    return left, top, right, bottom


def _blocks(pixels: Array, down: int, across: int) -> NDArray[np.uint8]:
    """Return means of whole blocks; what is left over at the end is cut."""
    rows, columns, samples = pixels.shape
    high, wide = rows // down, columns // across
    cut = pixels[: high * down, : wide * across]
    sums = np.zeros((high, wide, samples), np.uint32)
    for y in range(down):
        for x in range(across):
            sums += cut[y::down, x::across]
    area = down * across
    return ((sums * 2 + area) // (2 * area)).astype(np.uint8)


def _weights(size: int, side: int) -> Array:
    """Return how much of each of ``size`` pixels lies in each of ``side`` equal parts.

    Shape (side, size); in units of 1/side of a pixel: each row adds up to ``size``.
    """
    edges = np.arange(side + 1) * size
    starts = np.arange(size) * side
    low = np.maximum(edges[:-1, None], starts)
    high = np.minimum(edges[1:, None], starts + side)
    return np.asarray(np.maximum(high - low, 0), np.float64)


def planes(squeezed: NDArray[np.uint8]) -> NDArray[np.int16] | None:
    """Return brightness and two differences of colour, shape (3, side, side), -128 to 127.

    Brightness is stretched over what is there (1st to 99th of a hundred). None when the picture
    shows nothing: hardly a difference between light and dark.

    Args:
        squeezed: uint8, shape (side, side, 1 or 3).
    """
    levels = squeezed.astype(np.int64)
    if squeezed.shape[2] == _SAMPLES:
        red, green, blue = levels[:, :, 0], levels[:, :, 1], levels[:, :, 2]
        light = (19595 * red + 38470 * green + 7471 * blue + 0x8000) >> 16
        blues, reds = (blue - light) // 2, (red - light) // 2
    else:
        light = levels[:, :, 0]
        blues = reds = np.zeros_like(light)
    ordered = np.sort(light, axis=None)
    low = int(ordered[int(_LOW * ordered.size)])
    high = int(ordered[int(_HIGH * ordered.size)])
    if high - low < _LEAST:
        low, high = int(ordered[0]), int(ordered[-1])
    if high - low < _LEAST:
        return None
    stretched = np.clip((light - low) * 255 // (high - low), 0, 255) - 128
    return np.stack((stretched, blues, reds)).astype(np.int16)

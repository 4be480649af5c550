"""Shortcuts: what can be told of an image without looking at what the reader looks for.

Each probe gives integer features for the same head on the same splits. A probe that does nearly as
well as its reader means that the labels stand elsewhere in the images, too.
"""

import hashlib
import math
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from safelight.readers import features, filters, makers

__all__ = ["RING", "border", "intensity", "metadata", "size"]

RING = 15  # per cent of each side that the border probe sees
_INSIDE = 100
_BUCKETS = 64
_ON = 1000

Picture = NDArray[np.uint8]
Array = NDArray[Any]


def border(picture: Picture, version: str = features.VERSION) -> NDArray[np.int16]:
    """Return the reader's own features of the outer ring: the inside is painted over.

    Args:
        picture: Shape (rows, columns).
        version: Of the reader's features.

    Raises:
        SettingsError: When this package has no such version.
    """
    rows, columns = picture.shape
    top, left = rows * RING // _INSIDE, columns * RING // _INSIDE
    inside = np.zeros(picture.shape, dtype=bool)
    inside[top : rows - top, left : columns - left] = True
    ring = picture.copy()
    # With the ring's own mean: the inside's would tell how bright a finding is.
    ring[inside] = int(picture[~inside].mean()) if not inside.all() else 0
    return makers.of(version).features(ring)


def size(shape: tuple[int, int]) -> NDArray[np.int16]:
    """Return height, width, their ratio and area, as logarithms in 1/64."""
    rows, columns = (max(1, one) for one in shape)
    tall, wide = math.log2(rows), math.log2(columns)
    values = np.array([tall, wide, tall - wide, tall + wide, abs(tall - wide)])
    square = np.append(values, float(rows == columns))
    levels = np.clip(np.rint(square * 64), -features.LIMIT, features.LIMIT)
    return np.asarray(levels, dtype=np.int16)


def intensity(picture: Picture) -> NDArray[np.int16]:
    """Return how many pixels have which brightness, in 1/2047, and mean and spread."""
    drawn = filters.canvas(picture, 64)
    counts = np.bincount((drawn >> 4).ravel(), minlength=16) * 2047 // drawn.size
    whole = [int(drawn.mean() * 4), int(drawn.std() * 8)]
    return np.asarray(np.clip(np.append(counts, whole), 0, 2047), dtype=np.int16)


def metadata(facts: Sequence[Mapping[str, str]]) -> NDArray[np.int16]:
    """Return facts about images as columns: one for each name and value, shared by hash.

    Args:
        facts: Of each image, e.g. source, view, sex, age in tens of years.
    """
    made = np.zeros((len(facts), _BUCKETS), np.int16)
    for row, one in enumerate(facts):
        for name, value in one.items():
            if value:
                digest = hashlib.sha256(f"{name}={value}".encode()).digest()
                made[row, digest[0] % _BUCKETS] = _ON
    return made

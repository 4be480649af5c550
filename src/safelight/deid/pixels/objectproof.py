"""Prove masked pixel data by decoding it anew: flat under the mask, and as before beside it."""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from safelight.deid.pixels.mask import Masked, paired
from safelight.dicomio.codecs import PixelSource
from safelight.errors import NeedsReviewError

__all__ = ["prove_object"]

Array = NDArray[Any]


def prove_object(before: PixelSource, after: PixelSource, masked: Masked, *, place: str) -> None:
    """Raise unless every masked frame is what it was, with one value under its mask.

    In lossy JPEG blocks that a mask shares with a kept mark are drawn anew: what is under a mask
    there was proven when it was drawn, and here only what lies beside those blocks.

    Args:
        before: The frames as they were.
        after: The frames of the output.
        masked: What was masked, and how.
        place: Where the pixels are in their object.

    Raises:
        NeedsReviewError: Something changed elsewhere, or something is left.
        UnreadableInputError: A frame cannot be decoded.
    """
    if masked.painted is None or masked.lossy:
        return
    for index in masked.frames:
        old, new = before.frame(index), after.frame(index)
        mask = paired(masked.painted.of(index), before.form)
        if not _same(old[~mask], new[~mask]):
            raise NeedsReviewError("masking changed pixels outside the mask", place=place)
        if not _same(new[mask][1:], new[mask][:-1]):
            raise NeedsReviewError("masking left something of what it covers", place=place)


def _same(one: Array, other: Array) -> bool:
    return np.array_equal(one, other, equal_nan=one.dtype.kind == "f")

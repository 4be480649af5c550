"""Prove a masked JPEG by decoding it: nothing is left under the mask, nothing changed beside it.

The decoder is another's than the code that masks. What a mask covers comes out in one colour, but
for rounding; what lies in no MCU that the mask touches comes out as it did before.
"""

import io
import warnings
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from safelight.deid.pixels.jpegmask import covered
from safelight.deid.pixels.jpegspared import grown
from safelight.errors import NeedsReviewError

__all__ = ["compare", "prove"]

_ROUNDED: Final = 4  # of 256 levels: what the quantisation of a fill leaves in colours
_COLOUR: Final = 3  # axes of a picture in colour

Array = NDArray[Any]
Mask = NDArray[np.bool_]


def prove(
    before: bytes, after: bytes, mask: Mask, *, tables: bytes = b"", flat: bool = True
) -> None:
    """Decode both streams and compare them; they are of 8 bits.

    Args:
        before: The stream that was masked.
        after: The same, masked.
        mask: True where something had to go, shape (rows, columns).
        tables: An abbreviated stream with tables alone (TIFF's JPEGTables).
        flat: As in ``compare``.

    Raises:
        NeedsReviewError: They cannot be decoded, or not what was meant came of it.
    """
    old, new = _decoded(before, tables), _decoded(after, tables)
    compare(old, new, mask, covered(before, mask, tables), flat=flat)


def compare(
    old: Array,
    new: Array,
    mask: Mask,
    touched: Mask,
    *,
    bits: int = 8,
    flat: bool = True,
    place: str = "",
) -> None:
    """Raise unless the pixels are those of a masked picture.

    Args:
        old: As they were, shape (rows, columns) or (rows, columns, samples).
        new: As they are now.
        mask: True where something had to go, shape (rows, columns).
        touched: The pixels of all MCUs that the mask touches.
        bits: Of a sample.
        flat: Whether what is masked is of one colour; with a border it is not.
        place: Where the picture is in its input.

    Raises:
        NeedsReviewError: Something changed elsewhere, or something is left.
    """
    beside = ~touched
    if old.ndim == _COLOUR:  # decoders smooth subsampled colour over one pixel more, both ways
        mask, beside = mask & ~grown(beside, 1), ~grown(touched, 1)
    if old.shape != new.shape or not np.array_equal(old[beside], new[beside]):
        raise NeedsReviewError("masking changed pixels outside the mask", place=place)
    under = new[mask]
    if flat and under.size and np.ptp(under, axis=0).max() > _ROUNDED << (bits - 8):
        raise NeedsReviewError("masking left something of what it covers", place=place)


def _decoded(data: bytes, tables: bytes) -> Array:
    from PIL import Image  # noqa: PLC0415  # start-up cost

    whole = tables[:-2] + data[2:] if tables else data  # one image of both (TIFF, note 2)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # its size was looked at before
            with Image.open(io.BytesIO(whole), formats=["JPEG"]) as image:
                return np.asarray(image)
    except (OSError, SyntaxError, ValueError, Image.DecompressionBombError) as err:
        raise NeedsReviewError("a masked picture cannot be decoded again") from err

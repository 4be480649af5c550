"""Prove a masked photo by decoding it: what a mask covers is of one colour in every frame.

The decoder is another's than the code that masks, and it decides how large a frame is shown, so a
mask that was laid out for another size than readers show is found out here.
"""

from collections.abc import Container, Sequence
from typing import Final

import numpy as np

from safelight.deid.pixels.jpegspared import grown
from safelight.deid.pixels.masks import Fill, Mask, Masks, edge_of
from safelight.deid.pixels.picture import Picture
from safelight.errors import NeedsReviewError

__all__ = ["prove_photo"]

_ROUNDED: Final = 4  # of 256 levels: what the conversion of a fill to RGB leaves in colours


def prove_photo(
    pictures: Sequence[Picture],
    masks: Masks,
    *,
    together: bool,
    fill: Fill = Fill.FLAT,
    soft: Container[int] = (),
) -> None:
    """Raise unless every pixel that a mask covers is the fill.

    Args:
        pictures: All frames and alpha channels of the masked photo.
        masks: What was masked, of any size.
        together: All frames are masked alike.
        fill: What was drawn; a border is left out.
        soft: Frames in JPEG, whose subsampled colour is smoothed over one pixel more.

    Raises:
        NeedsReviewError: Something is left of what a mask covers.
    """
    last = max((one.frame for one in pictures), default=0)
    for one in pictures:
        rows, columns = one.grey.shape
        mask = masks.sized(rows, columns, last + 1, together=together).of(
            0 if together else one.frame
        )
        if one.frame in soft:
            mask = ~grown(~mask, 1)
        if fill is Fill.BOX:
            mask &= ~edge_of(mask)
        if not _flat(one, mask):
            raise NeedsReviewError("masking left something of what it covers")


def _flat(one: Picture, mask: Mask) -> bool:
    under = (one.grey if one.rgb is None else one.rgb)[mask]
    return not under.size or int(np.ptp(under, axis=0).max()) <= _ROUNDED

"""What a TIFF can hold beside the picture that readers show: SubIFDs, and more in its blocks."""

import numpy as np
import pytest

from photo_fixtures import CONTEXT, cleaned_bytes
from safelight.deid.boxes import Box, Region, Verdict
from safelight.deid.photos.tiffread import TiffReader
from safelight.deid.pixels.photos import mask_photo, picture
from safelight.errors import NeedsReviewError
from safelight.types import Kind
from tiff_fixtures import page, tiff

RANDOM = np.random.default_rng(5)
SHOWN = RANDOM.integers(0, 200, (24, 32)).astype(np.uint8)
HIDDEN = RANDOM.integers(0, 200, (24, 32)).astype(np.uint8)


def masked(number: int) -> Region:
    return Region(boxes=(Box(0, 0, 32, 24),), verdict=Verdict.MASK, rule="text", frames=(number,))


def test_pictures_of_sub_folders_are_looked_at_and_masked() -> None:
    inner = page(HIDDEN[:8], children=[page(HIDDEN[8:16])])
    data = tiff(page(SHOWN, children=[inner]), page(SHOWN[::-1]))
    found = picture(Kind.TIFF, data)
    assert [one.frame for one in found] == [0, 1, 2, 3]
    wanted = [SHOWN, SHOWN[::-1], HIDDEN[:8], HIDDEN[8:16]]
    assert all(np.array_equal(one.grey, grey) for one, grey in zip(found, wanted, strict=True))
    done = picture(Kind.TIFF, mask_photo(Kind.TIFF, data, [masked(2)]))
    assert [bool(one.grey.any()) for one in done] == [True, True, False, True]


def test_as_many_pictures_are_looked_at_as_the_cleaner_keeps() -> None:
    data = tiff(page(SHOWN, children=[page(HIDDEN), page(HIDDEN[::-1])]), page(SHOWN[::-1]))
    reader = TiffReader(data, CONTEXT)
    reader.pages()
    assert len(picture(Kind.TIFF, data)) == reader.count == 4


def test_a_tag_that_stands_twice_waits_for_a_person() -> None:
    data = bytearray(tiff(page(SHOWN)))
    assert data.count(b"\x15\x01\x03\0") == 1
    data[data.index(b"\x15\x01\x03\0")] = 0x06  # a second Photometric Interpretation
    with pytest.raises(NeedsReviewError, match="twice"):
        cleaned_bytes(bytes(data), Kind.TIFF)

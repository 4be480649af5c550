"""JPEG XL, whose header is read bit by bit: sizes, boxes, loss, recompressed JPEG."""

import imagecodecs
import numpy as np
import pytest

from pixel_fixtures import JPEG, encapsulated
from safelight.dicomio.codecs import PixelFormat

SIZES = [(256, 256), (256, 512), (300, 400), (8, 264), (1, 1), (9, 1030), (17, 3)]


def picture(rows: int, columns: int, samples: int) -> np.ndarray:
    """Return a soft ramp, the same in every sample."""
    grey = (np.add.outer(np.arange(rows), np.arange(columns)) // 9 % 200).astype(np.uint8)
    return grey if samples == 1 else np.repeat(grey[..., None], samples, 2)


@pytest.mark.parametrize(("rows", "columns"), SIZES)
@pytest.mark.parametrize("samples", [1, 3])
@pytest.mark.parametrize("boxed", [False, True])
@pytest.mark.parametrize("lossless", [False, True])
def test_headers_of_every_shape(
    rows: int, columns: int, samples: int, *, boxed: bool, lossless: bool
) -> None:
    pixels = picture(rows, columns, samples)
    quality = {"lossless": True} if lossless else {"distance": 1.0}
    coded = imagecodecs.jpegxl_encode(pixels, effort=3, usecontainer=boxed, **quality)
    form = PixelFormat(
        rows=rows,
        columns=columns,
        samples=samples,
        photometric="MONOCHROME2" if samples == 1 else "RGB" if lossless else "XYB",
        syntax=JPEG + "112",
    )
    source = encapsulated(form, coded)
    header = source.header(0)
    assert (header.rows, header.columns, header.samples) == (rows, columns, samples)
    assert header.precision == 8
    assert header.lossless == lossless
    off = np.abs(source.frame(0).astype(int) - pixels).max()
    assert off == 0 if lossless else off < 25
    assert source.colour(0) == ("MONOCHROME2" if samples == 1 else "RGB")


def test_recompressed_jpeg_comes_out_as_rgb() -> None:
    jpeg = imagecodecs.jpeg8_encode(picture(30, 40, 3), 90)
    form = PixelFormat(
        rows=30, columns=40, samples=3, photometric="YBR_FULL_422", syntax=JPEG + "111"
    )
    source = encapsulated(form, imagecodecs.jpegxl_encode_jpeg(jpeg))
    assert source.colour(0) == "RGB"
    assert np.abs(source.frame(0).astype(int) - imagecodecs.jpeg8_decode(jpeg)).max() <= 2

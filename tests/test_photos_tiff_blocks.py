"""What a TIFF can hold beside the picture that readers show: SubIFDs, and more in its blocks."""

import io
import zlib
from collections.abc import Callable

import imagecodecs
import numpy as np
import pytest
from PIL import Image

from mask_fixtures import jpeg, smooth
from photo_fixtures import CONTEXT, cleaned_bytes, context
from safelight.deid.boxes import Box, Region, Verdict
from safelight.deid.photos.tiffread import TiffReader
from safelight.deid.pixels import tiffpack
from safelight.deid.pixels.photos import mask_photo, picture
from safelight.deid.pixels.tifffile import Tiff
from safelight.dicomio.limits import Limits
from safelight.errors import LimitExceededError, NeedsReviewError
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


NAME = b"ZQXDAVINA SOMEONE"
PACKERS: dict[int, Callable[[bytes], bytes]] = {
    1: bytes,
    5: lambda raw: bytes(imagecodecs.lzw_encode(raw)),
    8: zlib.compress,
    32773: lambda raw: bytes(imagecodecs.packbits_encode(raw)),
    34925: lambda raw: bytes(imagecodecs.lzma_encode(raw)),
    50000: lambda raw: bytes(imagecodecs.zstd_encode(raw)),
}


def blocks_of(data: bytes) -> list[bytes]:
    (page,) = Tiff(data, Limits()).pages
    return [data[start : start + size] for start, size in zip(page.starts, page.sizes, strict=True)]


def shown(data: bytes) -> np.ndarray:
    (one,) = picture(Kind.TIFF, data)
    return one.grey


@pytest.mark.parametrize("tiled", [False, True])
@pytest.mark.parametrize("packing", [1, 5, 8, 32773])
def test_what_stands_behind_a_block_goes(packing: int, tiled: bool) -> None:  # noqa: FBT001 - a parameter of the test
    block = PACKERS[packing](SHOWN.tobytes())
    for tail in (NAME, b"\x80" + NAME, PACKERS[packing](HIDDEN.tobytes())):
        more = {"tiles": [block + tail], "tile": SHOWN.shape} if tiled else {}
        full = page(SHOWN, packing=packing, strips=[block + tail], **more)
        full.strips = () if tiled else full.strips
        out, result = cleaned_bytes(tiff(full), Kind.TIFF)
        assert np.array_equal(shown(out), SHOWN)
        assert tail not in out
        assert any("of a " in action.place for action in result.actions)


@pytest.mark.parametrize("packing", [5, 8, 32773])
def test_a_block_without_a_passenger_is_copied(packing: int) -> None:
    block = PACKERS[packing](SHOWN.tobytes())
    out, result = cleaned_bytes(tiff(page(SHOWN, packing=packing, strips=[block])), Kind.TIFF)
    assert blocks_of(out) == [block]
    assert not [action for action in result.actions if "of a " in action.place]


@pytest.mark.parametrize("packing", [5, 8, 32773])
def test_rows_behind_the_last_one_go(packing: int) -> None:
    block = PACKERS[packing](SHOWN.tobytes() + HIDDEN.tobytes())
    out, _ = cleaned_bytes(tiff(page(SHOWN, packing=packing, strips=[block])), Kind.TIFF)
    assert np.array_equal(shown(out), SHOWN)
    assert len(blocks_of(out)[0]) < 0.7 * len(block)


@pytest.mark.parametrize(
    ("packing", "predictor"),
    [*((packing, 1) for packing in PACKERS), (5, 2), (8, 2), (34925, 2), (50000, 2)],
)
def test_the_part_of_a_tile_beyond_the_picture_is_emptied(packing: int, predictor: int) -> None:
    tile = np.zeros((48, 48), np.uint8)
    tile[:24, :32], tile[24:, :32], tile[:24, 32:] = SHOWN, HIDDEN, HIDDEN[:, :16]
    stored = tile.copy()
    if predictor == 2:
        stored[:, 1:] -= tile[:, :-1]
    full = page(SHOWN, packing=packing, tiles=[PACKERS[packing](stored.tobytes())], tile=(48, 48))
    full.tags[317] = (3, [predictor])
    out, result = cleaned_bytes(tiff(full), Kind.TIFF)
    assert np.array_equal(shown(out), SHOWN)
    assert any(action.place == "padding of a tile" for action in result.actions)
    (page_out,) = Tiff(out, Limits()).pages
    pixels = tiffpack.unpack(blocks_of(out)[0], page_out, (48, 48), Limits())[:, :, 0]
    assert np.array_equal(pixels[:24, :32], SHOWN)
    assert not pixels[24:].any()
    assert (pixels[:24, 32:] == (0 if predictor == 1 else SHOWN[:, -1:])).all()


@pytest.mark.parametrize("bits", [1, 4])
def test_bits_beyond_the_picture_are_emptied(bits: int) -> None:
    full = page(np.zeros((16, 13), np.uint8), tiles=[b"\xff" * (2 * bits * 16)], tile=(16, 16))
    full.tags[258] = (3, [bits])
    out, _ = cleaned_bytes(tiff(full), Kind.TIFF)
    row = int("1" * 13 * bits + "0" * 3 * bits, 2).to_bytes(2 * bits, "big")
    assert blocks_of(out) == [row * 16]


def test_a_jpeg_tile_is_made_flat_beyond_the_picture() -> None:
    tile = smooth(64, 64)
    tile[32:] = RANDOM.integers(0, 255, (32, 64))
    full = page(tile[:20, :64], packing=7, tiles=[jpeg(tile, quality=95)], tile=(64, 64))
    out, result = cleaned_bytes(tiff(full), Kind.TIFF)
    before, after = (
        np.asarray(Image.open(io.BytesIO(one))) for one in (full.tiles[0], *blocks_of(out))
    )
    assert np.array_equal(before[:24], after[:24])
    assert np.ptp(before[32:]) > 200
    assert np.ptp(after[24:]) < 5
    assert any(action.place == "padding of a tile" for action in result.actions)


def test_folders_that_readers_take_differently_wait_for_a_person() -> None:
    halves = [SHOWN[:12].tobytes(), SHOWN[12:].tobytes()]
    more = page(SHOWN, strips=[*halves, HIDDEN[:12].tobytes()], rows=12)
    with pytest.raises(NeedsReviewError, match="more strips"):
        cleaned_bytes(tiff(more), Kind.TIFF)
    both = page(SHOWN, strips=[SHOWN.tobytes()], tiles=[HIDDEN.tobytes()], tile=(24, 32))
    with pytest.raises(NeedsReviewError, match="strips and tiles"):
        cleaned_bytes(tiff(both), Kind.TIFF)
    with pytest.raises(NeedsReviewError, match="does not unpack"):
        cleaned_bytes(tiff(page(SHOWN, packing=8, strips=[halves[0]])), Kind.TIFF)


def test_blocks_unpack_to_no_more_than_the_limit() -> None:
    data = tiff(page(SHOWN, packing=8, strips=[zlib.compress(SHOWN.tobytes())]))
    with pytest.raises(LimitExceededError):
        cleaned_bytes(data, Kind.TIFF, context(decoded_bytes=500))

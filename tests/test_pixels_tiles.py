"""Tiles of a whole slide: where they lie, how they are looked at, and what is masked in them."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image, ImageDraw, ImageFont
from pydicom.dataset import Dataset

import safelight
from run_fixtures import sample
from safelight.deid.boxes import Box, Region, Verdict
from safelight.deid.pixels.headerparts import Fields
from safelight.deid.pixels.tiles import Tile, blocks_of, scattered, tiles_of
from safelight.dicomio.limits import Limits
from safelight.dicomio.walker import Budget, Walker

LIMITS = Limits()
TILE, ACROSS, DOWN = 128, 3, 2


def fields(width: int, height: int) -> Fields:
    raw = {0x00480006: width.to_bytes(4, "little"), 0x00480007: height.to_bytes(4, "little")}
    return Fields(raw, Walker(implicit=False, big=False), Budget(LIMITS))


def test_full_tiles_lie_in_rows_plane_by_plane() -> None:
    found = tiles_of(fields(50, 20), 16, 32, 8)
    first = [Tile(0, 0, 0), Tile(0, 32, 0), Tile(0, 0, 16), Tile(0, 32, 16)]
    assert found == (*first, *(one._replace(plane=1) for one in first))


@pytest.mark.parametrize(
    ("width", "height", "frames"), [(50, 20, 7), (0, 20, 4), (50, 0, 4), (20, 10, 1)]
)
def test_other_frames_are_no_tiles(width: int, height: int, frames: int) -> None:
    assert tiles_of(fields(width, height), 16, 32, frames) == ()


def test_blocks_of_a_large_picture_share_tiles_and_leave_none_out() -> None:
    tiles = tiles_of(fields(9000, 5000), 512, 512, 18 * 10)
    found = list(blocks_of(tiles, 512, 512))
    assert {number for block in found for number, _x, _y in block.frames} == set(range(180))
    assert all(max(block.rows, block.columns) <= 2048 + 512 for block in found)
    sharing = [{number for number, _x, _y in block.frames} for block in found]
    for one, other in ((3, 4), (0, 18), (57, 76), (71, 72 + 17)):  # neighbours, also aslant
        assert any({one, other} <= block for block in sharing)


def test_places_from_far_away_take_no_memory() -> None:
    blocks = list(blocks_of([Tile(0, 0, 0), Tile(0, 4 << 30, 4 << 30)], 64, 64))
    assert max(max(block.rows, block.columns) for block in blocks) <= 2048 + 128


def test_a_region_is_cut_at_the_borders_of_tiles() -> None:
    (block,) = blocks_of(tiles_of(fields(64, 16), 16, 32, 2), 16, 32)
    region = Region(boxes=[Box(30, 2, 4, 5)], verdict=Verdict.MASK, rule="text")
    found = {one.frames: list(one.boxes) for one in scattered(region, block, 16, 32)}
    assert found == {(0,): [Box(30, 2, 2, 5)], (1,): [Box(0, 2, 2, 5)]}


def slide(*, sparse: bool) -> tuple[Dataset, Any, list[int]]:
    """Return a slide with a name across its tiles, its picture, and the order of its tiles."""
    size = (DOWN * TILE, ACROSS * TILE)
    canvas = Image.new("L", size[::-1])
    font = ImageFont.load_default(20)
    ImageDraw.Draw(canvas).text((40, 116), "WEXFORDIAN JANETTE", fill=255, font=font)
    picture = np.full((*size, 3), 230, np.uint8)
    picture[np.asarray(canvas) > 100] = 20
    tiles = picture.reshape(DOWN, TILE, ACROSS, TILE, 3).swapaxes(1, 2).reshape(-1, TILE, TILE, 3)
    order = [4, 0, 3, 5, 1, 2] if sparse else list(range(6))
    data = sample()
    for keyword in ("RescaleSlope", "RescaleIntercept", "PixelPaddingValue"):
        if keyword in data:
            del data[keyword]
    data.SOPClassUID = data.file_meta.MediaStorageSOPClassUID = "1.2.840.10008.5.1.4.1.1.77.1.6"
    data.Modality, data.ImageType = "SM", ["ORIGINAL", "PRIMARY", "LABEL", "NONE"]
    data.Rows = data.Columns = TILE
    data.NumberOfFrames, data.SamplesPerPixel, data.PlanarConfiguration = 6, 3, 0
    data.BitsAllocated = data.BitsStored = 8
    data.HighBit, data.PixelRepresentation, data.PhotometricInterpretation = 7, 0, "RGB"
    data.TotalPixelMatrixRows, data.TotalPixelMatrixColumns = size
    if sparse:
        groups = []
        for number in order:
            place = Dataset()
            place.ColumnPositionInTotalImagePixelMatrix = number % ACROSS * TILE + 1
            place.RowPositionInTotalImagePixelMatrix = number // ACROSS * TILE + 1
            group = Dataset()
            group.PlanePositionSlideSequence = [place]
            groups.append(group)
        data.PerFrameFunctionalGroupsSequence = groups
    data.PixelData = tiles[order].tobytes()
    return data, picture, order


@pytest.mark.parametrize("sparse", [False, True])
def test_a_name_across_tiles_is_masked_whole_and_nowhere_else(
    key_file: Path, *, sparse: bool
) -> None:
    data, before, order = slide(sparse=sparse)
    done = safelight.deidentify(data, key=key_file).dataset
    tiles = np.frombuffer(done.PixelData, np.uint8).reshape(-1, TILE, TILE, 3)[np.argsort(order)]
    after = tiles.reshape(DOWN, ACROSS, TILE, TILE, 3).swapaxes(1, 2).reshape(before.shape)
    ink = (before == 20).all(axis=2)
    changed = (after != before).any(axis=2)
    rows, columns = np.nonzero(ink)
    around = after[rows.min() : rows.max() + 1, columns.min() : columns.max() + 1]
    assert len(np.unique(around.reshape(-1, 3), axis=0)) == 1
    assert changed.mean() < 0.12

"""The segmenter: sizes, determinism, tiling, plain writing found, plain pictures left alone."""

import cv2
import numpy as np
import pytest
from numpy.typing import NDArray

from safelight.deid.burned.find import Levels
from safelight.deid.burned.segment import OVERLAP, TILE, Segmenter, _pieces, planes
from safelight.errors import SettingsError

Grey = NDArray[np.uint8]


@pytest.fixture(scope="module")
def segmenter() -> Segmenter:
    return Segmenter.load()


def _ground(rows: int, columns: int, seed: int = 7) -> Grey:
    """Return a soft anatomy-like field with grain."""
    rng = np.random.default_rng(seed)
    coarse = rng.uniform(40, 150, (4, 4)).astype(np.float32)
    soft = cv2.resize(coarse, (columns, rows), interpolation=cv2.INTER_CUBIC)
    return np.asarray((soft + rng.normal(0, 3, soft.shape)).clip(0, 255), np.uint8)


def _written(
    grey: Grey, text: str, at: tuple[int, int], *, height: float, level: int
) -> NDArray[np.bool_]:
    """Set a line and return where its ink is."""
    ink = np.zeros_like(grey)
    cv2.putText(ink, text, at, cv2.FONT_HERSHEY_SIMPLEX, height / 21, 255, max(1, int(height / 9)))
    grey[ink > 0] = level
    return ink > 0


@pytest.mark.parametrize("shape", [(1, 1), (1, 300), (300, 1), (7, 5), (33, 47), (129, 1000)])
def test_any_size_gives_a_probability_for_each_pixel(
    segmenter: Segmenter, shape: tuple[int, int]
) -> None:
    grey = _ground(*shape)
    for scale in (1.0, 0.5, 0.25, 2.0):
        found = segmenter.probability(grey, scale)
        assert found.shape == shape
        assert found.dtype == np.float32
        assert 0.0 <= float(found.min()) <= float(found.max()) <= 1.0


@pytest.mark.parametrize("level", [255, 0])
@pytest.mark.parametrize("height", [9, 14, 24, 40])
def test_a_plain_line_is_found_whatever_its_size_and_tone(
    segmenter: Segmenter, height: float, level: int
) -> None:
    grey = _ground(256, 512)
    ink = _written(grey, "DOE^JOHN 1970", (20, 140), height=height, level=level)
    found = cv2.dilate(segmenter.probability(grey), np.ones((5, 5), np.uint8))
    assert float((found[ink] > 0.4).mean()) > 0.97


def test_a_line_one_way_up_is_found_any_way_up(segmenter: Segmenter) -> None:
    grey = _ground(256, 256)
    ink = _written(grey, "ROE, JANE", (20, 120), height=18, level=250)
    for quarter in range(4):
        found = segmenter.probability(np.ascontiguousarray(np.rot90(grey, quarter)))
        assert float((np.rot90(found, -quarter)[ink] > 0.4).mean()) > 0.9


def test_a_line_of_few_grey_levels_on_an_even_field_is_found(segmenter: Segmenter) -> None:
    grey = np.full((128, 320), 244, np.uint8)
    ink = _written(grey, "DOE JOHN", (20, 70), height=16, level=236)
    assert float((segmenter.probability(grey)[ink] > 0.4).mean()) > 0.9


def test_soft_tissue_and_even_fields_stay_clean(segmenter: Segmenter) -> None:
    for grey in (_ground(512, 512), np.zeros((512, 512), np.uint8)):
        assert float((segmenter.probability(grey) > 0.4).mean()) < 0.001


@pytest.mark.parametrize("rows", [296, 300, 597])
def test_noise_at_the_last_rows_is_not_drawn_out_to_strokes(
    segmenter: Segmenter, rows: int
) -> None:
    rng = np.random.default_rng(7)
    grey = rng.normal(30, 4, (rows, 640)).clip(0, 255).astype(np.uint8)
    for picture in (grey, np.ascontiguousarray(grey.T)):
        for scale in (1.0, 0.5):
            assert float(segmenter.probability(picture, scale).max()) < Levels().high


def test_the_same_picture_gives_the_same_answer(segmenter: Segmenter) -> None:
    grey = _ground(200, 300)
    _written(grey, "ROE", (30, 90), height=30, level=255)
    first = segmenter.probability(grey)
    again = Segmenter.load().probability(grey.copy(order="F"))
    assert np.array_equal(first, segmenter.probability(grey))
    assert np.array_equal(first, again)


def test_pieces_cover_a_side_once_and_see_their_neighbours() -> None:
    for length in (1, 15, 16, 100, TILE, TILE + 1, 2048, 5001):
        covered: list[int] = []
        for start, stop, above, below in _pieces(length):
            covered += range(start, stop)
            assert above == max(0, start - OVERLAP)
            assert above % 16 == 0
            assert stop <= below <= length
            assert below - above <= TILE + 2 * OVERLAP + 16
        assert covered == list(range(length))


def test_writing_across_a_seam_is_found_as_in_the_whole(segmenter: Segmenter) -> None:
    grey = _ground(96, TILE + 300)
    seam = _pieces(TILE + 300)[0][1]
    ink = _written(grey, "DOE^JOHN", (seam - 70, 60), height=20, level=255)
    found = segmenter.probability(grey)
    near = segmenter.probability(np.ascontiguousarray(grey[:, seam - 256 : seam + 256]))
    assert float((found[ink] > 0.4).mean()) > 0.97
    middle = slice(seam - 100, seam + 100)
    assert np.abs(found[:, middle] - near[:, 156:356]).mean() < 0.01


def test_planes_hold_the_tone_and_the_local_contrast() -> None:
    grey = np.zeros((60, 60), np.uint8)
    grey[:, 30:] = 255
    tone, local = planes(grey)
    assert (tone.min(), tone.max()) == (-1.0, 1.0)
    assert float(np.abs(local).max()) <= 1.0
    assert float(np.abs(local[:, :10]).max()) == 0.0
    assert float(local[30, 31]) > 0.2


@pytest.mark.parametrize(
    "grey",
    [np.zeros((0, 5), np.uint8), np.zeros((4, 4, 3), np.uint8), np.zeros((4, 4), np.uint16)],
    ids=["no pixel", "three planes", "sixteen bits"],
)
def test_what_is_no_plane_of_bytes_is_refused(segmenter: Segmenter, grey: Grey) -> None:
    with pytest.raises(SettingsError, match="plane of bytes"):
        segmenter.probability(grey)


@pytest.mark.parametrize("scale", [0.0, -1.0, 9.0, float("nan")])
def test_a_scale_out_of_range_is_refused(segmenter: Segmenter, scale: float) -> None:
    with pytest.raises(SettingsError, match="scale"):
        segmenter.probability(np.zeros((8, 8), np.uint8), scale)

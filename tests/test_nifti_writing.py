"""Writing in NIfTI pictures: masked in the stored values wherever it stands, and nothing else."""

import gzip
import struct
from typing import Any

import numpy as np
import pytest
from PIL import Image, ImageDraw, ImageFont

from photo_fixtures import CONTEXT
from safelight.deid.boxes import Box, Region, Verdict
from safelight.deid.burned import Finder
from safelight.deid.context import Context
from safelight.deid.faces import NiftiImage
from safelight.deid.nifti import WRITING
from safelight.deid.retouch import ByHand, Retoucher
from safelight.deid.slices import Slices, search
from safelight.dicomio.limits import Limits
from safelight.errors import NeedsReviewError
from safelight.types import Kind, Original

LINES = ("WEXFORDIAN JANETTE", "ID 47110815 B4")
RGB = np.dtype("u1,u1,u1")
CODES = {"|u1": 2, "<i2": 4, "<f4": 16, "<c8": 32}
FLIP = np.diag([-1.0, -1.0, 1.0, 1.0])  # to LPS and back


@pytest.fixture(scope="module")
def finder() -> Finder:
    return Finder()


def nifti(values: Any, affine: Any = None, code: int = 0) -> bytes:
    header = bytearray(352)
    struct.pack_into("<i", header, 0, 348)
    struct.pack_into("<8h", header, 40, values.ndim, *values.shape, *[1] * (7 - values.ndim))
    code = code or (128 if values.dtype.names else CODES[values.dtype.str])
    struct.pack_into("<2h", header, 70, code, 8 * values.dtype.itemsize)
    struct.pack_into("<8f", header, 76, *[1] * 8)
    struct.pack_into("<f", header, 108, 352)
    if affine is not None:
        struct.pack_into("<2h", header, 252, 0, 1)
        struct.pack_into("<12f", header, 280, *np.asarray(affine)[:3].ravel())
    header[344:348] = b"n+1\0"
    return bytes(header) + values.tobytes(order="F")


def written(rows: int, columns: int, size: int = 16) -> Any:
    """Return where ink is, shape (rows, columns)."""
    image = Image.new("L", (columns, rows))
    font = ImageFont.load_default(size)
    for number, line in enumerate(LINES):
        ImageDraw.Draw(image).text((6, 6 + number * 2 * size), line, fill=255, font=font)
    return np.asarray(image) > 128


def anatomy(shape: tuple[int, ...]) -> Any:
    """Return something smooth with a little noise, from 0 to about 600."""
    where = np.meshgrid(*(np.linspace(-1, 1, size) for size in shape), indexing="ij")
    far = sum(each**2 for each in where)
    noise = np.random.default_rng(7).normal(0, 12, shape)
    return np.clip(500 * np.exp(-2 * far) + noise + 30, 0, 700).astype("<i2")


def masked(finder: Finder, data: bytes) -> tuple[Any, Any]:
    """Return the voxels before and after."""
    image = NiftiImage.any(data)
    assert image is not None
    slices = Slices(image)
    search(finder, slices, None)
    after = NiftiImage.any(slices.written(data))
    assert after is not None
    return image.voxels, after.voxels


def turned(how: str, plane: Any) -> Any:
    """Return a picture as a program stores it."""
    return {
        "dcm2niix": plane[::-1].T,
        "SimpleITK": plane.T,
        "numpy": plane,
        "turned": np.rot90(plane),
    }[how]


@pytest.mark.parametrize("how", ["dcm2niix", "SimpleITK", "numpy", "turned"])
def test_a_screenshot_loses_its_text_however_its_rows_are_stored(finder: Finder, how: str) -> None:
    ink = turned(how, written(140, 260))
    shot = np.zeros(ink.shape, RGB)
    for name in RGB.names or ():
        shot[name][ink] = 230
    before, after = masked(finder, nifti(shot[:, :, None]))
    assert not (after["f0"][..., 0][ink] > 0).any()
    assert not (after != before)[..., 0][~ink & (shot["f0"] > 0)].any()


def test_an_image_of_two_dimensions_is_a_picture_too(finder: Finder) -> None:
    ink = written(140, 260)
    _, after = masked(finder, nifti(np.where(ink, 255, 20).astype("u1")))
    assert after[ink].max() <= 20


@pytest.mark.parametrize("axes", [(0, 1, 2), (2, 0, 1), (1, 2, 0)])
def test_writing_in_one_slice_goes_along_any_axis(
    finder: Finder, axes: tuple[int, int, int]
) -> None:
    volume = anatomy((200, 160, 24))
    ink = written(160, 200, 14).T
    volume[:, :, 11][ink] = 1500
    before, after = masked(finder, nifti(np.transpose(volume, axes), np.eye(4)))
    before, after = (np.transpose(each, np.argsort(axes)) for each in (before, after))
    assert not (after[:, :, 11][ink] == 1500).any()
    changed = (before != after).any(axis=(0, 1))
    assert np.flatnonzero(changed).tolist() == [11]


def test_what_stands_in_all_slices_goes_from_all(finder: Finder) -> None:
    volume = anatomy((200, 160, 24))
    ink = written(160, 200, 14)[::-1].T
    volume[ink] = 1500
    before, after = masked(finder, nifti(volume, FLIP))
    assert not (after[ink] == 1500).any()
    assert (before != after).mean() < 0.3


def test_writing_at_one_time_of_many_goes(finder: Finder) -> None:
    volume = np.repeat(anatomy((200, 160, 9))[..., None], 5, axis=3)
    ink = written(160, 200, 14).T
    volume[:, :, 4, 3][ink] = 1500
    _, after = masked(finder, nifti(volume, np.eye(4)))
    assert not (after[:, :, 4, 3][ink] == 1500).any()


def test_volumes_without_writing_stay_as_they_are(finder: Finder) -> None:
    for values in (anatomy((120, 100, 40)), anatomy((64, 64, 20)).astype("<c8")):
        before, after = masked(finder, nifti(values, np.eye(4)))
        assert np.array_equal(before, after)


def run(
    data: bytes, by_hand: ByHand, *, looks: bool = False, ctx: Context = CONTEXT
) -> tuple[Any, list[Any], list[str]]:
    kind = Kind.NIFTI_GZ if data[:2] == b"\x1f\x8b" else Kind.NIFTI
    retoucher = Retoucher(Limits(), by_hand, looks=looks)
    out, actions, notes = retoucher.volume(Original(data, kind=kind), ctx)
    raw = gzip.decompress(out.reveal()) if kind is Kind.NIFTI_GZ else out.reveal()
    return NiftiImage.any(raw), actions, notes


def box(*sides: int, frames: tuple[int, ...] = ()) -> ByHand:
    region = Region(boxes=(Box(*sides),), verdict=Verdict.MASK, rule="by hand", frames=frames)
    return ByHand(boxes=(region,))


def test_boxes_by_hand_count_from_the_top_left_of_a_slice_as_shown() -> None:
    values = np.full((30, 20, 10), 7, "u1")
    values[0, 0, 0] = 1
    data = gzip.compress(nifti(values, np.eye(4)))  # RAS: shown from the left, from behind on top
    image, actions, _ = run(data, box(2, 3, 4, 5, frames=(1, 2)))
    gone = np.argwhere(image.voxels != values)
    assert [action.rule for action in actions] == ["by hand"]
    assert gone.min(axis=0).tolist() == [30 - 2 - 4, 20 - 3 - 5, 1]
    assert gone.max(axis=0).tolist() == [30 - 2 - 1, 20 - 3 - 1, 2]


def test_voxels_that_nothing_shows_are_told_of_and_not_masked_in_silence() -> None:
    data = nifti(np.zeros((4, 4, 4), "V16"), code=1536)
    assert run(data, ByHand(), looks=True)[2][0] == WRITING
    with pytest.raises(NeedsReviewError):
        run(data, box(0, 0, 2, 2))

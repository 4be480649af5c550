"""Writing that one way of showing the pixels hides: the other ways show it, and it is masked."""

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image, ImageDraw, ImageFont
from pydicom.dataset import Dataset

import safelight
from mask_fixtures import header_of
from run_fixtures import sample
from safelight.deid.burned import Finder
from safelight.deid.burned.series import SeriesLook
from safelight.deid.burned.sight import Sight
from safelight.deid.burned.views import planes
from safelight.deid.pixels.picture import Picture
from safelight.deid.pixels.render import render, render_bare, render_beside, render_fourth
from safelight.deid.pixels.tables import Table
from safelight.dicomio.codecs import PixelFormat
from safelight.errors import NeedsReviewError

SIZE = (192, 256)
FORM = PixelFormat(rows=2, columns=3, bits_allocated=16, bits_stored=12, high_bit=11)


def ink() -> Any:
    canvas = Image.new("L", SIZE[::-1])
    font = ImageFont.load_default(18)
    ImageDraw.Draw(canvas).text((12, 10), "WEXFORDIAN JANETTE", fill=255, font=font)
    return np.asarray(canvas) > 100


def anatomy() -> Any:
    """Return a smooth picture, 0 to 3000, dark around."""
    y, x = np.mgrid[: SIZE[0], : SIZE[1]]
    inside = np.hypot((x - 128) / 80, (y - 110) / 60) < 1
    return (inside * (1500 + 500 * np.sin(x / 17.0) * np.cos(y / 23.0))).astype(np.uint16)


def image(pixels: Any, **said: Any) -> Dataset:
    data = sample()
    for keyword in ("PixelPaddingValue", "RescaleSlope", "RescaleIntercept", "WindowCenter"):
        if keyword in data:
            del data[keyword]
    data.Rows, data.Columns = SIZE
    data.BitsAllocated = pixels.dtype.itemsize * 8
    data.BitsStored, data.HighBit, data.PixelRepresentation = 12, 11, 0
    data.PixelData = pixels.tobytes()
    for keyword, value in said.items():
        setattr(data, keyword, value)
    return data


def in_high_bits() -> Dataset:
    return image(anatomy() | (ink().astype(np.uint16) << 13))


def on_white_padding() -> Dataset:
    pixels = np.where(anatomy() > 0, anatomy(), 4095).astype(np.uint16)
    pixels[ink()] = 0
    data = image(pixels)
    data.add_new(0x00280120, "US", 4095)  # Pixel Padding Value
    return data


def in_one_colour() -> Dataset:
    """Stored values that differ, and a palette that shows them all alike."""
    pixels = np.where(anatomy() > 0, 100 + anatomy() // 40, 0).astype(np.uint16)
    pixels[ink()] = 250
    data = image(pixels, PhotometricInterpretation="PALETTE COLOR")
    ramp = np.arange(256, dtype=np.uint16) * 257
    ramp[250] = 0
    for tag in range(0x00281101, 0x00281104):
        data.add_new(tag, "US", [256, 0, 16])
        data.add_new(tag + 0x100, "OW", ramp.tobytes())
    return data


@pytest.mark.parametrize("made", [in_high_bits, on_white_padding, in_one_colour])
def test_what_viewers_may_not_show_is_masked_all_the_same(
    made: Callable[[], Dataset], key_file: Path
) -> None:
    done = safelight.deidentify(made(), key=key_file).dataset
    after = np.frombuffer(done.PixelData, np.uint16).reshape(SIZE)
    rows, columns = np.nonzero(ink())
    around = after[rows.min() : rows.max() + 1, columns.min() : columns.max() + 1]
    assert len(np.unique(around)) == 1


def test_of_two_pixel_data_elements_the_one_that_is_written_is_looked_at(key_file: Path) -> None:
    data = image(anatomy())
    floats = anatomy().astype(np.float32)
    floats[ink()] = 3000
    data.FloatPixelData = floats.tobytes()
    data.SOPClassUID = data.file_meta.MediaStorageSOPClassUID = "1.2.840.10008.5.1.4.1.1.30"
    data.BitsAllocated, data.PixelData = 32, anatomy().astype(np.uint32).tobytes()
    done = safelight.deidentify(data, key=key_file).dataset
    assert "PixelData" not in done
    after = np.frombuffer(done.FloatPixelData, np.float32).reshape(SIZE)
    assert not (after[ink()] == 3000).any()


@pytest.mark.parametrize("kind", ["dicom", "png"])
def test_what_the_first_look_missed_is_held(
    kind: str, key_file: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def blind(_self: Finder, picture: Picture, *_more: Any, **_told: Any) -> Sight:
        rows, columns = picture.grey.shape
        return Sight(rows=rows, columns=columns, frame=0, found=())

    monkeypatch.setattr(Finder, "look", blind)
    monkeypatch.setattr(SeriesLook, "finish", lambda *_more: None)
    pixels = anatomy()
    clean: Any = image(pixels)
    pixels[ink()] = 3000
    written: Any = image(pixels)
    if kind == "png":
        written = tmp_path / "image.png"
        Image.fromarray((pixels // 16).astype(np.uint8)).save(written)
    with pytest.raises(NeedsReviewError, match="legible"):
        safelight.deidentify(written, key=key_file)
    assert safelight.deidentify(clean, key=key_file)


def test_padding_is_shown_as_it_is_stored_where_nothing_may_be_hidden() -> None:
    frame = np.array([[10, 20, 4095], [30, 40, 4095]], np.uint16)
    header = header_of(FORM, padding=(4095, 4095))
    shown = render(frame, header, "MONOCHROME2", full=True).grey
    assert shown[:, 2].tolist() == [255, 255]
    assert np.ptp(shown[:, :2]) == 255
    bare = render_bare(frame, header)
    assert bare is not None
    assert bare.grey[:, :2].max() < 5
    assert render_bare(frame, header_of(FORM)) is None


def test_what_is_no_number_differs_from_dark_and_from_bright() -> None:
    form = replace(FORM, bits_allocated=32, bits_stored=32, high_bit=31, vr=b"OF")
    frame = np.array([[0, 1, np.nan], [0, 1, -np.inf]], np.float32)
    shown = render(frame, header_of(form), "MONOCHROME2", full=True).grey
    assert shown.tolist() == [[0, 255, 128], [0, 255, 128]]


@pytest.mark.parametrize("signed", [False, True])
def test_bits_beside_the_values_are_pictures(*, signed: bool) -> None:
    form = replace(FORM, signed=signed)
    frame = np.array([[-1, 2, 3], [4, -5, 6]], np.int16) if signed else np.ones((2, 3), np.uint16)
    sign = (frame.view(np.uint16) & 0xF000) if signed else np.zeros((2, 3), np.uint16)
    assert render_beside(sign, frame, form) == []
    words = sign.copy()
    words[0, 1] ^= 1 << 14
    words[1, 2] ^= 1 << 12
    every, low, high = render_beside(words, frame, form)
    assert np.argwhere(every.grey).tolist() == [[0, 1], [1, 2]]
    assert np.argwhere(low.grey).tolist() == [[1, 2]]
    assert np.argwhere(high.grey).tolist() == [[0, 1]]


def test_the_fourth_sample_is_a_picture() -> None:
    form = replace(FORM, samples=4, bits_allocated=8, bits_stored=8, high_bit=7)
    frame = np.zeros((2, 3, 4), np.uint8)
    frame[0, 1, 0], frame[1, 2, 3] = 200, 100
    assert render_fourth(frame, "ARGB", form).grey[0, 1] == 200
    assert render_fourth(frame, "RGB", form).grey[1, 2] == 100


def test_colours_that_are_each_others_in_another_order_are_told_apart() -> None:
    rgb = np.full((60, 60, 3), (200, 100, 0), np.uint8)
    rgb[20:40, 20:40] = (0, 163, 200)
    grey = np.full((60, 60), 118, np.uint8)
    shown = Picture(grey=grey, rgb=rgb)
    assert any(np.ptp(plane) == 200 for plane, _left, _top in planes(shown, grey))


def test_stored_indices_are_looked_at_where_their_palette_hides_something() -> None:
    alike = Table(entries=256, first=0, bits=8, data=bytes(256))
    ramp = Table(entries=256, first=0, bits=8, data=bytes(range(256)))
    frame = np.tile(np.arange(0, 60, 10, dtype=np.uint16), (4, 1))  # 50 is the greatest
    bare = render_bare(frame, header_of(FORM, palettes=(alike, alike, alike)))
    assert bare is not None
    assert bare.grey[0].tolist() == [0, 51, 102, 153, 204, 255]
    assert render_bare(frame, header_of(FORM, palettes=(ramp, ramp, ramp))) is None


def test_retired_forms_of_pixel_data_go(key_file: Path) -> None:
    data = image(anatomy())
    drawing = ink().astype(np.uint16).tobytes()
    retired = (0x7F000010, 0x7F020010, 0x7F000020, 0x7FE00020)
    for tag in retired:
        data.add_new(tag, "OW", drawing)
    done = safelight.deidentify(data, key=key_file, pixels=False).dataset
    assert not any(tag in done for tag in retired)
    assert done.PixelData == data.PixelData

"""Writing in pictures, from the command line to the outputs, as a person would use it."""

import io
import json
import re
import struct
from pathlib import Path
from typing import Any

import numpy as np
import pydicom
import pytest
from PIL import Image, ImageDraw, ImageFont, ImageOps
from pydicom.dataset import Dataset

import safelight
from run_fixtures import command, do, planted, sample
from safelight.deid.nifti import WRITING

NAME = "WEXFORDIAN JANETTE"


def written_on(pixels: Any, text: str, *, at: tuple[int, int] = (12, 10), size: int = 18) -> Any:
    """Return the picture with a text in its brightest value, and where its ink is."""
    canvas = Image.new("L", (pixels.shape[1], pixels.shape[0]))
    ImageDraw.Draw(canvas).text(at, text, fill=255, font=ImageFont.load_default(size))
    ink = np.asarray(canvas) > 100
    out = pixels.copy()
    out[ink] = pixels.max()
    return out, ink


def burned(text: str, *, instance: int = 1, series: str = "1.2.826.0.3.1") -> tuple[Dataset, Any]:
    """Return a CT image of 256 rows and columns with a text in it, and its ink."""
    data = sample()
    pixels = np.repeat(np.repeat(data.pixel_array, 2, axis=0), 2, axis=1)
    pixels, ink = written_on(pixels, text)
    data.Rows, data.Columns = pixels.shape
    data.PixelData = pixels.tobytes()
    data.SeriesInstanceUID = series
    data.SOPInstanceUID = f"1.2.826.0.2.{instance}"
    data.file_meta.MediaStorageSOPInstanceUID = data.SOPInstanceUID
    data.PatientName, data.PatientID = "WEXFORDIAN^JANETTE", "MRN7734120"
    return data, ink


def colours(path: Path) -> Any:
    with Image.open(path) as image:
        return np.asarray(image.convert("RGB"))


def test_a_name_in_the_picture_is_masked_and_nothing_else_is(key_file: Path) -> None:
    data, ink = burned(NAME)
    result = safelight.deidentify(data, key=key_file)
    before, after = data.pixel_array, result.dataset.pixel_array
    changed = before != after
    assert (after[ink] == after[ink][0]).all()
    assert changed.mean() < 0.2
    assert result.dataset.BurnedInAnnotation == "NO"
    assert any(action.action == "mask" for action in result.actions)


def test_without_pixels_the_picture_stays_and_nothing_is_claimed(key_file: Path) -> None:
    data, _ink = burned(NAME)
    result = safelight.deidentify(data, key=key_file, pixels=False).dataset
    assert (result.pixel_array == data.pixel_array).all()
    codes = [item.CodeValue for item in result.DeidentificationMethodCodeSequence]
    assert "113101" not in codes
    assert "BurnedInAnnotation" not in result


def test_a_series_is_masked_alike(tmp_path: Path, key_file: Path) -> None:
    folder = tmp_path / "in"
    folder.mkdir()
    inks = []
    for number in range(4):
        data, ink = burned(NAME, instance=number + 1)
        inks.append(ink)
        data.save_as(folder / f"IM{number}.dcm")
    summary = do(folder, tmp_path / "out", key_file, pixels=True)
    assert summary.exit_code == 0
    outputs = sorted((tmp_path / "out").rglob("*.dcm"))
    assert len(outputs) == 4
    masks = []
    for path, ink in zip(outputs, inks, strict=True):
        pixels = pydicom.dcmread(path).pixel_array
        assert (pixels[ink] == pixels[ink][0]).all()
        masks.append(pixels == pixels[ink][0])
    assert "113101" in json.dumps(summary.data["methods"])
    assert summary.data["pixels_searched"] is True


def test_the_command_line_masks_unless_told_not_to(tmp_path: Path, key_file: Path) -> None:
    data, ink = burned(NAME)
    path = tmp_path / "image.dcm"
    data.save_as(path)
    done = command(
        "deidentify", path, "-o", tmp_path / "out", "--key", key_file, "--json", pixels=True
    )
    assert done.returncode == 0, done.stderr
    rules = {(row["rule"], row["action"]) for row in json.loads(done.stdout)["rules"]}
    assert ("text", "mask") in rules
    (output,) = (tmp_path / "out").rglob("*.dcm")
    after = pydicom.dcmread(output).pixel_array
    assert (after[ink] == after[ink][0]).all()
    told = command(
        "deidentify", path, "-o", tmp_path / "left", "--key", key_file, "--no-pixels", pixels=True
    )
    assert told.returncode == 0, told.stderr
    (output,) = (tmp_path / "left").rglob("*.dcm")
    assert (pydicom.dcmread(output).pixel_array == data.pixel_array).all()
    page = (tmp_path / "left" / "_safelight" / "report.html").read_text("utf-8")
    assert re.search("Pixels were not searched", page)


def test_before_and_after_lie_in_a_private_folder(tmp_path: Path, key_file: Path) -> None:
    data, ink = burned(NAME)
    path = tmp_path / "image.dcm"
    data.save_as(path)
    album = tmp_path / "album"
    shown = ("--pictures", album, "--key", key_file)
    done = command("deidentify", path, "-o", tmp_path / "out", *shown, pixels=True)
    assert done.returncode == 0, done.stderr
    assert album.stat().st_mode & 0o777 == 0o700
    assert str(album / "index.html") in done.stderr.replace("\n", "")
    (before,) = album.glob("*-before.png")
    (after,) = album.glob("*-after.png")
    assert before.stat().st_mode & 0o777 == 0o600
    assert (colours(before) == (214, 39, 40)).all(axis=2).any()
    cleaned = colours(after)
    large = np.asarray(Image.fromarray(ink).resize(cleaned.shape[1::-1]))
    assert cleaned[large].max() < 60
    page = (album / "index.html").read_text("utf-8")
    assert before.name in page
    assert after.name in page
    inside = command(
        "deidentify", path, "-o", tmp_path / "out", "--pictures", tmp_path / "out" / "x",
        "--key", key_file,
    )  # fmt: skip
    assert inside.returncode == 4
    assert "output folder" in inside.stderr


def test_pictures_never_lie_in_a_source(tmp_path: Path, key_file: Path) -> None:
    source = planted(tmp_path / "in", 1)
    (tmp_path / "own").mkdir()
    (tmp_path / "own" / "index.html").write_text("somebody's page", "utf-8")
    for number, pictures in enumerate((source / "pics", source, tmp_path, tmp_path / "own")):
        told = command(
            "deidentify", source, "-o", tmp_path / f"out{number}", "--pictures", pictures,
            "--key", key_file,
        )  # fmt: skip
        assert told.returncode == 4, told.stderr
        assert "the folder for pictures" in told.stderr
        assert not (tmp_path / f"out{number}").exists()
    assert [path.name for path in source.iterdir()] == ["WEXFORDIAN_JANETTE"]
    assert (tmp_path / "own" / "index.html").read_text("utf-8") == "somebody's page"


def test_inspect_writes_the_picture_with_what_was_found(tmp_path: Path, key_file: Path) -> None:
    data, _ink = burned(NAME)
    path, picture = tmp_path / "image.dcm", tmp_path / "seen.png"
    data.save_as(path)
    told = command("inspect", path, "--pixels", picture, "--key", key_file, pixels=True)
    assert told.returncode == 0, told.stderr
    assert "for your eyes only" in told.stdout
    assert (colours(picture) == (214, 39, 40)).all(axis=2).any()
    before = path.read_bytes()
    for target, force, code in ((picture, (), 4), (path, ("--force",), 2)):
        told = command("inspect", path, "--pixels", target, "--key", key_file, *force)
        assert told.returncode == code, told.stderr
    assert path.read_bytes() == before


@pytest.mark.parametrize("kind", ["PNG", "JPEG"])
def test_a_name_in_a_photo_is_masked(kind: str, key_file: Path) -> None:
    noise = np.random.default_rng(7).normal(90, 12, (240, 400, 3)).clip(0, 255).astype(np.uint8)
    image = Image.fromarray(noise)
    font = ImageFont.load_default(22)
    ImageDraw.Draw(image).text((30, 40), NAME, fill=(250, 250, 250), font=font)
    buffer = io.BytesIO()
    image.save(buffer, kind)
    result = safelight.deidentify(buffer.getvalue(), key=key_file)
    after = np.asarray(Image.open(io.BytesIO(result.bytes)).convert("L"))
    assert int(after[38:66, 28:290].max()) < 200
    assert any(action.action == "mask" for action in result.actions)


def test_a_photo_with_further_pictures_behind_it_is_masked(key_file: Path) -> None:
    photo, stream = Image.new("RGB", (320, 100), (70, 90, 120)), io.BytesIO()
    ImageDraw.Draw(photo).text((20, 30), NAME, fill="white", font=ImageFont.load_default(20))
    photo.save(stream, "MPO", save_all=True, append_images=[Image.new("L", (160, 50), 99)])
    result = safelight.deidentify(stream.getvalue(), key=key_file)
    after = Image.open(io.BytesIO(result.bytes))
    assert after.format == "JPEG"
    assert np.asarray(after.convert("L"))[30:60, 20:240].max() < 130
    assert [action.action for action in result.actions if action.place == "pixels"] == ["mask"]


def test_a_volume_that_was_not_searched_for_writing_says_so(tmp_path: Path, key_file: Path) -> None:
    header = bytearray(352)
    struct.pack_into("<i", header, 0, 348)
    struct.pack_into("<8h", header, 40, 3, 20, 20, 1, 1, 1, 1, 1)
    struct.pack_into("<2h", header, 70, 1536, 128)  # float128, which nothing here shows
    struct.pack_into("<f", header, 108, 352)
    header[344:348] = b"n+1\0"
    (tmp_path / "in").mkdir()
    (tmp_path / "in" / "shot.nii").write_bytes(bytes(header) + bytes(6400))
    summary = do(tmp_path / "in", tmp_path / "out", key_file, pixels=True)
    assert summary.exit_code == 0
    assert summary.data["pixels_searched"] is False
    assert any(row["note"] == WRITING for row in summary.data["notes"])
    page = (tmp_path / "out" / "_safelight" / "report.html").read_text("utf-8")
    assert "Not all pixels were searched" in page
    (manifest,) = (tmp_path / "out").glob("_safelight/manifest*")
    assert WRITING in manifest.read_text("utf-8")


def test_what_the_second_window_shows_is_masked(key_file: Path) -> None:
    data, ink = burned(NAME)
    faint = np.where(ink, 1040, 1000).astype(np.uint16)
    faint[data.Rows // 2 :] = 60_000  # the whole range hides what one window shows
    data.PixelData = faint.tobytes()
    data.BitsStored, data.HighBit, data.PixelRepresentation = 16, 15, 0
    data.RescaleSlope, data.RescaleIntercept = 1, 0
    data.WindowCenter, data.WindowWidth = [30_000, 1020], [60_000, 80]
    for keyword in ("SmallestImagePixelValue", "LargestImagePixelValue", "PixelPaddingValue"):
        if keyword in data:
            del data[keyword]
    after = safelight.deidentify(data, key=key_file).dataset.pixel_array
    assert not (after[ink] == faint[ink]).any()
    assert (after != faint).mean() < 0.2


@pytest.mark.parametrize("orientation", range(1, 9))
def test_a_box_by_hand_lies_where_it_was_drawn_on_a_turned_photo(
    orientation: int, key_file: Path
) -> None:
    told = Image.Exif()
    told[0x0112] = orientation
    photo = io.BytesIO()
    slope = np.add.outer(np.arange(40), np.arange(60)).astype(np.uint8) + 20
    Image.fromarray(slope).save(photo, "PNG", exif=told)
    done = safelight.deidentify(photo.getvalue(), key=key_file, pixels=False, mask=["3,5,7,11"])
    before, after = (
        np.asarray(ImageOps.exif_transpose(Image.open(io.BytesIO(data))))
        for data in (photo.getvalue(), done.bytes)
    )
    rows, columns = np.nonzero(before != after)
    assert (columns.min(), rows.min(), columns.max(), rows.max()) == (3, 5, 9, 15)

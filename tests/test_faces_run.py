"""A face in a series of head slices, from files to outputs."""

import gzip
import io
import json
import shutil
import struct
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import pydicom
import pytest
from PIL import Image
from pydicom.dataset import Dataset

import safelight
from facehelpers import NOSE, centred, grid, head, within
from run_fixtures import do, sample
from safelight.deid import profile
from safelight.deid.engine import Engine
from safelight.deid.parts import chunks
from safelight.deid.pseudonyms import ProjectKey
from safelight.pipeline.work import Cleaned, EngineCleaner
from safelight.types import Kind, Original

SHAPE = (84, 84, 84)  # columns, rows, slices
SIZE = 3.0  # mm


def series(folder: Path, *, nose: bool, uid: str, place: str) -> tuple[Any, Any]:
    """Write a head, slice by slice; return where its nose and its brain are."""
    folder.mkdir(parents=True, exist_ok=True)
    affine = centred((SIZE, SIZE, SIZE), SHAPE)
    places = grid(SHAPE, affine)
    values, brain = head(places, "MR", nose=nose)
    for number in range(SHAPE[2]):
        data = one(values[:, :, number].T, affine[:3, 3] + affine[:3, 2] * number, uid, place)
        data.SOPInstanceUID = f"{uid}.{number + 1}"
        data.file_meta.MediaStorageSOPInstanceUID = data.SOPInstanceUID
        data.InstanceNumber = number + 1
        data.save_as(folder / f"IM{(number * 37) % SHAPE[2]:03d}.dcm")
    return within(places, NOSE).transpose(2, 1, 0), brain.transpose(2, 1, 0)


def one(values: Any, position: Any, uid: str, place: str) -> Dataset:
    data = sample("MR_small.dcm")
    data.PatientName, data.PatientID = "WEXFORDIAN^JANETTE", "MRN7734120"
    data.SeriesInstanceUID, data.FrameOfReferenceUID = uid, place
    data.Rows, data.Columns = values.shape
    data.PixelData = np.clip(values, 0, 4000).astype(np.int16).tobytes()
    data.PixelSpacing = [SIZE, SIZE]
    data.ImagePositionPatient = [float(each) for each in position]
    data.ImageOrientationPatient = [1, 0, 0, 0, 1, 0]
    for keyword in ("SmallestImagePixelValue", "LargestImagePixelValue", "PixelPaddingValue"):
        if keyword in data:
            del data[keyword]
    return data


def test_a_face_goes_and_the_brain_stays(tmp_path: Path, key_file: Path) -> None:
    nose, brain = series(tmp_path / "in", nose=True, uid="1.2.826.0.4.1", place="1.2.826.0.5.1")
    pictures = tmp_path / "seen"
    summary = do(tmp_path / "in", tmp_path / "out", key_file, pixels=True, pictures=pictures)
    assert summary.exit_code == 0, summary.data["reasons"]
    (surface,) = pictures.glob("*-surface.png")  # once for the series
    shown = np.asarray(Image.open(surface))
    assert (np.roll(shown, shown.shape[1] // 2, axis=1) != shown).mean() > 0.02
    assert surface.name in (pictures / "index.html").read_text("utf-8")
    slices = [pydicom.dcmread(path) for path in (tmp_path / "out").rglob("*.dcm")]
    slices.sort(key=lambda data: int(data.InstanceNumber))
    after = np.stack([data.pixel_array for data in slices])
    paths = sorted((tmp_path / "in").rglob("*.dcm"))
    inputs = sorted((pydicom.dcmread(path) for path in paths), key=lambda d: int(d.InstanceNumber))
    changed = np.stack([data.pixel_array for data in inputs]) != after
    assert changed[nose].mean() > 0.9
    assert not (changed & brain).any()
    assert 0.01 < changed.mean() < 0.2
    assert {data.RecognizableVisualFeatures for data in slices} == {"NO"}
    codes = {item.CodeValue for data in slices for item in data.DeidentificationMethodCodeSequence}
    assert "113102" in codes
    assert ("face", "mask") in {(row["rule"], row["action"]) for row in summary.data["rules"]}


def test_a_face_goes_from_what_is_handed_in(tmp_path: Path) -> None:
    nose, brain = series(tmp_path / "in", nose=True, uid="1.2.826.0.4.3", place="1.2.826.0.5.3")
    paths = sorted((tmp_path / "in").rglob("*.dcm"))
    inputs = [pydicom.dcmread(path) for path in paths]

    def opener(path: Path) -> Original:
        return Original(path.read_bytes(), kind=Kind.DICOM)

    files = [(n, path.name, partial(opener, path)) for n, path in enumerate(paths)]
    engine = Engine(key=ProjectKey(b"k" * 32), profile=profile.load("share"), pixels=True)
    outputs = {}
    for position, cleaned in EngineCleaner(engine).clean(files, frozenset(range(len(files)))):
        assert isinstance(cleaned, Cleaned), cleaned
        whole = b"".join(bytes(chunk) for part in cleaned.parts for chunk in chunks(part))
        outputs[position] = pydicom.dcmread(io.BytesIO(whole))
    assert sorted(outputs) == list(range(len(files)))
    for position, data in enumerate(inputs):
        number = int(data.InstanceNumber) - 1
        changed = data.pixel_array != outputs[position].pixel_array
        assert changed[nose[number]].all()
        assert not (changed & brain[number]).any()


@pytest.mark.parametrize("packed", [False, True])
def test_a_face_goes_from_a_nifti_volume(packed: bool, key_file: Path) -> None:  # noqa: FBT001  # parametrized
    affine = centred((SIZE, SIZE, SIZE), SHAPE)
    places = grid(SHAPE, affine)
    values, brain = head(places, "MR")
    stored = values.astype("<f4")
    flip = np.diag([-1.0, -1.0, 1.0, 1.0])
    data = nifti(stored, flip @ affine)
    result = safelight.deidentify(gzip.compress(data) if packed else data, key=key_file)
    out = gzip.decompress(result.bytes) if packed else result.bytes
    after = np.frombuffer(out, "<f4", stored.size, 352).reshape(SHAPE, order="F")
    changed = after != stored
    assert changed[within(places, NOSE)].mean() > 0.9
    assert not (changed & brain).any()
    assert [action.action for action in result.actions if action.rule == "face"] == ["mask"]
    assert result.notes == ()


def nifti(values: Any, affine: Any) -> bytes:
    """Return a NIfTI-1 file (nifti1.h)."""
    header = bytearray(352)
    struct.pack_into("<i", header, 0, 348)
    struct.pack_into("<8h", header, 40, 3, *values.shape, 1, 1, 1, 1)
    struct.pack_into("<2h", header, 70, 16, 32)
    struct.pack_into("<8f", header, 76, 1, *[SIZE] * 3, 1, 1, 1, 1)
    struct.pack_into("<3f", header, 108, 352, 1, 0)
    struct.pack_into("<2h", header, 252, 0, 1)
    struct.pack_into("<12f", header, 280, *affine[:3].ravel())
    header[344:348] = b"n+1\0"
    return bytes(header) + values.tobytes(order="F")


def test_what_cannot_be_judged_is_told_and_not_claimed(tmp_path: Path, key_file: Path) -> None:
    folder = tmp_path / "in"
    folder.mkdir()
    data = one(np.full((84, 84), 300.0), (0, 0, 0), "1.2.826.0.4.2", "1.2.826.0.5.2")
    data.save_as(folder / "IM1.dcm")
    summary = do(folder, tmp_path / "out", key_file, pixels=True)
    (output,) = (tmp_path / "out").rglob("*.dcm")
    after = pydicom.dcmread(output)
    assert "113102" not in {item.CodeValue for item in after.DeidentificationMethodCodeSequence}
    assert "RecognizableVisualFeatures" not in after
    assert "faces were not looked for" in json.dumps(summary.data["notes"])


def test_a_head_that_makes_no_volume_waits_for_a_person(tmp_path: Path, key_file: Path) -> None:
    folder = tmp_path / "in"
    folder.mkdir()
    for number in range(9):
        place = (0, 0, number * 20.0)
        data = one(np.full((84, 84), 300.0), place, "1.2.826.0.4.3", "1.2.826.0.5.3")
        data.SOPInstanceUID = f"1.2.826.0.4.3.{number + 1}"
        data.file_meta.MediaStorageSOPInstanceUID = data.SOPInstanceUID
        data.BodyPartExamined = "BRAIN"
        data.save_as(folder / f"IM{number}.dcm")
    summary = do(folder, tmp_path / "out", key_file, pixels=True)
    assert summary.data["review"] == 9
    assert "gaps between its slices" in str(summary.waiting)


@pytest.mark.parametrize("workers", [1, 2])
def test_a_few_slices_lose_the_face_that_a_whole_series_shows(
    tmp_path: Path, key_file: Path, workers: int
) -> None:
    folder = tmp_path / "in"
    nose, _brain = series(folder / "b", nose=True, uid="1.2.826.0.4.5", place="1.2.826.0.5.5")
    number = int(nose.any((1, 2)).nonzero()[0].mean())
    shutil.copytree(folder / "b", tmp_path / "all")
    for path in sorted((tmp_path / "all").iterdir()):
        data = pydicom.dcmread(path)
        if abs(data.InstanceNumber - 1 - number) <= 1:
            data.SeriesInstanceUID = "1.2.826.0.4.6"
            data.SOPInstanceUID += ".9"
            data.file_meta.MediaStorageSOPInstanceUID = data.SOPInstanceUID
            (folder / "a").mkdir(exist_ok=True)
            data.save_as(folder / "a" / path.name)
    summary = do(folder, tmp_path / "out", key_file, pixels=True, workers=workers)
    assert summary.exit_code == 0
    few = [pydicom.dcmread(path) for path in (tmp_path / "out" / "a").iterdir()]
    assert len(few) == 3
    for data in few:
        shown = data.pixel_array[nose[data.InstanceNumber - 1]]
        assert shown.max(initial=0) < 300

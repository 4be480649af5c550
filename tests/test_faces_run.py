"""A face in a series of head slices, from files to outputs."""

import json
from pathlib import Path
from typing import Any

import numpy as np
import pydicom
from pydicom.dataset import Dataset

from facehelpers import NOSE, centred, grid, head, within
from run_fixtures import do, sample

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
    summary = do(tmp_path / "in", tmp_path / "out", key_file, pixels=True)
    assert summary.exit_code == 0, summary.data["reasons"]
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

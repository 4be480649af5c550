"""Faces in flat pictures: drawn faces are found, in photos and in DICOM; scouts."""

import io
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pydicom
import pytest
from numpy.typing import NDArray
from pydicom.uid import VLPhotographicImageStorage

import safelight
from facehelpers import EYES, HEAD, NOSE, centred, grid, head, within
from run_fixtures import sample
from safelight.deid.boxes import Verdict
from safelight.deid.faces import photo_faces, scout_face

Array = NDArray[Any]

SKIN = (224, 172, 140)


def drawn(rows: int = 480, columns: int = 640, size: int = 90) -> NDArray[np.uint8]:
    """Return a photograph-like drawing of a face, RGB, in the middle of a blue wall."""
    picture = np.full((rows, columns, 3), (70, 110, 170), np.uint8)
    x, y = columns // 2, rows // 2
    cv2.ellipse(picture, (x, y), (size, int(size * 1.3)), 0, 0, 360, SKIN, -1)
    cv2.ellipse(picture, (x, y - size), (size, size // 2), 0, 180, 360, (60, 40, 30), -1)
    for side in (-1, 1):
        at = (x + side * int(size * 0.42), y - int(size * 0.2))
        brow = (at[0], at[1] - int(size * 0.2))
        cv2.ellipse(picture, at, (int(size * 0.26), int(size * 0.15)), 0, 0, 360, (150, 95, 75), -1)
        cv2.ellipse(picture, at, (int(size * 0.2), int(size * 0.1)), 0, 0, 360, (50, 35, 30), -1)
        cv2.ellipse(picture, brow, (int(size * 0.28), 5), 0, 0, 360, (70, 45, 35), -1)
        nostril = (x + side * int(size * 0.12), y + int(size * 0.36))
        cv2.circle(picture, nostril, int(size * 0.06), (120, 70, 60), -1)
    mouth = (x, y + int(size * 0.72))
    cv2.ellipse(picture, mouth, (int(size * 0.4), int(size * 0.1)), 0, 0, 360, (150, 60, 60), -1)
    return np.asarray(cv2.GaussianBlur(picture, (0, 0), size / 30), np.uint8)


@pytest.mark.parametrize("turn", [0, 1, 2, 3])
def test_a_face_is_covered_whichever_way_the_photo_lies(turn: int) -> None:
    rgb = np.ascontiguousarray(np.rot90(drawn(), turn))
    found = photo_faces(rgb)
    assert found
    covered = np.zeros(rgb.shape[:2], np.bool_)
    for region in found:
        assert region.rule == "face"
        for box in region.boxes:
            covered[box.y : box.y + box.h, box.x : box.x + box.w] = True
    middle = np.zeros((480, 640), np.bool_)
    middle[200:300, 275:365] = True  # eyes to mouth
    assert covered[np.rot90(middle, turn)].all()


@pytest.mark.parametrize("light", [(1.0, 1.0, 1.0), (0.75, 0.9, 1.0)])
def test_a_face_without_the_colour_of_skin_is_found(light: tuple[float, ...]) -> None:
    grey = cv2.cvtColor(drawn(), cv2.COLOR_RGB2GRAY)
    tinted = (grey[:, :, None] * np.array(light)).astype(np.uint8)
    for picture in (grey, tinted):
        (region,) = photo_faces(np.asarray(picture, np.uint8))
        (box,) = region.boxes
        assert (box.x < 275, box.x + box.w > 365) == (True, True)
        assert (box.y < 200, box.y + box.h > 300) == (True, True)


def test_a_small_face_in_a_large_photo_is_found(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("safelight.deid.faces.photo._AGREED", 5)  # fewer agree on a small drawing
    photo = np.full((1600, 2400, 3), (70, 110, 170), np.uint8)
    photo[300:540, 400:720] = drawn(240, 320, 40)
    (region,) = photo_faces(photo)
    (box,) = region.boxes
    assert (box.x < 540, box.x + box.w > 580) == (True, True)
    assert (box.y < 400, box.y + box.h > 445) == (True, True)
    assert box.w < 240


@pytest.mark.parametrize("grey", [False, True])
def test_a_face_goes_from_a_photograph_in_dicom(key_file: Path, grey: bool) -> None:  # noqa: FBT001  # a parameter of the test
    rgb = drawn()
    data = np.asarray(cv2.cvtColor(rgb, cv2.COLOR_RGB2GRAY)) if grey else rgb
    dataset = sample()
    dataset.Modality = "XC"
    dataset.SOPClassUID = dataset.file_meta.MediaStorageSOPClassUID = VLPhotographicImageStorage
    dataset.SamplesPerPixel = 1 if grey else 3
    dataset.PhotometricInterpretation = "MONOCHROME2" if grey else "RGB"
    if not grey:
        dataset.PlanarConfiguration = 0
    dataset.Rows, dataset.Columns = rgb.shape[:2]
    dataset.BitsAllocated = dataset.BitsStored = 8
    dataset.HighBit, dataset.PixelRepresentation = 7, 0
    dataset.PixelData = data.tobytes()
    dataset["PixelData"].VR = "OB"
    stream = io.BytesIO()
    dataset.save_as(stream, enforce_file_format=True)
    result = safelight.deidentify(stream.getvalue(), key=key_file)
    after = pydicom.dcmread(io.BytesIO(result.bytes)).pixel_array
    assert len(np.unique(after[200:300, 275:365].reshape(-1, 1 if grey else 3), axis=0)) == 1
    assert np.array_equal(after[:40], data[:40])
    assert any(action.rule == "face" for action in result.actions)


def test_pictures_without_a_face_have_none() -> None:
    grey = np.full((300, 400), 90, np.uint8)
    wall = np.full((300, 400, 3), (70, 110, 170), np.uint8)
    close = np.full((300, 400, 3), SKIN, np.uint8)
    noise = np.random.default_rng(3).integers(0, 255, (300, 400, 3), dtype=np.uint8)
    for picture in (grey, wall, close, noise, np.zeros((8, 8, 3), np.uint8)):
        assert photo_faces(picture) == []


def lateral(*, nose: bool = True) -> tuple[Array, Array]:
    """Return a scout from the left, 2 mm pixels, rows down and columns back, and its places."""
    shape = (90, 130, 140)
    affine = centred((2.0, 2.0, 2.0), shape)
    places = grid(shape, affine)
    values, _brain = head(places, "CT", nose=nose)
    image = np.maximum(values + 1000, 0).sum(0).T[::-1]
    flat = places[:, 45].transpose(0, 2, 1)[:, ::-1]
    return image, flat


@pytest.mark.parametrize("mirrored", [False, True])
def test_a_lateral_scout_loses_its_profile(mirrored: bool) -> None:  # noqa: FBT001  # a parameter of the test
    image, places = lateral()
    step = -1 if mirrored else 1
    found = scout_face(image[:, ::step], (0, step, 0, 0, 0, -1), (2.0, 2.0), "HEAD")
    assert found is not None
    assert found.verdict is Verdict.MASK
    assert found.mask is not None
    mask = found.mask[:, ::step]
    flat = np.stack([0 * places[0], places[1], places[2]])
    assert mask[within(flat, NOSE)].all()
    assert mask[(places[1] < -78) & within(flat, ((0, *EYES[0][0][1:]), (12, 12, 12)))].all()
    assert not mask[within(flat, HEAD) & (places[2] > 0)].any()


def test_scouts_from_the_front_and_of_elsewhere_are_left() -> None:
    image, _places = lateral()
    assert scout_face(image, (1, 0, 0, 0, 0, -1), (2.0, 2.0), "HEAD") is None
    leg = np.zeros((300, 80))
    leg[:, 20:60] = 500.0
    assert scout_face(leg, (0, 1, 0, 0, 0, -1), (2.0, 2.0), "KNEE") is None


def test_a_scout_whose_face_is_not_found_goes_to_a_person() -> None:
    image, _places = lateral(nose=False)
    image[:, :35] = 0
    found = scout_face(image, (0, 1, 0, 0, 0, -1), (2.0, 2.0), "HEAD")
    assert found is not None
    assert found.verdict is Verdict.REVIEW
    assert scout_face(image, (), (), "SKULL") == found

"""Faces in volumes: made heads lose them and keep the brain; what is no head is left alone."""

import io
import struct
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image

from facehelpers import EYES, NOSE, about_x, centred, grid, head, within
from safelight.deid.faces import (
    Examined,
    NiftiImage,
    SeriesVolume,
    Slice,
    Verdict,
    Volume,
    examine,
    slice_affine,
    surface_png,
)
from safelight.errors import UnreadableInputError

Array = NDArray[Any]
SHAPE = (90, 120, 130)
SIZES = (2.2, 2.1, 2.2)


def turned(degrees: float) -> Array:
    return about_x(degrees)


def made(modality: str, affine: Array, shape: tuple[int, int, int]) -> tuple[Array, Array, Array]:
    places = grid(shape, affine)
    values, brain = head(places, modality)
    return values, brain, places


def face_of(found: Examined, affine: Array, shape: tuple[int, ...]) -> Array:
    assert found.mask is not None, found.reason
    return np.stack(list(found.mask.of_array(affine, shape)), axis=2)


def assert_face_gone(mask: Array, brain: Array, places: Array) -> None:
    assert not (mask & brain).any()
    assert mask[within(places, NOSE)].all()
    for eye in EYES:
        assert mask[within(places, eye) & (places[1] < -78)].all()
    forehead = (np.abs(places[0]) < 30) & (places[1] < 0) & (places[2] > 0)
    assert not mask[forehead].any()


@pytest.mark.parametrize("modality", ["CT", "MR", "PT"])
def test_a_head_loses_its_face_and_keeps_its_brain(modality: str) -> None:
    affine = centred(SIZES, SHAPE)
    values, brain, places = made(modality, affine, SHAPE)
    found = examine(Volume.from_array(values, affine, modality=modality))
    assert found.verdict is Verdict.HEAD_WITH_FACE, found.reason
    assert_face_gone(face_of(found, affine, SHAPE), brain, places)


@pytest.mark.parametrize("nod", [-12, 15])
def test_oblique_slices_and_unequal_voxels_change_nothing(nod: float) -> None:
    shape = (160, 150, 60)
    affine = centred((1.2, 1.6, 4.6), shape, turned(nod))
    values, brain, places = made("MR", affine, shape)
    found = examine(Volume.from_array(values, affine, modality="MR"))
    assert_face_gone(face_of(found, affine, shape), brain, places)


def test_a_nodding_head_loses_its_face() -> None:
    affine = centred(SIZES, SHAPE)
    tilt = turned(12)
    places = np.tensordot(tilt, grid(SHAPE, affine), 1)
    values, brain = head(places)
    found = examine(Volume.from_array(values, affine, modality="MR"))
    mask = face_of(found, affine, SHAPE)
    assert not (mask & brain).any()
    assert mask[within(places, NOSE)].all()


def slices(affine: Array, values: Array) -> list[tuple[Slice, Array]]:
    sizes = np.linalg.norm(affine[:3, :3], axis=0)
    cosines = [*(affine[:3, 0] / sizes[0]), *(affine[:3, 1] / sizes[1])]
    made_slices = []
    for k in range(values.shape[2]):
        at = Slice(
            position=list(affine[:3, 3] + affine[:3, 2] * k),
            orientation=cosines,
            spacing=[sizes[1], sizes[0]],
            intercept=-1024.0,
            modality="CT",
        )
        made_slices.append((at, (values[:, :, k].T + 1024).round().astype(np.uint16)))
    return made_slices


def test_slices_in_any_order_make_the_same_mask() -> None:
    affine = centred((1.1, 1.1, 4.0), (180, 230, 72))
    values, brain, places = made("CT", affine, (180, 230, 72))
    masks = []
    for order in (range(72), np.random.default_rng(5).permutation(72)):
        series = SeriesVolume()
        listed = slices(affine, values)
        for k in order:
            series.add(*listed[int(k)])
        series.add(*listed[3])  # a second time point in the same place
        volume = series.finish()
        assert volume is not None, series.reason
        found = examine(volume)
        masks.append(face_of(found, affine, values.shape))
    assert (masks[0] == masks[1]).all()
    assert_face_gone(masks[0], brain, places)


def test_one_mask_serves_another_series_of_the_same_space() -> None:
    affine = centred(SIZES, SHAPE)
    values, _brain, _places = made("MR", affine, SHAPE)
    found = examine(Volume.from_array(values, affine, modality="MR"))
    assert found.mask is not None
    position, orientation, spacing = [20.0, -160.0, 90.0], [0, 1, 0, 0, 0, -1], [0.9, 1.3]
    other = slice_affine(position, orientation, spacing)
    assert other is not None
    mask = found.mask.of_slice(other, 260, 200)
    columns, rows = np.meshgrid(np.arange(200), np.arange(260))
    placed = other @ np.stack([columns, rows, 0 * rows, 0 * rows + 1]).reshape(4, -1)
    places = placed[:3].reshape(3, 260, 200)
    assert mask[within(places, EYES[1]) & (places[1] < -78)].all()
    assert mask.any()
    assert not mask[places[2] > 0].any()
    far = slice_affine([900.0, 0, 0], orientation, spacing)
    assert far is not None
    assert not found.mask.of_slice(far, 64, 64).any()


def ball(places: Array, radii: tuple[float, ...], level: float) -> Array:
    noise = np.random.default_rng(2).normal(0, 3, places.shape[1:])
    return (np.where(within(places, ((0, 0, -20), radii)), level, 5) + noise).astype(np.float32)


@pytest.mark.parametrize(
    "radii", [(85.0, 85.0, 85.0), (170.0, 110.0, 150.0), (45.0, 50.0, 150.0), (30.0, 30.0, 30.0)]
)
def test_phantoms_bodies_and_limbs_are_not_masked(radii: tuple[float, ...]) -> None:
    shape = (150, 120, 120)
    affine = centred((2.4, 2.4, 2.4), shape)
    found = examine(Volume.from_array(ball(grid(shape, affine), radii, 600), affine, modality="MR"))
    assert found.verdict is not Verdict.HEAD_WITH_FACE
    assert found.mask is None
    assert found.reason


def test_a_bare_brain_has_no_face() -> None:
    affine = centred(SIZES, SHAPE)
    values, brain, _places = made("MR", affine, SHAPE)
    found = examine(Volume.from_array(np.where(brain, values, 0), affine, modality="MR"))
    assert found.verdict is Verdict.NO_FACE


def test_a_head_without_a_nose_goes_to_a_person() -> None:
    affine = centred(SIZES, SHAPE)
    values, _brain = head(grid(SHAPE, affine), nose=False)
    values[grid(SHAPE, affine)[1] < -70] = 5
    found = examine(Volume.from_array(values, affine, modality="MR"))
    assert found.verdict is Verdict.UNSURE


def test_an_empty_skull_of_plastic_is_not_masked() -> None:
    affine = centred(SIZES, SHAPE)
    values, brain, _places = made("CT", affine, SHAPE)
    values[brain] = -1000
    found = examine(Volume.from_array(values, affine, modality="CT"))
    assert found.verdict is Verdict.UNSURE


def test_an_image_turned_back_to_front_goes_to_a_person() -> None:
    affine = centred(SIZES, SHAPE)
    values, _brain, _places = made("MR", affine, SHAPE)
    found = examine(Volume.from_array(values[:, ::-1], affine, modality="MR"))
    assert found.verdict is Verdict.UNSURE


def test_other_modalities_show_no_face() -> None:
    affine = centred(SIZES, SHAPE)
    values, _brain, _places = made("MR", affine, SHAPE)
    found = examine(Volume.from_array(values, affine, modality="US"))
    assert found.verdict is Verdict.NO_FACE


AT = Slice(position=[0, 0, 0], orientation=[1, 0, 0, 0, 1, 0], spacing=[1, 1])


def test_what_is_not_a_volume_says_why() -> None:
    empty = SeriesVolume()
    assert empty.finish() is None
    assert "no slices" in empty.reason
    for wrong, word in [
        (Slice(position=[], orientation=[], spacing=[]), "too few"),
        (Slice(position=[0, 0, 9], orientation=[0, 1, 0, 0, 0, -1], spacing=[1, 1]), "too few"),
        (Slice(position=[0, 0, 90], orientation=AT.orientation, spacing=[1, 1]), "too few"),
    ]:
        series = SeriesVolume()
        series.add(AT, np.zeros((64, 64), np.int16))
        series.add(wrong, np.zeros((64, 64), np.int16))
        assert series.finish() is None
        assert word in series.reason


def test_a_tilted_gantry_and_stray_slices_hide_no_face() -> None:
    tilted = about_x(25)
    series = SeriesVolume()
    series.add(AT, np.zeros((64, 64), np.int16))  # of another size than all that follow
    series.add(Slice(position=[], orientation=[], spacing=[]), np.zeros((9, 9), np.int16))
    slices = []
    for n in range(80):
        affine = np.eye(4)
        affine[:3, :3] = tilted * 2.0
        affine[:3, 2] = (0, 0, 1)  # the table moves along the body, not across the slices
        affine[:3, 3] = np.array([0, 0, n * 3 - 155]) - tilted @ np.array([110, 130, 0])
        values, brain = head(grid((110, 130, 1), affine), "CT", seed=n)
        axes = [*tilted[:, 0], *tilted[:, 1]]
        at = Slice(position=list(affine[:3, 3]), orientation=axes, spacing=[2, 2], modality="CT")
        series.add(at, values[:, :, 0].T)
        slices.append((at, brain[:, :, 0].T, within(grid((110, 130, 1), affine), NOSE)[:, :, 0].T))
    volume = series.finish()
    assert volume is not None
    found = examine(volume)
    assert found.mask is not None
    masks = [found.mask.of_slice(affine_of(at), 130, 110) for at, _brain, _nose in slices]
    assert not any((mask & one[1]).any() for mask, one in zip(masks, slices, strict=True))
    left = sum(int((one[2] & ~mask).sum()) for mask, one in zip(masks, slices, strict=True))
    assert left == 0


def affine_of(at: Slice) -> Array:
    affine = at.affine()
    assert affine is not None
    return affine


def test_gaps_and_slices_beside_one_another_are_not_a_volume() -> None:
    for step, word in [((0, 0, 30), "gaps"), ((9, 0, 6), "behind")]:
        series = SeriesVolume()
        for n in range(12):
            at = Slice(
                position=[n * one for one in step],
                orientation=AT.orientation,
                spacing=[1, 1],
            )
            series.add(at, np.zeros((64, 64), np.int16))
        assert series.finish() is None
        assert word in series.reason


@pytest.mark.parametrize("affine", [np.zeros((4, 4)), np.eye(3), np.full((4, 4), np.nan)])
def test_an_affine_of_no_use_is_refused(affine: Array) -> None:
    with pytest.raises(ValueError, match="affine"):
        Volume.from_array(np.zeros((20, 20, 20)), affine)


def nifti(values: Array, affine: Array, *, second: bool = False, coded: bool = True) -> bytes:
    """Return a NIfTI file of int16 values by an sform."""
    placed = np.diag([-1.0, -1.0, 1.0, 1.0]) @ affine
    start = 544 if second else 352
    out = bytearray(start)
    dims = [values.ndim, *values.shape, *[1] * (7 - values.ndim)]
    struct.pack_into("<i", out, 0, 540 if second else 348)
    if second:
        out[4:12] = b"n+2\x00\r\n\x1a\n"
        struct.pack_into("<hh8q", out, 12, 4, 16, *dims)
        struct.pack_into("<q", out, 168, start)
        struct.pack_into("<2i", out, 344, 0, int(coded))
        struct.pack_into("<12d", out, 400, *placed[:3].ravel())
    else:
        struct.pack_into("<8h", out, 40, *dims)
        struct.pack_into("<2h", out, 70, 4, 16)
        struct.pack_into("<f", out, 108, start)
        struct.pack_into("<2h", out, 252, 0, int(coded))
        struct.pack_into("<12f", out, 280, *placed[:3].ravel())
        out[344:348] = b"n+1\x00"
    return bytes(out) + values.astype("<i2").tobytes(order="F")


@pytest.mark.parametrize("second", [False, True])
def test_a_nifti_file_changes_in_the_face_alone(second: bool) -> None:  # noqa: FBT001  # a parameter of the test
    affine = centred(SIZES, SHAPE)
    values, brain, places = made("CT", affine, SHAPE)
    twice = np.stack([values, values + 1], axis=3).round()
    data = nifti(twice, affine, second=second) + b"after"
    image = NiftiImage.read(data)
    assert image is not None
    assert image.affine is not None
    volume = image.volume()
    assert volume is not None
    assert volume.modality == "CT"
    found = examine(volume)
    assert found.mask is not None
    out = b"".join(image.blanked(data, found.mask))
    assert len(out) == len(data)
    again = NiftiImage.read(out)
    assert again is not None
    mask = face_of(found, image.affine, SHAPE)
    assert_face_gone(mask, brain, places)
    for time in range(2):
        before, after = image.voxels[..., time], again.voxels[..., time]
        assert (after[mask] == image.voxels.min()).all()
        assert (after[~mask] == before[~mask]).all()


def test_a_nifti_file_by_its_quaternion_lies_in_the_same_place() -> None:
    affine = np.diag([-2.0, -2.0, 2.0, 1.0])
    out = bytearray(nifti(np.zeros((20, 20, 20)), affine, coded=False))
    struct.pack_into("<8f", out, 76, 1.0, 2.0, 2.0, 2.0, 0, 0, 0, 0)
    struct.pack_into("<2h", out, 252, 1, 0)
    struct.pack_into("<6f", out, 256, 0, 0, 0, 0, 0, 0)
    image = NiftiImage.read(bytes(out))
    assert image is not None
    assert image.affine is not None
    assert np.allclose(image.affine, affine)


def test_a_nifti_file_that_names_no_place_is_no_volume() -> None:
    image = NiftiImage.read(nifti(np.zeros((20, 20, 20)), np.eye(4), coded=False))
    assert image is not None
    assert image.volume() is None


@pytest.mark.parametrize("cut", [10, 400])
def test_a_truncated_nifti_file_is_told(cut: int) -> None:
    with pytest.raises(UnreadableInputError, match="truncated"):
        NiftiImage.read(nifti(np.zeros((20, 20, 20)), np.eye(4))[:cut])


def test_the_picture_shows_before_and_after() -> None:
    affine = centred(SIZES, SHAPE)
    values, _brain, _places = made("MR", affine, SHAPE)
    found = examine(Volume.from_array(values, affine, modality="MR"))
    png = surface_png(found)
    assert png is not None
    picture = np.asarray(Image.open(io.BytesIO(png)))
    half = picture.shape[1] // 2
    assert picture.dtype == np.uint8
    assert (picture[:, : half - 20] != picture[:, half + 20 :][:, : half - 20]).mean() > 0.02
    assert surface_png(Examined(verdict=Verdict.NO_FACE, reason="none")) is None

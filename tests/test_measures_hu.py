"""CT numbers of single frames and of what was masked: by hand, and refused where they must be."""

from typing import Any

import numpy as np
import pytest
from pydicom.dataset import Dataset

from safelight.deid import profile
from safelight.deid.engine import Engine
from safelight.deid.pseudonyms import ProjectKey
from safelight.readers.measures import hu_statistics, measure
from safelight.readers.view import View
from safelight.types import Kind, Original
from view_fixtures import bundled, dicom, view

PIXELS = np.arange(40 * 60, dtype=np.int16).reshape(40, 60)
SCALED = {"RescaleSlope": "1", "RescaleIntercept": "-1024"}


def made(**header: Any) -> View:
    return view(dicom(PIXELS, **{"Modality": "CT", **header}))


ENHANCED = "1.2.840.10008.5.1.4.1.1.2.1"


def item(**values: Any) -> Dataset:
    made = Dataset()
    for keyword, value in values.items():
        setattr(made, keyword, value)
    return made


def enhanced(*, frames: int = 1, groups: int | None = None, **more: Any) -> View:
    """Return enhanced CT: the window is shared, how frame n is rescaled stands with frame n."""
    window = item(WindowCenter="40", WindowWidth="400")
    shared = item(FrameVOILUTSequence=[window], PixelMeasuresSequence=[item(PixelSpacing=[1, 1])])
    each = []
    for number in range(frames if groups is None else groups):
        values = item(RescaleSlope="1", RescaleIntercept=str(-1024 - number), RescaleType="HU")
        each.append(item(PixelValueTransformationSequence=[values]))
        if "FrameType" in more:
            each[-1].CTImageFrameTypeSequence = [item(FrameType=more["FrameType"])]
    pixels = np.stack([PIXELS] * frames)
    header = {
        "ImageType": more.get("ImageType", ["ORIGINAL", "PRIMARY", "VOLUME", "NONE"]),
        "SharedFunctionalGroupsSequence": [shared], "PerFrameFunctionalGroupsSequence": each,
    }  # fmt: skip
    return view(dicom(pixels, Modality="CT", SOPClassUID=ENHANCED, **header))


@pytest.mark.parametrize("frames", [1, 3])
def test_each_frame_is_rescaled_as_it_says_itself(frames: int) -> None:
    seen = enhanced(frames=frames)
    for frame in range(frames):
        found = hu_statistics(seen, frame, box=(0, 0, 2, 1))
        assert found[0].value == 0.5 - 1024 - frame


@pytest.mark.parametrize("groups", [2, 4])
def test_groups_that_are_not_one_for_each_frame_are_refused(groups: int) -> None:
    for each in measure(enhanced(frames=3, groups=groups)):
        assert "(5200,9230)" in each.refused


@pytest.mark.parametrize("contrast", ["STD_DEVIATION", "MAXIMUM", "DIVISION"])
def test_a_frame_type_that_is_computed_has_no_ct_numbers(contrast: str) -> None:
    of_frame = ["DERIVED", "PRIMARY", "VOLUME", contrast]
    mixed = ["DERIVED", "PRIMARY", "MIXED", "MIXED"]
    assert "derived image" in hu_statistics(enhanced(ImageType=of_frame))[0].refused
    seen = enhanced(frames=3, ImageType=mixed, FrameType=of_frame)
    assert "derived image" in hu_statistics(seen)[0].refused


@pytest.mark.parametrize(
    "kind",
    ["VOLREN", "MIP", "CSA MIP", "MIN_IP", "PROJECTION IMAGE", "3D RENDERING", "VMI", "MAT_REMOVED",
     "IODINE_MAP", "VNC", "Z_EFF", "CBF", "TMAX", "SCREEN SAVE", "SUBTRACT"],
)  # fmt: skip
def test_what_an_image_type_says_is_computed_has_no_ct_numbers(kind: str) -> None:
    seen = made(**SCALED, ImageType=["DERIVED", "SECONDARY", "AXIAL", kind])
    assert "derived image" in hu_statistics(seen)[0].refused
    assert not hu_statistics(made(**SCALED, ImageType=["DERIVED", "SECONDARY", "MPR"]))[0].refused


@pytest.mark.parametrize("value", [-2000, 32_000])
def test_values_of_nothing_that_is_scanned_are_told(value: int) -> None:
    pixels = PIXELS.copy()
    pixels[:5] = value
    seen = view(dicom(pixels, Modality="CT", RescaleSlope="2", RescaleIntercept="0"))
    (refused,) = hu_statistics(seen)
    assert "(0028,0120)" in refused.refused
    assert hu_statistics(seen, box=(0, 10, 20, 20))[0].value is not None
    named = view(dicom(pixels, Modality="CT", RescaleSlope="2", RescaleIntercept="0",
                       PixelPaddingValue=value))  # fmt: skip
    assert hu_statistics(named)[0].value == pytest.approx(2 * PIXELS[5:].mean())


def test_values_after_compression_with_loss_say_so() -> None:
    assert "loss" not in hu_statistics(made(**SCALED))[0].method
    assert "loss" in hu_statistics(made(**SCALED, LossyImageCompression="01"))[0].method
    once = made(**SCALED)
    assert once.dataset is not None
    once.dataset.file_meta.TransferSyntaxUID = "1.2.840.10008.1.2.4.91"
    assert "loss" in hu_statistics(once)[0].method


def test_a_scout_among_frames_is_neither_measured_nor_in_hounsfield_units() -> None:
    scout = ["ORIGINAL", "PRIMARY", "LOCALIZER", "NONE"]
    mixed = ["ORIGINAL", "PRIMARY", "MIXED", "MIXED"]
    assert all(
        "scout view" in each.refused for each in measure(enhanced(ImageType=mixed, FrameType=scout))
    )


@pytest.mark.parametrize(
    ("header", "why"),
    [
        ({"RescaleSlope": "0"}, "(0028,1053) makes no sense"),
        ({"RescaleSlope": "NaN"}, "(0028,1053) is empty, or was no number"),
        ({"RescaleSlope": ["1", "2"]}, "(0028,1053) makes no sense"),
        ({"RescaleSlope": "1e300"}, "(0028,1053) makes no sense"),
        ({"RescaleSlope": None}, "(0028,1053) is missing"),
        ({"RescaleIntercept": None}, "(0028,1052) is missing"),
        ({"RescaleIntercept": "1e200"}, "(0028,1052) makes no sense"),
    ],
)
def test_no_slope_or_intercept_is_made_up(header: dict[str, Any], why: str) -> None:
    given = {keyword: value for keyword, value in {**SCALED, **header}.items() if value is not None}
    assert why in hu_statistics(made(**given))[0].refused


def masked(data: bytes, boxes: str) -> View:
    """Return the view of an image in which a person masked these boxes."""
    engine = Engine(key=ProjectKey(b"r" * 32), profile=profile.load("share"), mask=boxes)
    original = Original(data, kind=Kind.DICOM)
    return View.of(engine.deidentify(original, engine.subject([engine.survey(original)])))


def test_what_was_masked_is_no_tissue() -> None:
    tissue = np.random.default_rng(3).integers(1000, 1100, (40, 60)).astype(np.int16)
    written = tissue.copy()
    written[5:15, 10:40] = 0  # as dark as what is drawn over it
    seen = masked(dicom(written, Modality="CT", **SCALED), "10,5,30,10")
    found = {each.name.value: each for each in hu_statistics(seen)}
    rest = np.delete(tissue.ravel(), np.ravel_multi_index(np.mgrid[5:15, 10:40], (40, 60)))
    assert found["HU-MEAN"].value == pytest.approx(rest.mean() - 1024, abs=1e-6)
    assert found["HU-MIN"].value == rest.min() - 1024
    assert "without the 12 % of pixels that were masked" in found["HU-MEAN"].method
    (inside,) = hu_statistics(seen, box=(12, 6, 5, 5))
    assert "were masked" in inside.refused
    (beside, *_) = hu_statistics(seen, box=(0, 20, 20, 20))
    assert beside.value == pytest.approx(tissue[20:, :20].mean() - 1024, abs=1e-6)
    assert "masked" not in beside.method


def test_nothing_is_said_to_be_masked_where_nothing_was() -> None:
    seen = made(**SCALED)
    assert seen.painted() is None
    assert "masked" not in hu_statistics(seen)[0].method


def test_a_mask_in_lossy_jpeg_covers_whole_units() -> None:
    data = bundled("JPEG-lossy.dcm")
    before, after = view(data), masked(data, "20,30,3,3")
    drawn = after.painted()
    assert drawn is not None
    assert drawn[30:33, 20:23].all()
    changed = before.stored() != after.stored()
    assert not changed[~drawn].any()
    assert changed[drawn].any()
    assert drawn.sum() > 9

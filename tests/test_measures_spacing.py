"""CT numbers, distances and areas: by hand, on pydicom's files, and refused where they must be."""

import io
from typing import Any

import numpy as np
import pydicom
import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydicom.dataset import Dataset
from pydicom.sequence import Sequence

from safelight.errors import UnreadableInputError
from safelight.readers.measures import area, distance, hu_statistics, measure
from safelight.readers.measures.spacing import Spacing, regions_of, spacing_of
from safelight.readers.view import View
from safelight.types import Kind
from view_fixtures import CT, bundled, dicom, photo, view

PIXELS = np.arange(40 * 60, dtype=np.int16).reshape(40, 60)
MAGNIFICATION = "EstimatedRadiographicMagnificationFactor"
DX = "1.2.840.10008.5.1.4.1.1.1.1"
US = "1.2.840.10008.5.1.4.1.1.6.1"
SCALED = {"RescaleSlope": "1", "RescaleIntercept": "-1024"}


def made(**header: Any) -> View:
    return view(dicom(PIXELS, **{"Modality": "CT", **header}))


def by_name(seen: View, box: tuple[int, int, int, int] | None = None) -> dict[str, float | None]:
    return {each.name.value: each.value for each in hu_statistics(seen, box=box)}


def test_ct_numbers_of_a_box_by_hand() -> None:
    found = by_name(made(**SCALED), (2, 1, 2, 2))
    # stored 62, 63, 122, 123, less 1024
    assert found == {"HU-MEAN": -931.5, "HU-SD": 30.004166, "HU-MIN": -962.0, "HU-MAX": -901.0}


def test_ct_numbers_of_pydicoms_slice() -> None:
    data = bundled("CT_small.dcm")
    seen = view(data)
    raw = pydicom.dcmread(io.BytesIO(data))
    values = raw.pixel_array.astype(float) * raw.RescaleSlope + raw.RescaleIntercept
    values = values[raw.pixel_array != raw.PixelPaddingValue]
    assert by_name(seen)["HU-MEAN"] == pytest.approx(values.mean(), abs=1e-5)
    assert by_name(seen)["HU-MAX"] == values.max()


@pytest.mark.parametrize(
    ("header", "why"),
    [
        ({}, "Rescale Slope (0028,1053)"),
        ({**SCALED, "RescaleType": "US"}, "Rescale Type (0028,1054) is not HU"),
        ({**SCALED, "ImageType": ["ORIGINAL", "PRIMARY", "LOCALIZER"]}, "scout view"),
        ({**SCALED, "ImageType": ["DERIVED", "PRIMARY", "AXIAL", "MAT_SPECIFIC"]}, "derived"),
        ({**SCALED, "MultienergyCTAcquisition": "YES"}, "multi-energy"),
        ({**SCALED, "SOPClassUID": "1.2.840.10008.5.1.4.1.1.4"}, "not a CT image"),
    ],
)
def test_values_that_are_no_hounsfield_units_are_refused(header: dict[str, Any], why: str) -> None:
    (found,) = hu_statistics(made(**header))
    assert found.value is None
    assert why in found.refused


def test_padding_is_no_tissue_and_a_box_must_lie_inside() -> None:
    padded = PIXELS.copy()
    padded[:, :30] = -2000
    seen = view(dicom(padded, Modality="CT", PixelPaddingValue=-2000, **SCALED))
    assert by_name(seen)["HU-MIN"] == 30 - 1024
    assert "padding" in hu_statistics(seen, box=(0, 0, 10, 10))[0].refused
    assert "inside the frame" in hu_statistics(seen, box=(50, 0, 20, 5))[0].refused
    with pytest.raises(UnreadableInputError):
        seen.stored(4)


def test_distances_and_areas_with_pixels_that_are_not_square() -> None:
    seen = made(PixelSpacing=["0.5", "0.25"])
    assert distance(seen, (0, 0), (8, 0)).value == 2.0
    assert distance(seen, (0, 0), (0, 8)).value == 4.0
    assert distance(seen, (0, 0), (12, 8)).value == 5.0
    assert area(seen, [(0, 0), (8, 0), (8, 8), (0, 8)]).value == 8.0
    assert {each.name.value: each.value for each in measure(seen) if each.unit == "mm"} == {
        "EXTENT-WIDTH": 15.0,
        "EXTENT-HEIGHT": 20.0,
    }


@given(
    points=st.lists(st.tuples(st.integers(0, 59), st.integers(0, 39)), min_size=3, max_size=3),
    row=st.floats(0.1, 2),
    column=st.floats(0.1, 2),
)
def test_triangles_obey_heron(points: list[tuple[float, float]], row: float, column: float) -> None:
    seen = TRIANGLE
    assert seen.dataset is not None
    seen.dataset.PixelSpacing = [f"{row:.6f}", f"{column:.6f}"]
    a, b, c = (
        distance(seen, points[n], points[(n + 1) % 3]).value or 0.0 for n in range(3)
    )  # fmt: skip
    half = (a + b + c) / 2
    heron = max(half * (half - a) * (half - b) * (half - c), 0.0) ** 0.5
    assert area(seen, points).value == pytest.approx(heron, abs=1e-3)


TRIANGLE = made(PixelSpacing=["1", "1"])


@pytest.mark.parametrize(
    ("header", "row"),
    [
        ({"PixelSpacing": [".2", ".2"], "PixelSpacingCalibrationType": "FIDUCIAL"}, 0.2),
        ({"PixelSpacing": [".2", ".2"], "ImagerPixelSpacing": [".3", ".3"]}, 0.2),
        (
            {"ImagerPixelSpacing": [".3", ".3"], "EstimatedRadiographicMagnificationFactor": "1.5"},
            0.2,
        ),
        (
            {
                "ImagerPixelSpacing": [".3", ".3"],
                "DistanceSourceToDetector": "1800",
                "DistanceSourceToPatient": "1200",
            },
            0.2,
        ),
    ],
)
def test_projections_are_brought_to_the_patient(header: dict[str, Any], row: float) -> None:
    found = spacing_of(made(Modality="DX", SOPClassUID=DX, **header))
    assert isinstance(found, Spacing)
    assert found.row == pytest.approx(row)


@pytest.mark.parametrize(
    ("header", "why"),
    [
        ({"ImagerPixelSpacing": [".3", ".3"]}, "(0018,1114)"),
        ({"PixelSpacing": [".3", ".3"], "ImagerPixelSpacing": [".3", ".3"]}, "(0018,1114)"),
        ({"PixelSpacing": [".3", ".3"]}, "does not say whether it lies at the detector"),
        ({}, "(0018,1164)"),
        (
            {
                "ImagerPixelSpacing": [".3", ".3"],
                "EstimatedRadiographicMagnificationFactor": "0.2",
            },
            "makes no sense",
        ),
    ],
)
def test_a_size_at_the_detector_is_no_size_in_the_patient(header: dict[str, Any], why: str) -> None:
    found = distance(made(Modality="DX", SOPClassUID=DX, **header), (0, 0), (5, 5))
    assert found.value is None
    assert why in found.refused


def region(box: tuple[int, ...], units: tuple[int, int], delta: tuple[float, float]) -> Dataset:
    item = Dataset()
    item.RegionLocationMinX0, item.RegionLocationMinY0 = box[:2]
    item.RegionLocationMaxX1, item.RegionLocationMaxY1 = box[2:]
    item.PhysicalUnitsXDirection, item.PhysicalUnitsYDirection = units
    item.PhysicalDeltaX, item.PhysicalDeltaY = delta
    item.RegionSpatialFormat, item.RegionDataType, item.RegionFlags = 1, 1, 0
    return item


def test_ultrasound_is_measured_region_by_region() -> None:
    regions = Sequence(
        [
            region((0, 0, 29, 39), (3, 3), (0.03, -0.04)),
            region((30, 0, 59, 39), (4, 3), (0.01, 0.02)),
        ]
    )
    seen = made(Modality="US", SOPClassUID=US, SequenceOfUltrasoundRegions=regions)
    assert len(regions_of(seen)) == 2
    assert distance(seen, (0, 0), (10, 0)).value == pytest.approx(3.0)
    assert distance(seen, (0, 0), (10, 10)).value == pytest.approx(5.0)
    assert area(seen, [(0, 0), (10, 0), (10, 10)]).value == pytest.approx(6.0)
    over_time = distance(seen, (30, 5), (40, 5))
    assert over_time.value == pytest.approx(0.1)
    assert over_time.unit == "s"
    deep = distance(seen, (30, 5), (30, 15))
    assert deep.value == pytest.approx(2.0)
    assert deep.unit == "mm"
    assert "not both lengths" in distance(seen, (30, 5), (40, 15)).refused
    assert "not both lengths" in area(seen, [(30, 0), (40, 0), (40, 9)]).refused
    assert "one calibrated region" in distance(seen, (20, 5), (40, 5)).refused


def test_pydicoms_ultrasound_was_resized_and_is_refused() -> None:
    # 320 x 240 now, with a region of the 640 x 480 that it was: a pixel is twice what it says
    seen = view(bundled("examples_ybr_color.dcm"))
    (only,) = regions_of(seen)
    assert only.box == (84, 31, 319, 239)
    for each in (distance(seen, (100, 100), (130, 140)), *measure(seen)):
        assert "reaches beyond the picture" in each.refused
    assert "one calibrated region" in distance(seen, (0, 0), (9, 9)).refused


def test_photos_and_senseless_points_are_refused() -> None:
    seen = view(photo(np.zeros((9, 9), np.uint8)), Kind.PNG)
    assert measure(seen) == ()
    assert "without a DICOM header" in distance(seen, (0, 0), (1, 1)).refused
    assert "no number" in distance(made(), (0, float("nan")), (1, 1)).refused
    assert "three corners" in area(made(), [(0, 0), (1, 1)]).refused


def test_scouts_and_spacing_out_of_range_are_refused() -> None:
    scout = made(PixelSpacing=["1", "1"], ImageType=["ORIGINAL", "PRIMARY", "LOCALIZER"])
    assert "scout" in distance(scout, (0, 0), (1, 1)).refused
    for spacing, why in (
        (["0", "1"], "makes no sense"),
        (["-1", "1"], "makes no sense"),
        (["NaN", "1"], "makes no sense"),
        (["1"], "makes no sense"),
        (None, "is empty"),
    ):
        found = distance(made(PixelSpacing=spacing, SOPClassUID=CT), (0, 0), (1, 1))
        assert f"(0028,0030) {why}" in found.refused
    assert "(0028,0030) is missing" in distance(made(), (0, 0), (1, 1)).refused
    imager = made(Modality="DX", SOPClassUID=DX, ImagerPixelSpacing=["0", "0"])
    assert "(0018,1164) or Pixel" in distance(imager, (0, 0), (1, 1)).refused


def test_every_measurement_has_a_value_or_a_reason() -> None:
    for name in ("CT_small.dcm", "MR_small.dcm", "examples_ybr_color.dcm", "rtdose.dcm"):
        for each in measure(view(bundled(name))):
            assert (each.value is None) == bool(each.refused)
            assert each.unit


@pytest.mark.parametrize(
    ("units", "delta", "width", "height"),
    [
        ((0, 0), (0.01, 0.02), "Physical Units X Direction (0018,6024)", "Y Direction (0018,6026)"),
        ((3, 3), (0.0, 0.0), "Physical Delta X (0018,602C)", "Physical Delta Y (0018,602E)"),
        ((3, 3), (1e308, 11.0), "(0018,602C) makes no sense", "(0018,602E) makes no sense"),
        ((4, 7), (0.01, 0.02), "no length but s", "no length but cm/s"),
        ((99, 4), (0.01, 1e308), "(0018,6024)", "(0018,602E)"),
    ],
)
def test_a_region_that_cannot_be_measured_says_why(
    units: tuple[int, int], delta: tuple[float, float], width: str, height: str
) -> None:
    regions = Sequence([region((0, 0, 59, 39), units, delta)])
    seen = made(Modality="US", SOPClassUID=US, SequenceOfUltrasoundRegions=regions)
    across, down = measure(seen)
    assert (across.value, down.value) == (None, None)
    assert width in across.refused
    assert height in down.refused
    assert distance(seen, (0, 0), (5, 5)).refused
    assert area(seen, [(0, 0), (8, 0), (8, 8)]).refused


def test_a_region_ends_where_the_picture_ends() -> None:
    inside = region((30, 10, 60, 40), (3, 3), (0.1, 0.1))  # corners of somebody who counts from 1
    outside = region((60, 40, 80, 80), (3, 3), (0.1, 0.1))
    both = {"Modality": "US", "SOPClassUID": US}
    seen = made(**both, SequenceOfUltrasoundRegions=Sequence([outside, inside]))
    (only,) = regions_of(seen)
    assert only.box == (30, 10, 59, 39)
    assert [each.value for each in measure(seen)] == [pytest.approx(30), pytest.approx(30)]
    (none,) = measure(made(**both, SequenceOfUltrasoundRegions=Sequence([outside])))
    assert "inside the picture" in none.refused


def test_an_object_that_does_not_say_its_modality_is_measured_by_its_class() -> None:
    seen = made(Modality="", PixelSpacing=["1", "1"], **SCALED)
    assert {each.name.value for each in measure(seen)} == {
        "EXTENT-WIDTH", "EXTENT-HEIGHT", "HU-MEAN", "HU-SD", "HU-MIN", "HU-MAX",
    }  # fmt: skip
    (unknown,) = measure(made(Modality="", SOPClassUID="1.2.840.10008.5.1.4.1.1.7"))
    assert "Modality (0008,0060) is missing" in unknown.refused


SECONDARY = "1.2.840.10008.5.1.4.1.1.7"
EQUAL = {"PixelSpacing": [".2", ".2"], "NominalScannedPixelSpacing": [".2", ".2"]}
APART = {"PixelSpacing": [".3", ".3"], "NominalScannedPixelSpacing": [".2", ".2"]}
ALONE = {"PixelSpacing": [".2", ".2"], "ConversionType": "DF"}


@pytest.mark.parametrize("modality", ["CT", "MR", "CR"])
@pytest.mark.parametrize("spacing", [EQUAL, ALONE])
def test_a_size_on_a_film_is_no_size_in_the_patient(modality: str, spacing: dict[str, Any]) -> None:
    film = {"SOPClassUID": SECONDARY, "Modality": modality, "ConversionType": "DF"}
    found = spacing_of(made(**{**film, **spacing}))
    assert isinstance(found, str)
    assert "scanned from a film" in found
    fiducial = spacing_of(made(**{**film, **spacing, "PixelSpacingCalibrationType": "FIDUCIAL"}))
    assert isinstance(fiducial, Spacing)
    assert fiducial.row == 0.2
    calibrated = spacing_of(made(**{**film, **APART}))
    assert isinstance(calibrated, Spacing)
    assert "(0018,2010)" in calibrated.method
    assert calibrated.row == 0.3


def test_a_capture_of_a_workstation_keeps_its_spacing() -> None:
    reformatted = {"SOPClassUID": SECONDARY, "Modality": "CT", "ConversionType": "WSD"}
    found = spacing_of(made(**reformatted, PixelSpacing=["0.5", "0.5"]))
    assert isinstance(found, Spacing)
    assert isinstance(spacing_of(made(**{**reformatted, **EQUAL, "Modality": "OT"})), str)


@pytest.mark.parametrize("spacing", [["60", "60"], ["0.0007", "0.0007"], ["0.7", "70"]])
def test_a_picture_larger_or_smaller_than_anybody_is_refused(spacing: list[str]) -> None:
    seen = view(dicom(np.zeros((200, 200), np.uint16) + 5, Modality="CT", PixelSpacing=spacing))
    for each in (*measure(seen)[:1], distance(seen, (0, 0), (9, 9))):
        assert each.value is None
        assert "wider than 3 m" in each.refused


def test_an_ultrasound_region_deeper_than_a_metre_is_refused() -> None:
    deep = region((0, 0, 59, 39), (3, 3), (0.1, 3.0))
    seen = made(Modality="US", SOPClassUID=US, SequenceOfUltrasoundRegions=Sequence([deep]))
    wide, high = measure(seen)
    assert wide.value == pytest.approx(60.0)
    assert "Physical Delta Y (0018,602E) makes no sense" in high.refused


def test_points_outside_and_polygons_that_cross_themselves_are_refused() -> None:
    seen = made(PixelSpacing=["0.5", "0.25"])
    for stop in ((60, 5), (5, 40), (-1, 5)):
        assert "outside the picture" in distance(seen, (0, 0), stop).refused
        assert "outside the picture" in area(seen, [(0, 0), (5, 0), stop]).refused
    assert distance(seen, (-0.5, -0.5), (59.5, 39.5)).value
    bow = [(0, 0), (8, 8), (8, 0), (0, 8)]
    assert "crosses itself" in area(seen, bow).refused
    bent = [(0, 0), (8, 0), (8, 8), (4, 2), (0, 8)]
    assert area(seen, bent).value == pytest.approx((64 - 24) * 0.125)

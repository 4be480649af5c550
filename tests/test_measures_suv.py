"""Uptake values against numbers worked out by hand, and refusals that name what is missing."""

from typing import Any

import numpy as np
import pytest
from pydicom.dataset import Dataset
from pydicom.sequence import Sequence

from safelight.readers.measures import suv
from safelight.readers.measures.times import moment, of_day, stamp
from safelight.readers.view import View
from view_fixtures import dicom, view

PET = "1.2.840.10008.5.1.4.1.1.128"
HALF_LIFE = 6586.2  # fluorine-18, s
PIXELS = np.arange(16 * 16, dtype=np.uint16).reshape(16, 16)


def pet(*, given: dict[str, Any] | None = None, drop: tuple[str, ...] = (), **header: Any) -> View:
    """Return a PET slice: 370 MBq an hour before the scan, 75 kg, 1.80 m, 2 Bq/ml a step."""
    item = Dataset()
    pharmaceutical = {
        "RadiopharmaceuticalStartTime": "100000",
        "RadionuclideTotalDose": "370000000",
        "RadionuclideHalfLife": str(HALF_LIFE),
    }
    for keyword, value in {**pharmaceutical, **(given or {})}.items():
        if value is not None:
            setattr(item, keyword, value)
    values = {
        "SOPClassUID": PET, "Modality": "PT", "Units": "BQML", "DecayCorrection": "START",
        "CorrectedImage": ["DECY", "ATTN", "SCAT"], "PatientWeight": "75", "PatientSize": "1.8",
        "PatientSex": "M", "SeriesDate": "20240310", "SeriesTime": "110000",
        "AcquisitionDate": "20240310", "AcquisitionTime": "110500", "RescaleSlope": "2",
        "RescaleIntercept": "0", "StudyDate": "20240310",
        "RadiopharmaceuticalInformationSequence": Sequence([item]),
        **header,
    }  # fmt: skip
    return view(dicom(PIXELS, **{k: v for k, v in values.items() if k not in drop}))


def highest(seen: View, way: str = "bw") -> tuple[float | None, str]:
    found = {each.name.value: each for each in suv.statistics(seen)}
    one = found[f"SUV-{way.upper()}-MAX"]
    return one.value, one.refused


def test_body_weight_by_hand() -> None:
    # 2 x 255 Bq/ml over 370 MBq decayed for 3600 s, by 75 kg
    value, why = highest(pet())
    assert why == ""
    left = 370e6 * 0.5 ** (3600 / 6586.2)
    assert value == pytest.approx(510 / (left / 75000), rel=1e-9)
    assert value == pytest.approx(0.15100, abs=2e-5)


def test_lean_mass_and_surface_by_hand() -> None:
    bw, _ = highest(pet())
    assert bw is not None
    # 75 kg, 1.80 m: BMI 23.148; 9270 x 75 / (6680 + 216 x 23.148) = 695250 / 11680 = 59.525 kg
    assert suv.lbm_janmahasatian(75, 1.8, "M") == pytest.approx(59.525, abs=1e-3)
    # 1.10 x 75 - 128 x (75 / 180)^2 = 60.278 kg
    assert suv.lbm_james(75, 1.8, "M") == pytest.approx(60.2778, abs=1e-4)
    # 60 kg, 1.65 m: BMI 22.039; 556200 / (8780 + 5377.4) = 39.287 kg
    assert suv.lbm_janmahasatian(60, 1.65, "F") == pytest.approx(39.287, abs=1e-3)
    assert suv.lbm_james(60, 1.65, "F") == pytest.approx(44.6298, abs=1e-4)
    assert suv.bsa_du_bois(75, 1.8) == pytest.approx(1.9421, abs=1e-3)
    assert highest(pet(), "janma")[0] == pytest.approx(bw * 59.525 / 75, rel=1e-4)
    assert highest(pet(), "james")[0] == pytest.approx(bw * 60.2778 / 75, rel=1e-5)
    # BSA in cm2 over the decayed dose, apart from body weight
    left = 370e6 * 0.5 ** (3600 / 6586.2)
    surface = 0.007184 * 75**0.425 * 180**0.725 * 1e4
    assert highest(pet(), "bsa")[0] == pytest.approx(510 * surface / left, rel=1e-9)


def test_a_dose_corrected_to_administration_has_not_decayed() -> None:
    assert highest(pet(DecayCorrection="ADMIN"))[0] == pytest.approx(510 * 75000 / 370e6)


def test_values_that_are_standardised_already_are_taken_as_they_are() -> None:
    assert highest(pet(Units="GML", RescaleSlope="0.01"))[0] == pytest.approx(2.55)
    lean = pet(Units="GML", SUVType="LBMJANMA", RescaleSlope="0.01")
    assert highest(lean, "janma")[0] == pytest.approx(2.55)
    assert highest(lean) == (
        None,
        "the values are standardised to lean body mass, Janmahasatian already",
    )
    surface = pet(Units="CM2ML", RescaleSlope="0.01")
    assert highest(surface, "bsa")[0] == pytest.approx(2.55)
    assert "SUV Type" in highest(pet(Units="GML", SUVType="BSA"))[1]


def test_counts_need_philips_factors() -> None:
    assert "(7053,1000)" in highest(pet(Units="CNTS"))[1]
    for element, wanted in ((0x00, 510 * 0.001), (0x09, 510 * 3 * 75000)):
        seen = pet(Units="CNTS", DecayCorrection="ADMIN")
        assert seen.dataset is not None
        block = seen.dataset.private_block(0x7053, "Philips PET Private Group", create=True)
        block.add_new(element, "DS", "0.001" if element == 0 else "3")
        expected = wanted if element == 0 else wanted / 370e6
        assert highest(seen)[0] == pytest.approx(expected)


@pytest.mark.parametrize(
    ("keyword", "tag"),
    [
        ("PatientWeight", "(0010,1030)"),
        ("Units", "(0054,1001)"),
        ("CorrectedImage", "(0028,0051)"),
        ("DecayCorrection", "(0054,1102)"),
        ("RadiopharmaceuticalInformationSequence", "(0054,0016)"),
        ("AcquisitionTime", "(0008,0032)"),
        ("RescaleSlope", "(0028,1053)"),
        ("RescaleIntercept", "(0028,1052)"),
    ],
)
def test_what_is_missing_is_named(keyword: str, tag: str) -> None:
    value, why = highest(pet(drop=(keyword,)))
    assert value is None
    assert tag in why


@pytest.mark.parametrize(
    ("keyword", "tag"),
    [
        ("RadionuclideTotalDose", "(0018,1074)"),
        ("RadionuclideHalfLife", "(0018,1075)"),
        ("RadiopharmaceuticalStartTime", "(0018,1072)"),
    ],
)
def test_what_is_missing_of_the_pharmaceutical_is_named(keyword: str, tag: str) -> None:
    value, why = highest(pet(given={keyword: None}))
    assert value is None
    assert f"{tag} is missing" in why


@pytest.mark.parametrize(
    ("given", "header", "why"),
    [
        ({"RadionuclideTotalDose": "370"}, {}, "(0018,1074) is out of range"),
        ({}, {"PatientWeight": "75000"}, "(0010,1030) is out of range"),
        ({}, {"PatientWeight": "0"}, "(0010,1030) is out of range"),
        ({}, {"PatientWeight": ""}, "(0010,1030) is empty"),
        ({}, {"RescaleSlope": "0"}, "(0028,1053) makes no sense"),
        ({}, {"RescaleSlope": "NaN"}, "(0028,1053) is empty, or was no number"),
        ({}, {"RescaleSlope": "-1"}, "(0028,1053) is below 0"),
        ({}, {"RescaleIntercept": ""}, "(0028,1052) is empty"),
        ({}, {"DecayCorrection": "NONE"}, "neither START nor ADMIN"),
        ({}, {"CorrectedImage": ["DECY"]}, "ATTN"),
        (
            {
                "RadiopharmaceuticalStartDateTime": "20240310120000",
                "RadiopharmaceuticalStartTime": None,
            },
            {},
            "later than the scan",
        ),
        (
            {
                "RadiopharmaceuticalStartDateTime": "20240301100000",
                "RadiopharmaceuticalStartTime": None,
            },
            {},
            "half-lives before the scan",
        ),
    ],
)
def test_what_makes_no_sense_is_refused(
    given: dict[str, Any], header: dict[str, Any], why: str
) -> None:
    value, told = highest(pet(given=given, **header))
    assert value is None
    assert why in told


def test_a_size_that_is_missing_refuses_lean_mass_alone() -> None:
    seen = pet(drop=("PatientSize",))
    assert highest(seen)[0] is not None
    for way in ("janma", "james", "bsa"):
        assert "(0010,1020) is missing" in highest(seen, way)[1]
    assert "(0010,0040)" in highest(pet(PatientSex="O"), "janma")[1]


def test_an_injection_before_midnight_is_of_the_day_before() -> None:
    seen = pet(
        given={"RadiopharmaceuticalStartTime": "233000"},
        SeriesTime="003000", AcquisitionTime="003500",
    )  # fmt: skip
    assert highest(seen)[0] == pytest.approx(highest(pet())[0] or 0)


def test_an_offset_without_the_zone_of_the_object_is_not_passed_over() -> None:
    # the zone (0008,0201) goes with the identity: 09:00 at +0000 is 10:00 on the scanner's clock
    stamped = {"RadiopharmaceuticalStartDateTime": "20240310090000.00+0000"}
    seen = pet(given=stamped, TimezoneOffsetFromUTC="+0100")
    assert seen.dataset is not None
    assert "TimezoneOffsetFromUTC" not in seen.dataset
    assert highest(seen)[0] == highest(pet())[0]
    alone = pet(given={**stamped, "RadiopharmaceuticalStartTime": None})
    assert highest(alone)[0] is None
    assert "(0018,1078) has an offset" in highest(alone)[1]
    seen.dataset.TimezoneOffsetFromUTC = "+0100"
    assert highest(seen)[0] == highest(pet())[0]
    scan = pet(AcquisitionTime="", AcquisitionDateTime="20240310110500+0100")
    assert "(0008,002A) has an offset" in highest(scan)[1]


@pytest.mark.parametrize("stamped", ["20240310100200", "20240310090200+0000", "20240310110000"])
def test_two_injection_times_that_disagree_are_refused(stamped: str) -> None:
    value, why = highest(pet(given={"RadiopharmaceuticalStartDateTime": stamped}))
    assert value is None
    assert "(0018,1078)" in why
    assert "(0018,1072) name different times" in why


@pytest.mark.parametrize("stamped", ["20240310100000", "20240310100030", "20240310070000-0300"])
def test_two_injection_times_that_agree_are_taken(stamped: str) -> None:
    assert highest(pet(given={"RadiopharmaceuticalStartDateTime": stamped}))[0] is not None


@pytest.mark.parametrize(
    ("start", "scan", "half_life"),
    [
        ("110030", "110000", HALF_LIFE),  # a dynamic scan began 30 s before, or a clock is wrong
        ("110030", "110000", 45721.0),  # copper-64: 24 hours are two half-lives
        ("180000", "010000", HALF_LIFE),  # seven hours: nobody waits that long
        ("233000", "003000", 122.2),  # oxygen-15: nothing is left after an hour
    ],
)
def test_an_injection_after_the_scan_is_not_taken_for_one_of_the_day_before(
    start: str, scan: str, half_life: float
) -> None:
    given = {"RadiopharmaceuticalStartTime": start, "RadionuclideHalfLife": str(half_life)}
    seen = pet(given=given, SeriesTime=scan, AcquisitionTime=scan)
    why = "Radiopharmaceutical Start Time (0018,1072) is later than the scan"
    assert highest(seen) == (None, why)


def test_a_series_made_later_is_timed_by_its_frames() -> None:
    # the series was derived in the evening: the frame began at 11:05, 300 s after the scan
    # started, and lasted 120 s; the average of its decaying count rate was 59.9 s into it
    evening: dict[str, Any] = {"SeriesTime": "200000"}
    for header, why in (
        (evening, "Series Time (0008,0031) is later than the acquisition"),
        ({"SeriesTime": ""}, "Series Time (0008,0031) is missing"),
        ({"SeriesDate": ""}, "Series Date (0008,0021) or"),
    ):
        assert why in highest(pet(**header))[1]
        assert "(0054,1300)" in highest(pet(**header))[1]
    reference, frame = 359_900.0, 120_000.0
    seen = pet(FrameReferenceTime=str(reference), ActualFrameDuration=str(int(frame)), **evening)
    constant = np.log(2) / HALF_LIFE
    mean_at = np.log(constant * 120 / (1 - np.exp(-constant * 120))) / constant
    since = 3600 + 300 - reference / 1000 + mean_at
    expected = 510 * 75000 / (370e6 * 0.5 ** (since / HALF_LIFE))
    assert highest(seen)[0] == pytest.approx(expected, rel=1e-9)
    assert highest(seen)[0] == pytest.approx(highest(pet())[0] or 0, rel=1e-4)


def test_what_is_no_pet_has_no_uptake_value() -> None:
    assert highest(view(dicom(PIXELS))) == (None, "it is not a PET image")


def test_times_are_read_as_the_standard_writes_them() -> None:
    assert of_day("1030") == of_day("103000.000000")
    assert of_day("10:30:00") == of_day("1030")
    assert of_day("251000") is None
    assert moment("20240230", "10") is None
    assert moment("2024.02.29", "10") == moment("20240229", "100000")
    header = Dataset()
    header.AcquisitionDateTime = "20240331013000.0+0100"
    assert stamp(header, "AcquisitionDateTime", "+0200") == moment("20240331", "023000")
    assert stamp(header, "AcquisitionDateTime") is None
    header.AcquisitionDateTime = "20240331013000.0"
    assert stamp(header, "AcquisitionDateTime") == moment("20240331", "013000")


@pytest.mark.parametrize("seconds", [0, 1, 1800, 7200, 20000])
def test_decay_agrees_with_an_exponential_written_otherwise(seconds: int) -> None:
    start = 11 * 3600 - seconds
    written = f"{start // 3600:02d}{start // 60 % 60:02d}{start % 60:02d}"
    value, _why = highest(pet(given={"RadiopharmaceuticalStartTime": written}))
    activity = 370e6 * np.exp(-seconds * 0.69314718055994530942 / HALF_LIFE)
    assert value == pytest.approx(510 * 75 * 1000 / activity, rel=1e-12)

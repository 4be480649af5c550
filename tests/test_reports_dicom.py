"""Reports as DICOM and FHIR: valid by other people's checkers, and saying no more than was read."""

import io
import json
import re
import shutil
import subprocess
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pydicom
import pytest
from fhir.resources.R4B.bundle import Bundle
from hypothesis import given, settings
from pydicom import config
from pydicom.dataset import Dataset

from report_fixtures import (
    AREA,
    CANNOT,
    NOT_SEEN,
    NOT_SURE,
    REFUSED,
    SEEN,
    SHADOWED,
    SUV,
    reading,
)
from run_fixtures import sample
from safelight.pipeline.reading import Wanted, made
from safelight.readers.frames import NoFrames
from safelight.readers.reading import Answer, Reading, State
from safelight.readers.view import View
from safelight.reports import words
from safelight.reports.dicom import own, uid
from safelight.reports.fhir import bundle
from safelight.reports.sc import secondary_capture
from safelight.reports.sr import structured_report
from safelight.types import Kind
from strategies_reading import READINGS
from view_fixtures import photo, view

GREY = np.arange(64 * 48, dtype=np.uint16).astype(np.uint8).reshape(64, 48)


def header() -> Dataset:
    data = sample()
    del data.PixelData
    data.PatientName, data.PatientID = "SLAB12CD34", "SLAB12CD34"
    data.PatientIdentityRemoved = "YES"
    data.DeidentificationMethod = "Safelight"
    return data


def parsed(data: bytes) -> Dataset:
    return pydicom.dcmread(io.BytesIO(data))


def walked(items: Any) -> list[Dataset]:
    found = []
    for item in items:
        found.append(item)
        found += walked(item.get("ContentSequence", []))
    return found


def texts(document: Dataset) -> list[str]:
    items = walked(document.ContentSequence)
    return [item.TextValue for item in items if item.ValueType == "TEXT"]


def complaints(data: bytes, folder: Path) -> list[str]:
    """Return the errors of dciodvfy, where it is installed (.ci/run installs it)."""
    program = shutil.which("dciodvfy")
    if program is None:
        return []
    path = folder / "report.dcm"
    path.write_bytes(data)
    run = subprocess.run(
        [program, "-new", path], check=False, capture_output=True, text=True, timeout=60
    )
    lines = (run.stderr + run.stdout).splitlines()
    assert any(word in line for line in lines for word in ("Comprehensive3DSR", "SCImage"))
    return [line for line in lines if line.startswith("Error")]


@pytest.mark.parametrize("clinician", [False, True])
@pytest.mark.parametrize("dicom", [False, True])
def test_the_reports_pass_dciodvfy(tmp_path: Path, *, dicom: bool, clinician: bool) -> None:
    told = reading(SEEN, CANNOT, SHADOWED, REFUSED)
    head = header() if dicom else None
    assert not complaints(structured_report(told, head, clinician=clinician), tmp_path)
    assert not complaints(secondary_capture(told, GREY, head, clinician=clinician), tmp_path)


def test_an_sr_names_reader_version_card_answer_and_values() -> None:
    document = parsed(structured_report(reading(SEEN), header()))
    assert document.SOPClassUID.name == "Comprehensive 3D SR Storage"
    assert document.ContentTemplateSequence[0].TemplateIdentifier == "1500"
    items = walked(document.ContentSequence)
    said = " ".join(texts(document))
    for each in (
        "chest-opacity",
        "1.2",
        f"card sha256={'a1' * 32}",
        f"features sha256={'b2' * 32}",
    ):
        assert each in said
    values = {
        item.ConceptNameCodeSequence[0].CodeValue: float(item.MeasuredValueSequence[0].NumericValue)
        for item in items
        if item.ValueType == "NUM"
    }
    assert values == {"42798000": 1234.5, "p-seen": 0.61, "p-not-seen": 0.012, "score": 1.5}
    codes = [item.ConceptCodeSequence[0] for item in items if item.ValueType == "CODE"]
    assert "seen by this reader" in [code.CodeMeaning for code in codes]
    assert "128601007" in [code.CodeValue for code in codes]
    assert words.NOT_A_DIAGNOSIS in texts(document)
    assert "SUVbw: not computed: Patient's Weight (0010,1030) is missing" in texts(document)


@pytest.mark.parametrize(
    ("unit", "keyword", "scheme"),
    [
        ("g/ml{SUVbw}", "CodeValue", "UCUM"),
        ("g/ml{SUVlbm(Janma)}", "LongCodeValue", "UCUM"),  # PS3.16 CID 85
        ("g/ml{SUVlbm(James128)}", "LongCodeValue", "UCUM"),
        ("per picture", "CodeValue", "99SAFELIGHT"),
    ],
)
def test_an_sr_keeps_every_unit(unit: str, keyword: str, scheme: str, tmp_path: Path) -> None:
    told = reading(measurements=(replace(AREA, unit=unit),))
    data = structured_report(told, header())
    (number,) = (each for each in walked(parsed(data).ContentSequence) if each.ValueType == "NUM")
    (code,) = number.MeasuredValueSequence[0].MeasurementUnitsCodeSequence
    assert code.CodingSchemeDesignator == scheme
    assert code[keyword].value == (unit if scheme == "UCUM" else own(unit, unit).value)
    assert code.CodeMeaning == unit
    assert not complaints(data, tmp_path)


def test_an_sr_carries_the_references_of_the_deidentified_input() -> None:
    head = header()
    for data in (
        structured_report(reading(SEEN), head),
        secondary_capture(reading(SEEN), GREY, head),
    ):
        document = parsed(data)
        assert str(document.PatientName) == document.PatientID == "SLAB12CD34"
        assert document.StudyInstanceUID == head.StudyInstanceUID
        assert document.SeriesInstanceUID != head.SeriesInstanceUID
        assert document.PatientIdentityRemoved == "YES"
        assert head.SOPInstanceUID.encode() in data


def references(data: bytes) -> set[tuple[str, str]]:
    items = walked(parsed(data).ContentSequence)
    return {
        (each.ValueType, each.ReferencedSOPSequence[0].ReferencedSOPClassUID.name)
        for each in items
        if "ReferencedSOPSequence" in each
    }


@pytest.mark.parametrize("name", ["rtplan.dcm", "waveform_ecg.dcm", "reportsi.dcm"])
def test_an_sr_calls_an_image_only_what_is_one(name: str, tmp_path: Path) -> None:
    head = sample(name)
    data = structured_report(reading(SEEN), head)
    assert references(data) == {("COMPOSITE", head.SOPClassUID.name)}
    assert not complaints(data, tmp_path)
    for image in (header(), None):
        assert {kind for kind, _ in references(structured_report(reading(SEEN), image))} == {
            "IMAGE"
        }


def test_what_has_neither_instance_nor_picture_has_no_sr() -> None:
    asked = Wanted(sr=True)
    seen = view(photo(GREY), Kind.PNG)
    document = View(digest="", file_kind=Kind.PDF, frames=NoFrames("a document"), dataset=None)
    assert set(made(seen, reading(), asked)[0]) == {"sr"}
    for nothing in (None, document):
        assert made(nothing, reading(), asked) == ({}, {})


def test_without_a_header_sr_and_secondary_capture_are_of_one_study() -> None:
    told = reading(NOT_SEEN)
    report = parsed(structured_report(told, None))
    picture = parsed(secondary_capture(told, GREY, None))
    assert report.StudyInstanceUID == picture.StudyInstanceUID
    evidence = report.CurrentRequestedProcedureEvidenceSequence[0].ReferencedSeriesSequence[0]
    assert evidence.ReferencedSOPSequence[0].ReferencedSOPInstanceUID == picture.SOPInstanceUID
    assert report.PatientID == picture.PatientID == ""


def test_shadow_goes_into_reports_for_clinicians_only_and_refused_into_none() -> None:
    told = reading(SEEN, SHADOWED, REFUSED)
    for clinician in (False, True):
        document = " ".join(texts(parsed(structured_report(told, header(), clinician=clinician))))
        resource = json.dumps(bundle(told, clinician=clinician))
        for text in (document, resource):
            assert ("tuberculosis" in text.lower()) is clinician
            assert (words.SHADOW in text) is clinician
            assert "breast" not in text.lower()


def test_numbers_of_a_site_that_is_not_validated_are_for_clinicians() -> None:
    site = replace(SEEN, state=State.SHADOW, answer=Answer.SITE)
    for clinician in (False, True):
        data = structured_report(reading(site), header(), clinician=clinician)
        items = walked(parsed(data).ContentSequence)
        names = {item.ConceptNameCodeSequence[0].CodeValue for item in items}
        assert ("p-seen" in names) is clinician


def test_not_sure_and_abstentions_are_full_answers() -> None:
    told = reading(CANNOT, kind=NOT_SURE)
    said = " ".join(texts(parsed(structured_report(told, header()))))
    assert "was not recognised" in said
    assert "cannot tell" in said
    assert "Of 100 people" not in said
    resources = [entry["resource"] for entry in bundle(told)["entry"]]
    by_id = {each["id"].rpartition("-")[0]: each for each in resources}
    assert by_id["kind"]["dataAbsentReason"]["coding"][0]["code"] == "unknown"
    assert by_id["answer-1"]["dataAbsentReason"]["coding"][0]["code"] == "unknown"
    assert "valueCodeableConcept" not in by_id["answer-1"]
    assert by_id["measurement-2"]["dataAbsentReason"]["coding"][0]["code"] == "not-performed"


@pytest.mark.parametrize("answer", list(Answer))
def test_an_observation_has_a_value_or_a_reason_and_never_both(answer: Answer) -> None:
    told = bundle(reading(replace(SEEN, answer=answer)), patient="SL1", study="1.2.3")
    for entry in told["entry"][1:]:
        resource = entry["resource"]
        value = [name for name in resource if name.startswith("value")]
        assert bool(value) is not ("dataAbsentReason" in resource)
        assert resource["subject"]["identifier"]["value"] == "SL1"
    assert told["entry"][0]["resource"]["imagingStudy"][0]["identifier"]["value"] == "urn:oid:1.2.3"


def test_references_in_a_bundle_lead_to_its_own_entries_alone() -> None:
    told = [reading(SEEN), reading(SEEN, source="6d" * 32)]
    bundles = [bundle(each, clinician=clinician) for each in told for clinician in (False, True)]
    for each in bundles:
        Bundle.model_validate(each)
        urls = [entry["fullUrl"] for entry in each["entry"]]
        assert all(re.fullmatch(r"urn:uuid:[0-9a-f-]{36}", url) for url in urls)
        report = each["entry"][0]["resource"]
        assert [one["reference"] for one in report["result"]] == urls[1:]
    urls = [entry["fullUrl"] for each in bundles for entry in each["entry"]]
    ids = [entry["resource"]["id"] for each in bundles for entry in each["entry"]]
    assert len(set(urls)) == len(set(ids)) == len(urls)
    assert all(re.fullmatch(r"[A-Za-z0-9.-]{1,64}", each) for each in ids)
    assert bundles[0] == bundle(told[0])


def test_fhir_shows_p_values_to_clinicians_only() -> None:
    person, clinician = (bundle(reading(SEEN), clinician=each) for each in (False, True))
    assert "component" not in json.dumps(person)
    parts = clinician["entry"][-1]["resource"]["component"]
    assert [part["valueQuantity"]["value"] for part in parts] == [0.61, 0.012, 1.5]


@given(READINGS)
@settings(max_examples=15, deadline=None)
def test_any_reading_is_valid_fhir(told: Reading) -> None:
    for clinician in (False, True):
        resource = bundle(told, clinician=clinician)
        Bundle.model_validate_json(json.dumps(resource, allow_nan=False))


@given(READINGS)
@settings(max_examples=5, deadline=None)
def test_any_reading_makes_an_sr_that_comes_back(told: Reading) -> None:
    document = parsed(structured_report(told, None, clinician=True))
    assert document.SOPInstanceUID.is_valid
    assert len(texts(document)) >= 2


@pytest.mark.parametrize("shape", [(1, 1), (5, 700), (1500, 300)])
def test_a_secondary_capture_of_any_picture_decodes(shape: tuple[int, int]) -> None:
    grey = np.full(shape, 90, np.uint8)
    shown = parsed(secondary_capture(reading(SEEN), grey, header(), clinician=True)).pixel_array
    assert shown.ndim == 3
    assert shown.shape[2] == 3
    assert shown.shape[0] > 100


@pytest.mark.parametrize(
    ("syntax", "said", "wanted"),
    [
        ("1.2.840.10008.1.2.1", {}, (None, None, None)),
        ("1.2.840.10008.1.2.1", {"LossyImageCompression": "00"}, ("00", None, None)),
        # compressed before, and stored without compression now: the ratio stays true
        (
            "1.2.840.10008.1.2.1",
            {
                "LossyImageCompression": "01",
                "LossyImageCompressionRatio": ["12.5", "3"],
                "LossyImageCompressionMethod": ["ISO_10918_1", "ISO_15444_1"],
            },
            ("01", [12.5, 3], ["ISO_10918_1", "ISO_15444_1"]),
        ),
        ("1.2.840.10008.1.2.4.51", {}, ("01", None, "ISO_10918_1")),
        ("1.2.840.10008.1.2.4.91", {"LossyImageCompression": "00"}, ("01", None, "ISO_15444_1")),
        ("1.2.840.10008.1.2.4.90", {}, (None, None, None)),
    ],
)
def test_a_secondary_capture_says_what_its_source_lost(
    syntax: str, said: dict[str, Any], wanted: tuple[Any, ...], tmp_path: Path
) -> None:
    head = header()
    head.file_meta.TransferSyntaxUID = syntax
    for keyword, value in said.items():
        setattr(head, keyword, value)
    data = secondary_capture(reading(), GREY, head)
    told = parsed(data)
    names = ("LossyImageCompression", "LossyImageCompressionRatio", "LossyImageCompressionMethod")
    assert tuple(told.get(name) for name in names) == wanted
    assert not complaints(data, tmp_path)


def test_a_series_of_captures_is_of_one_modality_and_numbered() -> None:
    told = []
    for number, modality in ((3, "CT"), (4, "ct"), (5, "PT"), (6, ["CT", "MR"]), (7, "ct scan!")):
        head = header()
        with config.disable_value_validation():
            head.Modality = modality
        told.append(parsed(secondary_capture(reading(), GREY, head, number=number)))
        report = parsed(structured_report(reading(), head, number=number))
        assert report.InstanceNumber == number
    first, second, third, fourth, fifth = told
    assert [each.InstanceNumber for each in told] == [3, 4, 5, 6, 7]
    assert [each.Modality for each in told] == ["CT", "CT", "PT", "OT", "OT"]
    assert first.SeriesInstanceUID == second.SeriesInstanceUID
    assert fourth.SeriesInstanceUID == fifth.SeriesInstanceUID
    assert len({each.SeriesInstanceUID for each in (first, third, fourth)}) == 3
    assert first.SeriesInstanceUID.is_valid


def test_only_clinicians_get_the_map_in_a_secondary_capture() -> None:
    def coloured(*, clinician: bool) -> bool:
        data = secondary_capture(reading(SEEN), GREY, header(), clinician=clinician)
        shown = parsed(data).pixel_array.astype(int)
        return bool((np.ptp(shown, axis=2) > 40).any())

    assert coloured(clinician=True)
    assert not coloured(clinician=False)


def test_uids_follow_from_what_was_read() -> None:
    one = parsed(structured_report(reading(SEEN), header())).SOPInstanceUID
    assert one == parsed(structured_report(reading(SEEN), header())).SOPInstanceUID
    assert one != parsed(structured_report(reading(NOT_SEEN), header())).SOPInstanceUID
    assert uid("a", "bc") != uid("ab", "c")


def test_own_codes_fit_and_stay_apart() -> None:
    long = [own(f"a value that is too long {n}", "meaning").value for n in range(50)]
    assert all(len(value) <= 16 for value in long)
    assert len(set(long)) == 50


def test_measurements_keep_value_unit_and_method() -> None:
    told = [entry["resource"] for entry in bundle(reading())["entry"]]
    area = next(each for each in told if each["id"].startswith("measurement-1-"))
    assert area["note"] == [{"text": "Where: frame 1"}]
    assert not [each for each in told if "bodySite" in each]
    assert area["valueQuantity"]["value"] == AREA.value
    assert area["valueQuantity"]["code"] == "mm2"
    assert area["method"]["text"] == AREA.method
    assert SUV.refused in json.dumps(told)

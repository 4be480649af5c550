"""A DICOMDIR made anew from the outputs: complete, readable by others, and small in memory."""

import io
import shutil
import tracemalloc
import warnings
from pathlib import Path
from typing import Any

import pytest
from pydicom import dcmread
from pydicom.data import get_testdata_file
from pydicom.fileset import FileSet

from safelight.pipeline.dicomdir import build, conforms, read_fields

SOURCE = Path(str(get_testdata_file("dicomdirtests/DICOMDIR", download=False))).parent
KINDS = ("CT_small.dcm", "rtplan.dcm", "rtdose.dcm", "waveform_ecg.dcm")


def listed(data: bytes) -> list[Any]:
    return list(dcmread(io.BytesIO(data)).DirectoryRecordSequence)


def outputs(folder: Path) -> list[tuple[str, dict[str, Any]]]:
    files = sorted(p for p in folder.rglob("*") if p.is_file() and p.name != "DICOMDIR")
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # some of pydicom's own files are wrong on purpose
        return [(p.relative_to(folder).as_posix(), read_fields(str(p))) for p in files]


@pytest.fixture
def disc(tmp_path: Path) -> Path:
    """Return a folder of 31 files of two patients and several studies."""
    folder = tmp_path / "disc"
    for name in ("77654033", "98892001", "98892003"):
        if (SOURCE / name).is_dir():
            shutil.copytree(SOURCE / name, folder / name)
    return folder


def test_pydicoms_file_set_finds_every_file_at_its_place(disc: Path) -> None:
    found = outputs(disc)
    assert len(found) == 31
    (disc / "DICOMDIR").write_bytes(build(found))
    files = FileSet(disc / "DICOMDIR")
    assert len(files) == len(found)
    by_path = {Path(str(one.path)).relative_to(disc).as_posix(): one for one in files}
    for relative, values in found:
        one = by_path[relative]
        for name in ("PatientID", "StudyInstanceUID", "SeriesInstanceUID", "SOPInstanceUID"):
            assert getattr(one, name) == values[name]
    files._stage["t"].cleanup()  # pydicom leaves its own for the interpreter to find


def test_offsets_lead_through_the_tree_and_reach_all_records(disc: Path) -> None:
    data = build(outputs(disc))
    ds = dcmread(io.BytesIO(data))
    records = {item.seq_item_tell: item for item in ds.DirectoryRecordSequence}
    levels = ("PATIENT", "STUDY", "SERIES", "IMAGE")
    reached = []

    def follow(at: int, depth: int) -> int:
        last = 0
        while at:
            record, last = records[at], at
            assert record.DirectoryRecordType == levels[depth]
            assert record.RecordInUseFlag == 0xFFFF
            reached.append(at)
            follow(record.OffsetOfReferencedLowerLevelDirectoryEntity, depth + 1)
            at = record.OffsetOfTheNextDirectoryRecord
        return last

    last = follow(ds.OffsetOfTheFirstDirectoryRecordOfTheRootDirectoryEntity, 0)
    assert last == ds.OffsetOfTheLastDirectoryRecordOfTheRootDirectoryEntity
    assert sorted(reached) == sorted(records)


def test_the_same_outputs_give_the_same_bytes_and_other_ones_another_uid(disc: Path) -> None:
    found = outputs(disc)
    assert build(found) == build(found)
    other = dcmread(io.BytesIO(build(found[:-1]))).file_meta.MediaStorageSOPInstanceUID
    assert dcmread(io.BytesIO(build(found))).file_meta.MediaStorageSOPInstanceUID != other


def test_each_kind_of_object_has_the_record_of_its_kind(tmp_path: Path) -> None:
    for name in KINDS:
        shutil.copy(str(get_testdata_file(name, download=False)), tmp_path / name)
    kinds = {
        record.ReferencedFileID: record.DirectoryRecordType
        for record in listed(build(outputs(tmp_path)))
        if "ReferencedFileID" in record
    }
    expected = ("IMAGE", "RT PLAN", "RT DOSE", "WAVEFORM")
    assert kinds == dict(zip(KINDS, expected, strict=True))


@pytest.mark.parametrize(
    ("sop_class", "kind"),
    [
        ("1.2.840.10008.5.1.4.1.1.88.33", "SR DOCUMENT"),
        ("1.2.840.10008.5.1.4.1.1.88.59", "KEY OBJECT DOC"),
        ("1.2.840.10008.5.1.4.1.1.481.3", "RT STRUCTURE SET"),
        ("1.2.840.10008.5.1.4.1.1.104.1", "ENCAP DOC"),
        ("1.2.840.10008.5.1.4.1.1.11.1", "PRESENTATION"),
        ("1.2.840.10008.5.1.4.1.1.66.4", "IMAGE"),
        ("1.2.840.10008.5.1.4.1.1.66", "RAW DATA"),
        ("1.2.840.10008.5.1.4.1.1.481.10", "IMAGE"),
        ("1.2.3.4", "IMAGE"),
        ("", "IMAGE"),
    ],
)
def test_records_follow_the_sop_class(sop_class: str, kind: str) -> None:
    code = {"CodeValue": "18748-4", "CodingSchemeDesignator": "LN", "CodeMeaning": "Report"}
    values = {"SOPClassUID": sop_class, "ConceptNameCodeSequence": [code]}
    (record,) = [r for r in listed(build([("A", values)])) if "ReferencedFileID" in r]
    assert record.DirectoryRecordType == kind
    if kind in ("SR DOCUMENT", "KEY OBJECT DOC", "ENCAP DOC"):
        assert record.ConceptNameCodeSequence[0].CodeMeaning == "Report"


def test_names_outside_ascii_are_written_with_their_character_set() -> None:
    values = {"PatientName": "Παπαδόπουλος^Ελένη", "PatientID": "P1"}
    patient = listed(build([("A", values)]))[0]
    assert patient.PatientName == values["PatientName"]
    assert patient.SpecificCharacterSet == "ISO_IR 192"


def test_an_empty_run_gives_an_empty_directory() -> None:
    ds = dcmread(io.BytesIO(build([])))
    assert list(ds.DirectoryRecordSequence) == []
    assert ds.OffsetOfTheFirstDirectoryRecordOfTheRootDirectoryEntity == 0


@pytest.mark.parametrize(
    ("relative", "fits"),
    [
        ("IMAGES/IM_00001", True),
        ("A/B/C/D/E/F/G/H", True),
        ("A/B/C/D/E/F/G/H/I", False),
        ("images/im1", False),
        ("IMAGES/IM1.DCM", False),
        ("NINECHARS", False),
    ],
)
def test_file_ids_that_the_standard_allows_are_told_from_others(
    relative: str,
    fits: bool,  # noqa: FBT001 - a parameter of the table above
) -> None:
    assert conforms(relative) is fits
    (record,) = [r for r in listed(build([(relative, {})])) if "ReferencedFileID" in r]
    file_id = record["ReferencedFileID"]
    parts = [file_id.value] if file_id.VM == 1 else list(file_id.value)
    assert "/".join(parts) == relative


def test_memory_is_about_twice_the_result_for_many_records() -> None:
    def many() -> Any:
        for number in range(20_000):
            yield (
                f"P{number // 2000}/S{number // 100}/I{number}",
                {
                    "PatientID": f"P{number // 2000}",
                    "StudyInstanceUID": f"2.25.{number // 1000}",
                    "SeriesInstanceUID": f"2.25.9{number // 100}",
                    "SOPInstanceUID": f"2.25.77{number}",
                    "InstanceNumber": str(number),
                },
            )

    tracemalloc.start()
    data = build(many())
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert peak < 6 * len(data)
    assert len(data) < 400 * 20_000

"""``safelight read`` and ``ask``: identity first, then what can be said, and exit codes."""

import io
import json
import os
import zipfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pydicom
import pytest
from click.testing import CliRunner, Result
from fhir.resources.R4B.bundle import Bundle
from PIL import Image
from pydicom import config
from pydicom.data import get_testdata_file

from run_fixtures import NEEDLES, planted, sample
from safelight.cli import main
from safelight.errors import FhirError, SafelightError
from safelight.pipeline.readrun import Wanted, run
from safelight.readers.reading import KindAnswer, ViewKind
from safelight.readers.reading_json import from_json
from safelight.readers.registry import registry
from safelight.readers.view import View
from safelight.reports.sr import structured_report
from safelight.settings import Settings


@pytest.fixture(autouse=True)
def _own_key(tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SAFELIGHT_KEY_FILE", str(tmp_path_factory.mktemp("key") / "key"))
    monkeypatch.setenv("SAFELIGHT_PIXELS", "0")  # writing in pixels is other tests' business


def command(*arguments: str | Path) -> Result:
    return CliRunner().invoke(main, list(map(str, arguments)), catch_exceptions=False)


def documents(*sources: Path, more: tuple[str, ...] = ()) -> dict[str, object]:
    done = command("read", *sources, "--json", *more)
    told = json.loads(done.stdout)
    assert isinstance(told, dict)
    assert told["exit_code"] == done.exit_code
    return told


def picture(path: Path, kind: str) -> Path:
    rows, columns = np.mgrid[:300, :240]
    grey = (127 + 100 * np.sin(rows / 30) * np.cos(columns / 25)).astype(np.uint8)
    Image.fromarray(grey).save(path, kind)
    return path


def bundled() -> Iterator[str]:
    for name in ("CT_small.dcm", "MR_small.dcm", "examples_palette.dcm", "examples_overlay.dcm"):
        path = get_testdata_file(name, download=False)
        if isinstance(path, str):
            yield path


@pytest.mark.parametrize("path", list(bundled()), ids=os.path.basename)
def test_bundled_images_are_read_or_it_is_said_why_not(path: str) -> None:
    done = command("read", path)
    assert done.exit_code in {0, 1}
    if done.exit_code == 0:
        assert "This looks like" in done.output or "was not recognised" in done.output
        assert "This is not a diagnosis" in done.output
    for word in ("normal", "healthy"):
        assert word not in done.output.lower()


@pytest.mark.parametrize("kind", ["PNG", "JPEG"])
def test_exports_are_read(tmp_path: Path, kind: str) -> None:
    told = documents(picture(tmp_path / f"film.{kind.lower()}", kind))
    (one,) = told["inputs"]  # type: ignore[misc]  # a list, as printed
    reading = from_json(one["reading"])
    assert one["status"] == "read"
    assert one["images"] == 1
    assert reading.kind.kind in {None, *ViewKind}
    assert all(each.reader for each in reading.findings)


def test_the_identity_is_off_in_everything_that_is_printed_and_written(tmp_path: Path) -> None:
    source = planted(tmp_path / "in", 2)
    ends = {"report": "html", "pdf": "pdf", "sr": "dcm", "sc": "dcm", "fhir": "json"}
    files = {name: tmp_path / f"out-{name}.{end}" for name, end in ends.items()}
    options = [part for name, path in files.items() for part in (f"--{name}", str(path))]
    told = command("read", source, "--json", "--clinician", *options)
    assert told.exit_code == 0
    written = [path for path in tmp_path.glob("out-*") if path.is_file()]
    assert len(written) == 2 + 3 * 2  # page and PDF once, the others for each person
    everything = told.stdout.encode() + b"".join(path.read_bytes() for path in written)
    for needle in NEEDLES:
        assert needle.encode() not in everything
        assert needle.encode("utf-16-le") not in everything
    for path in tmp_path.glob("out-sr*.dcm"):
        assert pydicom.dcmread(path).PatientID.startswith("SL")
    for path in tmp_path.glob("out-fhir*.json"):
        Bundle.model_validate_json(path.read_bytes())
    assert not list(tmp_path.rglob(".safelight-*"))


def several(folder: Path, **changes: dict[str, Any]) -> Path:
    """Write a CT image for each name, of a person each, with changes to its header."""
    folder.mkdir()
    for at, (name, change) in enumerate(sorted(changes.items()), 1):
        data = sample()
        for keyword in ("SOPInstanceUID", "StudyInstanceUID", "SeriesInstanceUID"):
            setattr(data, keyword, f"1.2.826.0.9.{len(keyword)}.{at}")
        data.file_meta.MediaStorageSOPInstanceUID = data.SOPInstanceUID
        data.PatientID = f"MRN55501{at}"
        with config.disable_value_validation():
            for keyword, value in change.items():
                setattr(data, keyword, value)
            data.save_as(folder / f"{name}.dcm")
    return folder


def test_headers_that_break_the_standard_hold_up_no_report(tmp_path: Path) -> None:
    odd = {"PatientSex": "MALE", "StudyTime": "14:04:38"}
    source = several(tmp_path / "in", a={}, b=odd, c={"StudyTime": "99"})
    for name in ("sr", "sc"):
        done = command("read", source, "--every", "--json", f"--{name}", tmp_path / f"{name}.dcm")
        assert done.exit_code == 0
        assert {each["status"] for each in json.loads(done.stdout)["inputs"]} == {"read"}
        good, bad, late = (
            pydicom.dcmread(tmp_path / f"{name}-{number:04d}.dcm") for number in (1, 2, 3)
        )
        assert [each.InstanceNumber for each in (good, bad, late)] == [1, 2, 3]
        assert (bad.PatientSex, bad.StudyTime) == ("", "140438")
        assert late.StudyTime == ""


@pytest.mark.parametrize("fault", [ValueError("no"), FhirError("it cannot be said")])
def test_a_report_that_fails_is_told_and_the_run_goes_on(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, fault: Exception
) -> None:
    source, asked = several(tmp_path / "in", a={}, b={}), []

    def once(*arguments: object, **named: object) -> bytes:
        asked.append(named)
        if len(asked) == 1:
            raise fault
        return made(*arguments, **named)  # type: ignore[arg-type]  # as given

    made = structured_report
    monkeypatch.setattr("safelight.reports.sr.structured_report", once)
    where = ("--sr", str(tmp_path / "sr.dcm"), "--fhir", str(tmp_path / "f.json"))
    done = command("read", source, "--every", "--json", "--workers", "1", *where)
    assert done.exit_code == 1
    first, second = json.loads(done.stdout)["inputs"]
    assert first["status"] == second["status"] == "read"
    assert list(first["not_made"]) == ["sr"]
    assert first["not_made"]["sr"]
    assert "not_made" not in second
    assert (tmp_path / "sr.dcm").exists()
    assert len(list(tmp_path.glob("f-*.json"))) == 2
    asked.clear()
    assert (
        "no sr: " in command("read", source, "--every", "--workers", "1", "--force", *where).output
    )


@pytest.mark.parametrize(
    ("given", "wanted"),
    [
        ("./report", "report-0001"),
        ("dir.v1/report", "dir.v1/report-0001"),
        ("dir.v1/report.json", "dir.v1/report-0001.json"),
        (".hidden", ".hidden-0001"),
    ],
)
def test_numbered_files_lie_where_they_were_asked_for(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, given: str, wanted: str
) -> None:
    source = several(tmp_path / "in", a={}, b={})
    (tmp_path / "dir.v1").mkdir()
    monkeypatch.chdir(tmp_path)
    assert command("read", source, "--every", "--fhir", given).exit_code == 0
    assert (tmp_path / wanted).is_file()
    assert len([each for each in tmp_path.rglob("*-000?*") if each.is_file()]) == 2


def test_one_image_of_a_series_of_slices_is_read_and_says_so(tmp_path: Path) -> None:
    data = sample()
    for number in (3, 1, 5, 2, 4):
        data.SOPInstanceUID = f"1.2.3.{number}"
        data.file_meta.MediaStorageSOPInstanceUID = data.SOPInstanceUID
        data.ImagePositionPatient = [0, 0, 5.0 * number]
        data.InstanceNumber = number
        data.save_as(tmp_path / f"{6 - number}.dcm")
    told = documents(tmp_path)
    inputs = told["inputs"]
    assert isinstance(inputs, list)
    read = [each for each in inputs if each["status"] == "read"]
    assert len(inputs) == 5
    assert [each["input"] for each in read] == [3]  # 3.dcm is the slice at 15 mm
    assert read[0]["images"] == 5
    assert "image 3 of 5 of its series was read" in read[0]["reading"]["notes"][0]
    assert {each["read_as"] for each in inputs if "read_as" in each} == {3}
    every = documents(tmp_path, more=("--every",))["inputs"]
    assert isinstance(every, list)
    assert [each["status"] for each in every] == ["read"] * 5


AXIAL: dict[str, Any] = {"ImageOrientationPatient": [1, 0, 0, 0, 1, 0]}
UPRIGHT: dict[str, Any] = {"ImageOrientationPatient": [1, 0, 0, 0, 0, -1]}


@pytest.mark.parametrize(
    "change",
    [
        {"StudyInstanceUID": "1.2.3.77", "PatientID": "OTHER", "PatientName": "ROE^OTTO"},
        {"StudyInstanceUID": "1.2.3.78"},
        {"ImageType": ["ORIGINAL", "PRIMARY", "LOCALIZER"]},
        {"Modality": "MR", "SOPClassUID": "1.2.840.10008.5.1.4.1.1.4"},
        UPRIGHT,
    ],
)
def test_slices_of_other_people_or_that_lie_otherwise_are_read_for_themselves(
    tmp_path: Path, change: dict[str, Any]
) -> None:
    alike = AXIAL | {"SeriesInstanceUID": "1.2.3.5", "StudyInstanceUID": "1.2.3", "PatientID": "A"}
    source = several(tmp_path / "in", a=alike, b=alike, c=alike | change, d=alike | change)
    inputs = documents(source, more=("--workers", "1"))["inputs"]
    assert isinstance(inputs, list)
    assert [each["status"] for each in inputs] == ["same series", "read"] * 2
    assert [each.get("read_as") for each in inputs] == [2, None, 4, None]
    assert [each["images"] for each in inputs if each["status"] == "read"] == [2, 2]


def test_images_without_a_series_are_read_one_by_one(tmp_path: Path) -> None:
    bare = {"SeriesInstanceUID": "", "StudyInstanceUID": "1.2.3", "PatientID": "A"}
    source = several(tmp_path / "in", **dict.fromkeys("abcdefghijkl", bare))
    inputs = documents(source, more=("--workers", "1"))["inputs"]
    assert isinstance(inputs, list)
    assert [each["status"] for each in inputs] == ["read"] * 12


def test_what_is_not_handled_is_listed_with_its_reason(tmp_path: Path) -> None:
    (tmp_path / "notes.xyz").write_bytes(b"\x00\x01 ROE JANE nothing")
    picture(tmp_path / "film.png", "PNG")
    (tmp_path / "broken.dcm").write_bytes(b"\0" * 128 + b"DICM" + b"\xff" * 40)
    done = command("read", tmp_path)
    assert done.exit_code == 3
    assert done.output.count("quarantine: ") == 2
    assert "ROE" not in done.output
    assert "This is not a diagnosis" in done.output


def test_members_of_archives_are_read(tmp_path: Path) -> None:
    path = picture(tmp_path / "film.png", "PNG")
    archive = tmp_path / "films.zip"
    with zipfile.ZipFile(archive, "w") as file:
        file.write(path, "a/film.png")
        file.write(path, "b/film.png")
    inputs = documents(archive)["inputs"]
    assert isinstance(inputs, list)
    assert [each["status"] for each in inputs] == ["read", "read"]


def test_workers_read_the_same(tmp_path: Path) -> None:
    source = planted(tmp_path / "in", 4)
    one = documents(source)
    two = documents(source, more=("--workers", "2"))
    assert one == two


def test_a_report_is_never_written_over_what_is_read(tmp_path: Path) -> None:
    path = picture(tmp_path / "film.png", "PNG")
    before = path.read_bytes()
    for target in (path, tmp_path / "new.html"):
        assert command("read", tmp_path, "--report", target).exit_code == 2
    assert command("read", path, "--report", path).exit_code == 2
    assert path.read_bytes() == before
    same = str(tmp_path / "x")
    assert command("read", path, "--report", same, "--pdf", same).exit_code == 2


def test_a_report_that_cannot_be_written_ends_with_a_sentence(tmp_path: Path) -> None:
    path = picture(tmp_path / "film.png", "PNG")
    done = command("read", path, "--report", tmp_path / "no" / "folder" / "x.html")
    assert done.exit_code == 4
    assert "the folder of this file is not there" in done.output


def test_a_report_that_is_there_is_kept_unless_it_is_forced(tmp_path: Path) -> None:
    path, report = picture(tmp_path / "film.png", "PNG"), tmp_path / "reading.html"
    assert command("read", path, "--report", report).exit_code == 0
    first = report.read_bytes()
    report.write_bytes(b"a scan beside the one that is read")
    refused = command("read", path, "--report", report)
    assert refused.exit_code == 4
    assert "--force" in refused.output
    assert str(report) in refused.output
    assert report.read_bytes() == b"a scan beside the one that is read"
    assert command("read", path, "--report", report, "--force").exit_code == 0
    assert report.read_bytes() == first
    assert command("read", path, "--report", path, "--force").exit_code == 2


def test_numbered_reports_write_over_nothing(tmp_path: Path) -> None:
    source = planted(tmp_path / "in", 2)
    there = tmp_path / "out-0002.dcm"
    there.write_bytes(b"precious")
    more = ("--sr", tmp_path / "out.dcm", "--every")
    assert command("read", source, *more).exit_code == 4
    assert there.read_bytes() == b"precious"
    assert not (tmp_path / "out-0001.dcm").exists()


def test_a_run_that_is_asked_to_stop_says_so(tmp_path: Path) -> None:
    class Impatient:
        def stage(self, name: str, total: int) -> None:
            """Ignore it."""

        def advance(self, begun: int) -> bool:
            return begun >= 1

    source = planted(tmp_path / "in", 4)
    settings = Settings(key_file=str(tmp_path / "key"), pixels=False)
    done = run([str(source)], settings, Wanted(), Impatient())
    assert not done.finished
    assert done.exit_code == 4


def test_a_reader_speaks_of_its_own_kind_of_picture_and_of_no_other(tmp_path: Path) -> None:
    """A chest film is never given a spine finding, whatever readers there are."""
    view = _view(picture(tmp_path / "film.png", "PNG"))
    for kind in (None, *ViewKind):
        answer = KindAnswer(kind=kind, by_header=None, by_pixels=kind, distance=0.5, why="")
        for finding in registry().read(view, answer):
            assert registry().named(finding.reader).kind is kind


def _view(path: Path) -> View:
    from safelight.api import _engine, _settings  # noqa: PLC0415  # the way of the house
    from safelight.api import _Pixels as Pixels  # noqa: PLC0415  # as above
    from safelight.pipeline.inspect import from_bytes  # noqa: PLC0415  # as above

    engine = _engine(_settings(None, None, None, None, Pixels(look=False)))
    return View.of(from_bytes(path.read_bytes(), engine))


def test_questions_about_what_was_read(tmp_path: Path) -> None:
    out = tmp_path / "reading.json"
    out.write_text(command("read", picture(tmp_path / "film.png", "PNG"), "--json").stdout)
    done = command("ask", "What is this picture?", "--reading", out)
    assert done.exit_code == 0
    assert "[image.kind]" in done.output
    told = json.loads(command("ask", "is it cancer", "--reading", out, "--json").stdout)
    assert told["intent"] == "diagnosis"
    assert told["sentences"][0]["facts"] == ["house.not-a-diagnosis"]
    assert "You can ask:" in command("ask", "--reading", out).output
    assert command("ask", "x", "--reading", out, "--input", "9").exit_code == 2


def test_questions_without_a_picture_and_about_labs(tmp_path: Path) -> None:
    assert "No picture was read" in command("ask", "What was found?").output
    labs = tmp_path / "labs.csv"
    labs.write_text("test,value,unit,range\nPotassium,5.9,mmol/L,3.5-5.1\n")
    done = command("ask", "Which results are out of range?", "--labs", labs)
    several = tmp_path / "several.csv"
    rows = "Ann Li,Potassium,5.9,mmol/L,3.5-5.1\nBob Xu,Potassium,4.9,mmol/L,3.5-5.1\n"
    several.write_text("Patient Name,test,value,unit,range\n" + rows)
    assert command("ask", "What are my results?", "--labs", several).exit_code == 2
    assert "Potassium is 5.9 mmol/L, above" in done.output


@pytest.mark.parametrize("content", [b"", b"[]", b"{}", b'{"format": "safelight-readings"}'])
def test_a_file_that_is_no_reading_is_refused(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "reading.json"
    path.write_bytes(content)
    done = command("ask", "What was found?", "--reading", path)
    assert done.exit_code in {2, 4}
    assert "Traceback" not in done.output


def test_what_a_decoder_cannot_read_is_said_and_not_raised(tmp_path: Path) -> None:
    data = sample()
    data.PixelData = data.PixelData[:100]
    out = io.BytesIO()
    data.save_as(out)
    path = tmp_path / "cut.dcm"
    path.write_bytes(out.getvalue())
    done = command("read", path)
    assert done.exit_code in {0, 1, 3}
    assert not isinstance(done.exception, SafelightError)

"""The corpus generator and its scorer: what they catch, shown on faults made on purpose."""

import base64
import copy
import datetime as dt
import hashlib
import io
import json
import shutil
import warnings
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pydicom
import pytest

from corpus.bad_base import file
from corpus.hostile import MARKER, judge
from corpus.hostile import write as write_hostile
from corpus.kinds import names
from corpus.make import make
from corpus.people import make_people
from corpus.score import Score, score, search_folder

SEED, PEOPLE, FILES = 3, 3, 24
_UIDS = (
    ("sop_uid", "SOPInstanceUID"),
    ("study_uid", "StudyInstanceUID"),
    ("series_uid", "SeriesInstanceUID"),
)


@pytest.fixture(scope="module")
def planted(tmp_path_factory: pytest.TempPathFactory) -> tuple[dict[str, Any], Path]:
    folder = tmp_path_factory.mktemp("corpus") / "in"
    return make(folder, seed=SEED, people=PEOPLE, files=FILES), folder


def _ideal(key: dict[str, Any], target: Path) -> None:
    """Write what a perfect tool would leave of the elements that relations are checked on."""
    for number, entry in enumerate(key["files"], 1):
        out = pydicom.Dataset()
        out.SOPClassUID, out.InstanceNumber = "1.2.840.10008.5.1.4.1.1.7", number
        out.PatientID = f"P{entry['person']}"
        for one in entry["moments"]:
            if one["time"]:
                day = dt.date.fromisoformat(one["value"][:8]) - dt.timedelta(days=700)
                out.add_new(int(one["date"], 16), "DA", day.strftime("%Y%m%d"))
                out.add_new(int(one["time"], 16), "TM", one["value"][8:])
        for name, keyword in _UIDS:
            digest = hashlib.blake2b(entry[name].encode(), digest_size=8).digest()
            setattr(out, keyword, f"2.25.{int.from_bytes(digest)}")
        _save(out, target / f"{number:03d}.dcm")


def _save(ds: pydicom.Dataset, path: Path) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    ds.file_meta = pydicom.dataset.FileMetaDataset()
    ds.file_meta.TransferSyntaxUID = "1.2.840.10008.1.2.1"
    ds.file_meta.MediaStorageSOPClassUID = ds.get("SOPClassUID", "1.2.3")
    ds.file_meta.MediaStorageSOPInstanceUID = ds.SOPInstanceUID
    ds.save_as(path, enforce_file_format=True)


def _edited(
    planted: tuple[dict[str, Any], Path],
    tmp_path: Path,
    edit: Callable[[int, pydicom.Dataset], None],
) -> Score:
    """Score ideal outputs after ``edit`` was done to each."""
    key, source = planted
    _ideal(key, tmp_path)
    for number, path in enumerate(sorted(tmp_path.glob("*.dcm"))):
        ds = pydicom.dcmread(path)
        edit(number, ds)
        _save(ds, path)
    return score(key, source, tmp_path)


def test_same_seed_gives_same_bytes_and_key(
    planted: tuple[dict[str, Any], Path], tmp_path: Path
) -> None:
    key, folder = planted
    again = make(tmp_path / "again", seed=SEED, people=PEOPLE, files=FILES)
    assert again == key
    for entry in key["files"]:
        assert (tmp_path / "again" / entry["path"]).read_bytes() == (
            folder / entry["path"]
        ).read_bytes()


def test_another_seed_gives_other_needles(
    planted: tuple[dict[str, Any], Path], tmp_path: Path
) -> None:
    other = make(tmp_path / "other", seed=SEED + 1, people=PEOPLE, files=3)
    mine = {n["text"] for entry in planted[0]["files"] for n in entry["needles"]}
    theirs = {
        n["text"]
        for n in other["files"][0]["needles"]
        if n["how"] == "text" and n["text"].isalpha()
    }
    common = {
        text for text in theirs & mine if text not in {p.family for p in make_people(SEED, PEOPLE)}
    }
    assert not {text for text in common if text.isascii() and len(text) > 9} - {
        word for p in make_people(SEED + 1, PEOPLE) for word in (p.family, p.given)
    }


def test_there_are_at_least_150_kinds_and_names_are_unique() -> None:
    found = names()
    assert len(found) >= 150
    assert len(found) == len(set(found))


def test_every_file_has_many_needles_and_at_least_15_useful_elements(
    planted: tuple[dict[str, Any], Path],
) -> None:
    for entry in planted[0]["files"]:
        assert len(entry["needles"]) >= 60, entry["path"]
        document = entry["base"] in {"pdf", "cda"}
        assert len(entry["useful"]) >= (8 if document else 15), entry["path"]


def test_key_lies_beside_the_corpus_not_in_it(planted: tuple[dict[str, Any], Path]) -> None:
    _, folder = planted
    assert Path(f"{folder}.key.json").exists()
    assert not list(folder.rglob("*.json"))


def test_untouched_input_is_all_left(planted: tuple[dict[str, Any], Path]) -> None:
    key, folder = planted
    result = score(key, folder, folder)
    # which of two plants of one word is seen in undecodable bytes cannot be told
    blurred = {"hard.utf-8-under-other-charset"}
    missed = {k: v for k, v in result.planted.items() if result.left[k] == 0}.keys() - blurred
    assert not missed
    assert sum(result.left.values()) >= 0.98 * sum(result.planted.values())
    assert result.useful_kept >= 0.97 * result.useful_total
    assert result.relations["references_good"] == result.relations["references_total"]
    assert result.relations["intervals_good"] == 0  # nothing moved, so nothing is hidden


def test_emptied_output_leaves_nothing_but_loses_what_is_useful(
    planted: tuple[dict[str, Any], Path], tmp_path: Path
) -> None:
    result = _edited(planted, tmp_path, lambda _n, _ds: None)
    assert sum(result.left.values()) == 0
    assert not result.side_leaks
    assert result.useful_kept < 0.3 * result.useful_total
    assert result.descriptors_kept == 0


def test_ideal_relations_are_all_good(planted: tuple[dict[str, Any], Path], tmp_path: Path) -> None:
    rel = _edited(planted, tmp_path, lambda _n, _ds: None).relations
    assert rel["people_good"] == rel["people_total"] == PEOPLE
    assert rel["intervals_good"] >= 0.9 * rel["intervals_total"] > 0
    assert rel["uid_faults"] == []


def _leak_word(word: str) -> Callable[[int, pydicom.Dataset], None]:
    def edit(number: int, ds: pydicom.Dataset) -> None:
        if number == 2:
            ds.ImageComments = f"seen {word} today"

    return edit


@pytest.mark.parametrize(
    "turn",
    [
        str,
        str.upper,
        " ".join,
        lambda w: base64.b64encode(f"see {w} here".encode()).decode(),
        lambda w: f"&#{ord(w[0])};{w[1:]}",
    ],
    ids=["plain", "upper", "spaced", "base64", "entity"],
)
def test_one_leaked_word_is_found(
    planted: tuple[dict[str, Any], Path], tmp_path: Path, turn: Callable[[str], str]
) -> None:
    key, _ = planted
    word = next(
        n["text"] for n in key["files"][2]["needles"] if n["kind"] == "attribute.InstitutionName"
    )
    result = _edited(planted, tmp_path, _leak_word(turn(word)))
    assert sum(result.left.values()) >= 1


def test_leak_in_utf_16_in_a_deflated_file_and_in_a_file_name_is_found(
    planted: tuple[dict[str, Any], Path], tmp_path: Path
) -> None:
    key, _ = planted
    word = next(
        n["text"] for n in key["files"][0]["needles"] if n["kind"] == "attribute.InstitutionName"
    )
    ds = pydicom.Dataset()
    ds.SOPInstanceUID, ds.SOPClassUID = "2.25.1", "1.2.840.10008.5.1.4.1.1.7"
    ds.add_new(0x00091001, "UN", word.encode("utf-16-be"))
    ds.file_meta = pydicom.dataset.FileMetaDataset()
    ds.file_meta.TransferSyntaxUID = "1.2.840.10008.1.2.1.99"
    ds.file_meta.MediaStorageSOPClassUID, ds.file_meta.MediaStorageSOPInstanceUID = (
        ds.SOPClassUID,
        "2.25.1",
    )
    ds.save_as(tmp_path / "deflated.dcm", enforce_file_format=True)
    assert word.encode() not in (tmp_path / "deflated.dcm").read_bytes()
    (tmp_path / f"{word.lower()}.txt").write_text("nothing")
    found = search_folder(key, tmp_path)
    assert {hit["file"] for hit in found} == {"deflated.dcm", f"{word.lower()}.txt"}


def test_merged_people_are_reported(planted: tuple[dict[str, Any], Path], tmp_path: Path) -> None:
    def edit(_number: int, ds: pydicom.Dataset) -> None:
        ds.PatientID = "ANON"

    rel = _edited(planted, tmp_path, edit).relations
    assert rel["people_good"] == 0
    assert rel["people_merged"] == 1


def test_split_person_is_reported(planted: tuple[dict[str, Any], Path], tmp_path: Path) -> None:
    def edit(number: int, ds: pydicom.Dataset) -> None:
        if number == 0:
            ds.PatientID = "SOMEONE ELSE"

    rel = _edited(planted, tmp_path, edit).relations
    assert rel["people_split"] == 1


def test_one_day_off_is_an_inexact_interval(
    planted: tuple[dict[str, Any], Path], tmp_path: Path
) -> None:
    good = _edited(planted, tmp_path / "a", lambda _n, _ds: None).relations["intervals_good"]

    def edit(number: int, ds: pydicom.Dataset) -> None:
        if number == 0:
            ds.StudyDate = str(int(ds.StudyDate) + 1)

    assert _edited(planted, tmp_path / "b", edit).relations["intervals_good"] == good - 1


def test_broken_reference_is_reported(tmp_path: Path) -> None:
    key = make(tmp_path / "in", seed=SEED, people=1, files=48)
    holder = next(f for f in key["files"] if f["references"])
    path = tmp_path / "in" / holder["path"]
    before = score(key, tmp_path / "in", tmp_path / "in").relations
    target = holder["references"][0]["target"].encode()
    path.write_bytes(
        path.read_bytes().replace(
            target, target[:-1] + b"0" if target[-1:] != b"0" else target[:-1] + b"1"
        )
    )
    after = score(key, tmp_path / "in", tmp_path / "in").relations
    assert before["references_good"] == before["references_total"] > 0
    assert after["references_good"] < before["references_good"]


def test_lost_useful_element_and_lost_word_are_counted(
    planted: tuple[dict[str, Any], Path], tmp_path: Path
) -> None:
    key, source = planted
    shutil.copytree(source, tmp_path / "out")
    before = score(key, source, tmp_path / "out")
    entry = next(f for f in key["files"] if f["base"] == "ct" and not f["odd"])
    path = tmp_path / "out" / entry["path"]
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        ds = pydicom.dcmread(io.BytesIO(path.read_bytes()), force=True)
        del ds.KVP
        ds.StudyDescription = "REMOVED"
        ds.save_as(path)
    after = score(key, source, tmp_path / "out")
    assert after.useful_lost["00180060"] == before.useful_lost["00180060"] + 1
    assert len(after.descriptors_lost) == len(before.descriptors_lost) + 1


def test_missing_file_counts_as_lost_not_as_clean(
    planted: tuple[dict[str, Any], Path], tmp_path: Path
) -> None:
    key, source = planted
    result = score(key, source, tmp_path)
    assert result.written == 0
    assert len(result.missing) + result.withheld == FILES
    assert result.useful_kept == 0 < result.useful_total


def test_judge_reports_marker_missing_output_and_what_should_be_withheld(tmp_path: Path) -> None:
    cases = write_hostile(tmp_path / "bad", small=True)
    assert len({case.path for case in cases}) == len(cases) >= 150
    output = tmp_path / "out"
    output.mkdir()
    (output / "polyglot-mz.dcm").write_bytes((tmp_path / "bad" / "polyglot-mz.dcm").read_bytes())
    number = next(c.number for c in cases if c.path == "zeros.dcm")
    (output / "x.dcm").write_bytes(file().replace(b"@@NUM@@", f"{number:07d}".encode()))
    wrong = judge(tmp_path / "bad", output)
    assert "polyglot-mz.dcm: the marker is in the output" in wrong
    assert "zeros.dcm: came out though it must be withheld" in wrong
    assert "polyglot-elf.dcm: nothing came out" in wrong


def test_hostile_markers_are_really_there(tmp_path: Path) -> None:
    write_hostile(tmp_path / "bad", small=True)
    hidden = {"smuggled-private-utf-16.dcm"}
    for path in (tmp_path / "bad").glob("smuggled-*.dcm"):
        assert MARKER.encode() in path.read_bytes() or path.name in hidden, path.name


def test_key_is_plain_json(planted: tuple[dict[str, Any], Path]) -> None:
    key, folder = planted
    assert json.loads(Path(f"{folder}.key.json").read_text()) == json.loads(
        json.dumps(copy.deepcopy(key))
    )

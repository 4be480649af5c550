"""Names, groups, safe writing and the ledger, each by itself."""

import errno
import os
import re
import resource
from pathlib import Path

import pytest
from blake3 import blake3
from hypothesis import given
from hypothesis import strategies as st

from safelight.deid.pseudonyms import ProjectKey
from safelight.errors import NeedsReviewError, OutputError, QuarantineError, UnreadableInputError
from safelight.pipeline.job import unexpected
from safelight.pipeline.ledger import (
    NO_STATE,
    Head,
    Ledger,
    Shard,
    check_mac,
    own_line,
    read_head,
    refused_line,
)
from safelight.pipeline.names import Namer, claim, is_counter, split
from safelight.pipeline.plan import Sight, UnionFind, make_plan, make_tasks
from safelight.pipeline.problem import Problem
from safelight.pipeline.store import Store, failed, remove_leftovers
from safelight.types import FileSlice, Kind, Status

SAFE = {"chest", "series", "T1w", "CT"}


def namer(key: ProjectKey) -> Namer:
    return Namer(
        unchanged=lambda text: text in SAFE or is_counter(text) or len(text) < 5,
        spans=lambda text: [match.span() for match in re.finditer("44/?71/?90/?28", text)],
        code=lambda text, length: key.code("name", text, length),
        uid=key.uid,
    )


@pytest.mark.parametrize(
    ("name", "kind", "parts"),
    [
        ("IM1.dcm", Kind.DICOM, ("IM1", ".dcm")),
        ("IM1.DCM", Kind.DICOM, ("IM1", ".dcm")),
        ("IM1", Kind.DICOM, ("IM1", "")),
        ("scan.txt", Kind.DICOM, ("scan", ".dcm")),
        ("1.2.840.1", Kind.DICOM, ("1.2.840.1", "")),
        ("a.nii.gz", Kind.NIFTI_GZ, ("a", ".nii.gz")),
        ("a.nii", Kind.NIFTI, ("a", ".nii")),
        ("photo.dcm", Kind.JPEG, ("photo", ".jpg")),
        ("photo.JPEG", Kind.JPEG, ("photo", ".jpeg")),
        ("Jane.Roe", Kind.PDF, ("Jane.Roe", ".pdf")),
        (".dcm", Kind.DICOM, (".dcm", "")),
    ],
)
def test_an_extension_tells_the_kind(name: str, kind: Kind, parts: tuple[str, str]) -> None:
    assert split(name, kind) == parts


def test_names_stay_only_where_they_say_nothing(key: ProjectKey) -> None:
    names = namer(key)
    assert names.name("chest/series/IM0001.dcm", Kind.DICOM) == "chest/series/IM0001.dcm"
    told = names.name("Roe Jane 1953/chest/letter.pdf", Kind.PDF)
    person, folder, file = told.split("/")
    assert (folder, file[-4:]) == ("chest", ".pdf")
    assert person == key.code("name", "Roe Jane 1953")
    assert "letter" not in told


def test_a_number_that_is_cut_into_folders_is_coded(key: ProjectKey) -> None:
    names = namer(key)
    coded = names.name("chest/44/71/90/28/IM1", Kind.DICOM).split("/")
    assert (coded[0], coded[-1]) == ("chest", "IM1")
    assert coded[1:5] == [key.code("name", part) for part in ("44", "71", "90", "28")]
    assert "9028" not in names.name("chest/4471/9028.dcm", Kind.DICOM)
    assert names.name("44/71/91/28/IM1", Kind.DICOM) == "44/71/91/28/IM1"


def test_a_uid_in_a_name_becomes_its_pseudonym(key: ProjectKey) -> None:
    uid = "1.2.826.0.1.3680043.8.498.1"
    assert namer(key).name(f"{uid}.dcm", Kind.DICOM) == f"{key.uid(uid)}.dcm"
    assert namer(key).name(f"CT.{uid}", Kind.DICOM) == f"CT.{key.uid(uid)}"


@pytest.mark.parametrize("name", ["..", ".", "_safelight", "=cmd()", "a\nb", "x" * 300, " ", "a/"])
def test_a_hostile_component_becomes_a_code(key: ProjectKey, name: str) -> None:
    told = namer(key).name(f"{name}/{name}.dcm".replace("a/", "a"), Kind.DICOM)
    assert all(part.removesuffix(".dcm").isalnum() for part in told.split("/"))


def test_an_archive_becomes_a_folder_that_no_file_can_claim(key: ProjectKey) -> None:
    told = namer(key).name("chest.zip!/series/IM1.dcm", Kind.DICOM)
    assert told.split("/")[0].endswith(".d")
    assert told.endswith("/series/IM1.dcm")


@pytest.mark.parametrize("name", ["IM0001", "SE3", "0007", "IM-0001-0002", "PA000001", "slice_12"])
def test_counters_are_kept(name: str) -> None:
    assert is_counter(name)


@pytest.mark.parametrize(
    "name", ["20240105", "1953", "2024-01-05", "12-05-61", "CT_1953", "12345678", "ROE1", "IM1a"]
)
def test_dates_and_long_numbers_are_no_counters(name: str) -> None:
    assert not is_counter(name)


def test_names_that_differ_in_case_only_are_one_claim() -> None:
    assert claim("a/IM1.dcm", Kind.DICOM) == claim("A/im1.DCM", Kind.DICOM)
    assert claim("a/s.json", Kind.SIDECAR) != claim("a/s.nii.gz", Kind.NIFTI_GZ)


def test_a_name_known_in_one_study_is_known_in_all_of_the_person() -> None:
    sights = {
        0: Sight(Kind.DICOM, 0, ("pA", "s1")),
        1: Sight(Kind.DICOM, 1, ("s1",)),
        2: Sight(Kind.DICOM, 2, ("pA", "s2")),
        3: Sight(Kind.DICOM, 3, ("pB", "s3")),
    }
    plan = make_plan([f"f/{n}" for n in range(4)], sights)
    assert [group.inputs for group in plan.groups] == [[0, 1, 2], [3]]
    assert [group.evidence for group in plan.groups] == [[0, 1, 2], [3]]


def test_a_photo_goes_with_the_people_of_its_folder() -> None:
    relatives = ["jane/CT/1", "jane/photo", "both/1", "both/2", "both/photo", "photo"]
    sights = {
        0: Sight(Kind.DICOM, 0, ("pA",)),
        1: Sight(Kind.JPEG),
        2: Sight(Kind.DICOM, 1, ("pB",)),
        3: Sight(Kind.DICOM, 2, ("pC",)),
        4: Sight(Kind.JPEG),
        5: Sight(Kind.JPEG),
    }
    plan = make_plan(relatives, sights)
    assert plan.group_of[1] == plan.group_of[0]
    assert plan.groups[plan.group_of[4]].evidence == [1, 2]
    assert plan.groups[plan.group_of[5]].evidence == [0, 1, 2]


@given(st.lists(st.tuples(st.integers(0, 20), st.integers(0, 20)), max_size=40))
def test_union_find_agrees_with_a_plain_search(pairs: list[tuple[int, int]]) -> None:
    sets = UnionFind()
    for one, other in pairs:
        sets.join(one, other)
    reach = {n: {n} for n in range(21)}
    for _ in range(21):
        for one, other in pairs:
            both = reach[one] | reach[other]
            for n in both:
                reach[n] = reach[n] | both
    for one in range(21):
        for other in range(21):
            assert (sets.find(one) == sets.find(other)) == (other in reach[one])


@given(st.integers(1, 300), st.integers(1, 8))
def test_tasks_cover_every_input_once(count: int, workers: int) -> None:
    sights = {n: Sight(Kind.DICOM, n, (f"p{n % 7}",)) for n in range(count)}
    tasks = make_tasks(make_plan([str(n) for n in range(count)], sights), workers)
    assert sorted(index for task in tasks for index in task.inputs) == list(range(count))
    assert max(len(task.inputs) for task in tasks) <= 64


@given(st.lists(st.integers(0, 6), min_size=1, max_size=120), st.integers(1, 4))
def test_a_series_that_is_looked_at_stays_in_one_task(series: list[int], workers: int) -> None:
    sights = {
        n: Sight(Kind.DICOM, n, (f"p{each % 2}",), f"1.2.{each}" if each else "")
        for n, each in enumerate(series)
    }
    plan = make_plan([str(n) for n in range(len(series))], sights)
    tasks = make_tasks(plan, workers, whole=True)
    assert sorted(index for task in tasks for index in task.inputs) == list(range(len(series)))
    for wanted in set(series) - {0}:
        holders = [task for task in tasks if any(series[n] == wanted for n in task.inputs)]
        assert len(holders) == 1
        places = [at for at, n in enumerate(holders[0].inputs) if series[n] == wanted]
        assert places == list(range(places[0], places[0] + len(places)))


def test_parts_and_slices_are_written_whole(tmp_path: Path) -> None:
    source = tmp_path / "in"
    source.write_bytes(bytes(range(256)) * 20_000)
    store = Store(str(tmp_path))
    many: list[bytes | memoryview | FileSlice] = [b"x"] * 3000
    parts = [*many, FileSlice(str(source), 100, 5_000_000), memoryview(b"end")]
    size = store.write("a/b/out.dcm", parts)
    written = (tmp_path / "a/b/out.dcm").read_bytes()
    assert written == b"x" * 3000 + source.read_bytes()[100:5_000_000] + b"end"
    assert size == len(written)
    assert [path.name for path in (tmp_path / "a/b").iterdir()] == ["out.dcm"]


def test_an_input_that_shrinks_leaves_no_output(tmp_path: Path) -> None:
    (tmp_path / "in").write_bytes(b"short")
    with pytest.raises(UnreadableInputError):
        Store(str(tmp_path)).write("out/x", [b"head", FileSlice(str(tmp_path / "in"), 0, 50)])
    assert list((tmp_path / "out").iterdir()) == []


def test_an_input_that_changes_after_the_check_leaves_no_output(tmp_path: Path) -> None:
    source = tmp_path / "in"
    source.write_bytes(b"checked")
    parts = [b"head", FileSlice(str(source), 0, 7)]
    checked = blake3(b"headchecked").hexdigest()
    store = Store(str(tmp_path))
    assert store.write("out/x", parts, checked) == 11
    source.write_bytes(b"another")
    with pytest.raises(UnreadableInputError, match="changed"):
        store.write("out/x", parts, checked)
    assert [path.read_bytes() for path in (tmp_path / "out").iterdir()] == [b"headchecked"]


def test_a_link_in_the_output_is_not_followed(tmp_path: Path) -> None:
    (tmp_path / "elsewhere").mkdir()
    (tmp_path / "out").mkdir()
    (tmp_path / "out" / "a").symlink_to(tmp_path / "elsewhere")
    with pytest.raises(OutputError, match="a link or a file"):
        Store(str(tmp_path / "out")).write("a/x", [b"data"])
    assert list((tmp_path / "elsewhere").iterdir()) == []


def test_a_disk_error_says_what_to_do() -> None:
    assert "make room" in failed(OSError(errno.ENOSPC, "x")).todo
    assert "secret" not in repr(failed(OSError(errno.EIO, "x", "/secret/path")))


def test_only_temporary_files_are_leftovers(tmp_path: Path) -> None:
    (tmp_path / "a").mkdir()
    (tmp_path / "a" / ".safelight-3.part").touch()
    (tmp_path / "a" / "kept.part").touch()
    assert remove_leftovers(str(tmp_path)) == 1
    assert [path.name for path in (tmp_path / "a").iterdir()] == ["kept.part"]


def line_of(key: ProjectKey, number: int, output: str = "") -> bytes:
    head = Head(f"{number:016x}", NO_STATE, Status.DONE, Kind.DICOM, output, number, "ab", "")
    return own_line(key, head, {"more": "x" * number})


@given(st.text(max_size=40))
def test_a_line_gives_its_head_back(name: str) -> None:
    key = ProjectKey.generate()
    line = line_of(key, 7, name)
    head = read_head(line)
    assert head is not None
    assert (head.output, head.size, head.kind) == (name, 7, Kind.DICOM)
    assert check_mac(line, key)
    assert not check_mac(line.replace(b'"bytes":7', b'"bytes":8'), key)
    assert not check_mac(line, ProjectKey.generate())


def test_the_ledger_gives_the_latest_line_of_each_input(tmp_path: Path, key: ProjectKey) -> None:
    lines = [line_of(key, n) for n in range(1, 50)]
    (tmp_path / "manifest.jsonl").write_bytes(b"".join(lines[:30]))
    (tmp_path / ".shard-0").write_bytes(b"".join(lines[30:]) + b'{"input":"torn')
    ledger = Ledger(str(tmp_path))
    ledger.load()
    assert (len(ledger), ledger.damaged) == (49, 1)
    shard = Shard(str(tmp_path), 0)
    newer = line_of(key, 5, "newer")
    shard.add(newer)
    (place,) = shard.flush()
    shard.close()
    ledger.add(f"{5:016x}", 0, *place)
    codes = [f"{n:016x}" for n in (5, 1, 2, 40, 41, 3)]
    expected = [newer, lines[0], lines[1], lines[39], lines[40], lines[2]]
    assert list(ledger.lines(codes)) == expected
    assert ledger.line(codes[3]) == lines[39]
    ledger.close()


def test_a_tampered_manifest_removes_nothing_outside(tmp_path: Path, key: ProjectKey) -> None:
    house = tmp_path / "out" / "_safelight"
    house.mkdir(parents=True)
    (tmp_path / "precious").touch()
    (tmp_path / "out" / "old.dcm").touch()
    told = [line_of(key, 1, "../precious"), line_of(key, 2, str(tmp_path / "precious"))]
    (house / "manifest.jsonl").write_bytes(b"".join([*told, line_of(key, 3, "old.dcm")]))
    ledger = Ledger(str(house))
    ledger.load()
    assert ledger.remove_outputs(str(tmp_path / "out"), keep=set()) == 1
    ledger.close()
    assert (tmp_path / "precious").exists()
    assert not (tmp_path / "out" / "old.dcm").exists()


def test_a_problem_holds_no_value_of_an_unexpected_error(key: ProjectKey) -> None:
    try:
        os.path.getsize(b"ROE^JANE".decode() + "\0")
    except ValueError as error:
        told = Problem.of(Kind.DICOM, unexpected(ValueError("ROE^JANE", error)))
    assert "ROE" not in repr(told)
    assert "ValueError" in told.what
    assert b"ROE" not in refused_line(key, "0" * 16, NO_STATE, told)


def test_review_and_quarantine_are_told_apart() -> None:
    assert Problem.of(Kind.PDF, NeedsReviewError("x")).status is Status.REVIEW
    assert Problem.of(Kind.PDF, QuarantineError("x")).status is Status.QUARANTINE


def test_lines_that_could_not_be_stored_are_not_stored_later(
    tmp_path: Path, key: ProjectKey
) -> None:
    shard = Shard(str(tmp_path), 0)
    shard.add(line_of(key, 1))
    shard.flush()
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (shard.size + 10, before[1]))
    try:
        shard.add(line_of(key, 2))
        with pytest.raises(OutputError):
            shard.flush()
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)
    shard.add(line_of(key, 3))
    assert len(shard.flush()) == 1
    shard.close()
    assert (tmp_path / ".shard-0").read_bytes() == line_of(key, 1) + line_of(key, 3)


def test_an_output_that_no_line_names_is_taken_back(tmp_path: Path) -> None:
    store = Store(str(tmp_path))
    store.write("a/kept", [b"1"])
    store.unlisted.clear()
    store.write("a/gone", [b"2"])
    store.take_back()
    assert [path.name for path in (tmp_path / "a").iterdir()] == ["kept"]

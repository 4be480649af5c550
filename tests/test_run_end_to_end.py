"""Whole runs: what comes out, what a re-run does, and what bad input and bad luck do."""

import json
import os
import resource
import shutil
import signal
import subprocess
import time
import zipfile
from pathlib import Path

import pytest

from run_fixtures import COMMAND, PEOPLE, command, do, leaks, outputs, planted, sample
from safelight.errors import KeyFileError, OutputError, SettingsError
from safelight.pipeline.verify import verify_with
from safelight.settings import Settings


def lines(out: Path, name: str = "manifest.jsonl") -> list[dict[str, object]]:
    text = (out / "_safelight" / name).read_text("ascii")
    return [json.loads(line) for line in text.splitlines()]


def test_every_input_ends_in_one_line_and_nothing_is_left(tmp_path: Path, key_file: Path) -> None:
    source = planted(tmp_path / "in", 6)
    (source / "empty.dcm").touch()
    (source / "letter.txt").write_text("Dear Janette Wexfordian")
    summary = do(source, tmp_path / "out", key_file)
    told = lines(tmp_path / "out")
    assert [line["status"] for line in told].count("done") == 6
    assert [line["status"] for line in told].count("quarantine") == 2
    assert len({line["input"] for line in told}) == 8 == summary.inputs
    assert summary.exit_code == 3
    assert len(lines(tmp_path / "out", "quarantine.jsonl")) == 2
    assert leaks(tmp_path / "out") == []


def test_a_second_run_changes_nothing_and_writes_no_output(tmp_path: Path, key_file: Path) -> None:
    source = planted(tmp_path / "in", 4)
    out = tmp_path / "out"
    do(source, out, key_file)
    before = outputs(out)
    times = {path: path.stat().st_mtime_ns for path in out.rglob("*.dcm")}
    again = do(source, out, key_file)
    assert again.tally.skipped == 4
    assert outputs(out) == before
    assert {path: path.stat().st_mtime_ns for path in out.rglob("*.dcm")} == times
    counts = {key: again.data[key] for key in ("done", "rules", "kinds", "bytes_written")}
    forced = do(source, out, key_file, force=True)
    assert forced.tally.skipped == 0
    assert {key: forced.data[key] for key in counts} == counts
    assert outputs(out) == before


def test_the_same_key_elsewhere_gives_the_same_bytes(tmp_path: Path, key_file: Path) -> None:
    source = planted(tmp_path / "in", 4)
    do(source, tmp_path / "one", key_file)
    moved = tmp_path / "safe" / "another.key"
    moved.parent.mkdir()
    shutil.copy2(key_file, moved)
    do(source, tmp_path / "two", moved)
    assert outputs(tmp_path / "one") == outputs(tmp_path / "two")


def test_two_workers_give_the_bytes_of_one(tmp_path: Path, key_file: Path) -> None:
    source = planted(tmp_path / "in", 40)
    (source / "junk.bin").write_bytes(b"\x01junk")
    one = do(source, tmp_path / "one", key_file)
    two = do(source, tmp_path / "two", key_file, workers=2)
    assert outputs(tmp_path / "one") == outputs(tmp_path / "two")
    clocked = {"seconds", "workers"}
    assert {k: v for k, v in one.data.items() if k not in clocked} == {
        k: v for k, v in two.data.items() if k not in clocked
    }


def test_a_changed_input_is_done_again_and_the_others_are_not(
    tmp_path: Path, key_file: Path
) -> None:
    source = planted(tmp_path / "in", 4)
    do(source, tmp_path / "out", key_file)
    changed = next(source.rglob("IM0001.dcm"))
    data = sample()
    data.PatientName, data.PatientID = PEOPLE[1]
    data.StudyInstanceUID = "1.2.826.0.1.2"
    data.save_as(changed)
    assert do(source, tmp_path / "out", key_file).tally.skipped >= 2


def test_an_output_whose_input_went_bad_does_not_stay(tmp_path: Path, key_file: Path) -> None:
    source = planted(tmp_path / "in", 2)
    out = tmp_path / "out"
    do(source, out, key_file)
    assert len(list(out.rglob("*.dcm"))) == 2
    next(source.rglob("IM0000.dcm")).write_bytes(b"")
    assert do(source, out, key_file).exit_code == 3
    assert len(list(out.rglob("*.dcm"))) == 1


@pytest.mark.parametrize("workers", [1, 2])
def test_a_killed_run_resumes_to_the_same_bytes(
    tmp_path: Path, key_file: Path, workers: int
) -> None:
    source = planted(tmp_path / "in", 300)
    arguments = ["deidentify", source, "--key", key_file, "--workers", workers, "-o"]
    out = tmp_path / "out"
    process = subprocess.Popen(
        [*COMMAND, *map(str, arguments), str(out)],
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    while process.poll() is None and len(list(out.rglob("*.dcm"))) < 60:
        time.sleep(0.002)
    process.send_signal(signal.SIGKILL)
    assert process.wait() == -signal.SIGKILL
    assert (out / "_safelight" / ".unfinished").exists()
    resumed = command(*arguments, out, "--json")
    document = json.loads(resumed.stdout)
    assert (resumed.returncode, document["done"], document["finished"]) == (0, 300, True)
    whole = command(*arguments, tmp_path / "whole")
    assert whole.returncode == 0
    assert outputs(out) == outputs(tmp_path / "whole")


def test_leftovers_of_a_killed_run_are_cleaned(tmp_path: Path, key_file: Path) -> None:
    source = planted(tmp_path / "in", 2)
    out = tmp_path / "out"
    do(source, out, key_file)
    (out / "_safelight" / ".unfinished").touch()
    half = next(out.rglob("*.dcm")).parent / ".safelight-1.part"
    half.write_bytes(b"half")
    torn = out / "_safelight" / ".shard-0"
    torn.write_bytes(b'{"input":"0123')
    do(source, out, key_file)
    assert not half.exists()
    assert not torn.exists()
    assert {line["status"] for line in lines(out)} == {"done"}


def test_a_disk_that_takes_no_more_ends_the_run_cleanly(tmp_path: Path, key_file: Path) -> None:
    source = planted(tmp_path / "in", 8)
    big = planted(tmp_path / "more", 1, frames=32)
    shutil.copy2(next(big.rglob("*.dcm")), next(source.rglob("IM0004.dcm")))
    out = tmp_path / "out"

    def small() -> None:
        resource.setrlimit(resource.RLIMIT_FSIZE, (200_000, 200_000))

    failed = command("deidentify", source, "--key", key_file, "-o", out, preexec_fn=small)
    assert failed.returncode == 4
    assert "larger than the system allows" in failed.stderr
    assert "Traceback" not in failed.stderr
    assert list(out.rglob("*.part")) == []
    written = sorted(path.relative_to(out).as_posix() for path in out.rglob("*.dcm"))
    assert written == sorted(str(line["output"]) for line in lines(out))
    assert 0 < len(written) < 8
    resumed = command("deidentify", source, "--key", key_file, "-o", out)
    assert resumed.returncode == 0
    assert len(list(out.rglob("*.dcm"))) == 8
    assert verify_with(str(out), Settings(key_file=str(key_file))).holds


def test_an_input_that_cannot_be_read_is_listed(tmp_path: Path, key_file: Path) -> None:
    source = planted(tmp_path / "in", 1)
    (source / "gone.dcm").symlink_to(tmp_path / "nowhere.dcm")
    os.mkfifo(source / "pipe.dcm")
    summary = do(source, tmp_path / "out", key_file)
    assert summary.exit_code == 3
    reasons = {line["what"] for line in lines(tmp_path / "out", "quarantine.jsonl")}
    assert reasons == {"a link, which is not followed", "not a regular file"}
    memory = do(Path("/proc/self/mem"), tmp_path / "other", key_file)  # opens, then cannot be read
    assert memory.exit_code == 3


@pytest.mark.parametrize("inside", ["in/out", ".", "in"])
def test_an_output_in_a_source_is_refused(tmp_path: Path, key_file: Path, inside: str) -> None:
    source = planted(tmp_path / "in", 1)
    before = sorted(source.rglob("*"))
    with pytest.raises(OutputError, match="lie in each other"):
        do(source, tmp_path / inside, key_file)
    assert sorted(source.rglob("*")) == before


@pytest.mark.parametrize("place", ["in/project.key", "out/project.key", "out/_safelight/k"])
def test_a_key_among_what_is_read_or_handed_on_is_refused(tmp_path: Path, place: str) -> None:
    source = planted(tmp_path / "in", 1)
    with pytest.raises(SettingsError, match="key would lie"):
        do(source, tmp_path / "out", tmp_path / place)
    assert not (tmp_path / "out").exists()
    assert len(list(tmp_path.rglob("*.*"))) == 1


def test_a_key_in_a_folder_that_takes_no_list_is_refused_at_once(
    tmp_path: Path, key_file: Path
) -> None:
    source = planted(tmp_path / "in", 1)
    do(source, tmp_path / "out", key_file)
    (listed,) = key_file.parent.glob("sources-*.csv")
    Path(f"{listed}.new").mkdir()  # what refuses everybody, root as well
    with pytest.raises(KeyFileError, match="beside the project key"):
        do(source, tmp_path / "out", key_file, force=True)


def test_a_folder_of_somebody_else_is_refused(tmp_path: Path, key_file: Path) -> None:
    source = planted(tmp_path / "in", 1)
    out = tmp_path / "out"
    out.mkdir()
    (out / "thesis.docx").touch()
    with pytest.raises(OutputError, match="no run of Safelight"):
        do(source, out, key_file)
    assert [path.name for path in out.iterdir()] == ["thesis.docx"]


def test_an_output_keeps_to_its_key_and_sources(tmp_path: Path, key_file: Path) -> None:
    source = planted(tmp_path / "in", 1)
    other = planted(tmp_path / "other", 1)
    do(source, tmp_path / "out", key_file)
    with pytest.raises(SettingsError, match="another project key"):
        do(source, tmp_path / "out", tmp_path / "second.key")
    with pytest.raises(SettingsError, match="other sources"):
        do(other, tmp_path / "out", key_file)


def test_two_inputs_with_one_name_stay_two_outputs(tmp_path: Path, key_file: Path) -> None:
    source = planted(tmp_path / "in", 1)
    first = next(source.rglob("IM0000.dcm"))
    shutil.copy2(first, first.with_name("im0000.DCM"))
    summary = do(source, tmp_path / "out", key_file)
    names = sorted(path.name.lower() for path in (tmp_path / "out").rglob("*.dcm"))
    assert names == ["im0000-2.dcm", "im0000.dcm"]
    assert summary.data["same_name"] == 1


def test_a_numbered_name_is_nobody_elses_and_no_folders(tmp_path: Path, key_file: Path) -> None:
    scan = next(planted(tmp_path / "one", 1).rglob("IM0000.dcm"))
    source = tmp_path / "in"
    for name in ("a.dcm", "a.txt", "a-2.dcm", "b.txt", "b.dcm/IM1", "c.zip.d/IM1"):
        (source / name).parent.mkdir(parents=True, exist_ok=True)
        shutil.copy2(scan, source / name)
    with zipfile.ZipFile(source / "c.zip", "w") as archive:
        for name in ("IM1", "IM2", "IM2/IM3"):
            archive.write(scan, name)
    summary = do(source, tmp_path / "out", key_file)
    assert summary.exit_code == 0
    written = [path for path in (tmp_path / "out").rglob("*") if path.is_file()]
    assert sum("_safelight" not in path.parts for path in written) == 9
    assert summary.data["same_name"] == 4


def test_members_of_an_archive_become_a_folder(tmp_path: Path, key_file: Path) -> None:
    source = planted(tmp_path / "in", 2)
    packed = tmp_path / "packed"
    packed.mkdir()
    with zipfile.ZipFile(packed / "scan.zip", "w") as archive:
        for path in source.rglob("*.dcm"):
            archive.write(path, path.relative_to(source))
        archive.writestr("../escape.dcm", b"x")
    summary = do(packed, tmp_path / "out", key_file)
    assert summary.inputs == 4  # the archive and its members
    assert len(list((tmp_path / "out").rglob("*.dcm"))) == 2
    assert not (tmp_path / "escape.dcm").exists()
    assert leaks(tmp_path / "out") == []


def test_a_directory_of_a_medium_is_written_anew(tmp_path: Path, key_file: Path) -> None:
    folder = Path(str(sample("dicomdirtests/DICOMDIR").filename)).parent
    source = tmp_path / "cd"
    shutil.copytree(folder / "TINY_ALPHA", source)
    do(source, tmp_path / "out", key_file)
    rebuilt = next((tmp_path / "out").rglob("DICOMDIR")).read_bytes()
    assert rebuilt[128:132] == b"DICM"
    assert rebuilt != (source / "DICOMDIR").read_bytes()
    assert b"CITIZEN" not in rebuilt.upper()

"""The commands init, submit, backup, restore and rotate, as a person types them."""

import json
import os
import zipfile
from pathlib import Path
from typing import Any

import click
import pytest
from click.testing import CliRunner, Result

from consent_fixtures import POLICY
from run_fixtures import NEEDLES, planted
from safelight import cli
from safelight.cli import consenting, custody, policies
from safelight.errors import StoreFullError
from safelight.store import faults
from safelight.tlog import Signer
from safelight.vault import MasterKey

COMMANDS = (
    *(custody.init, custody.submit, custody.backup, custody.restore, custody.rotate),
    *(consenting.people, consenting.withdraw, policies.policy),
)


class Desk:
    """Types commands against one data folder."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.data = folder / "data"
        self.master = folder / "k" / "master.key"
        self.program: click.Group = cli._Main(commands={str(one.name): one for one in COMMANDS})

    def run(self, *words: str | Path, code: int = 0, data: Path | None = None) -> Result:
        places = ["--data", str(data or self.data), "--master-key", str(self.master)]
        given = [str(word) for word in words]
        at = 2 if given[0] == "policy" else 1
        line = [*given[:at], *places, *given[at:]]
        done = CliRunner().invoke(self.program, line)
        assert done.exit_code == code, done.output + str(done.exception)
        return done

    def json(self, *words: str | Path, code: int = 0, data: Path | None = None) -> Any:
        return json.loads(self.run(*words, "--json", code=code, data=data).stdout)

    def ready(self) -> "Desk":
        self.run("init")
        path = self.folder / "policy.json"
        path.write_text(json.dumps(POLICY), encoding="utf-8")
        self.run("policy", "publish", path)
        return self


@pytest.fixture
def desk(tmp_path: Path) -> Desk:
    return Desk(tmp_path)


def traces(folder: Path) -> list[str]:
    """Return the files below a folder that hold a planted value, in whatever case."""
    needles = [each.encode() for each in NEEDLES]
    return [
        str(path)
        for path in folder.rglob("*")
        if path.is_file() and any(each in path.read_bytes().upper() for each in needles)
    ]


def test_from_an_empty_disk_to_a_backup_and_back(desk: Desk, tmp_path: Path) -> None:
    told = desk.run("init").stdout
    assert "keep a copy" in told
    assert desk.json("init")["upgraded"] is False
    desk.ready()
    source = planted(tmp_path / "in", 3)
    told = desk.json("submit", source, "--agree")
    assert (told["new"], told["known"], told["worked_on"]) == (3, 0, 1)
    assert told["submissions"][0]["files"] == {"done": 3}
    assert traces(desk.data) == []
    person = told["person"]
    again = desk.json("submit", source, "--person", person)
    assert (again["new"], again["known"], again["submission"]) == (0, 3, told["submission"])
    assert "new objects" in desk.run("backup", tmp_path / "b").stdout
    assert traces(tmp_path / "b") == []
    told = desk.json("restore", tmp_path / "b", data=tmp_path / "other")
    assert told["people"] == {"active": 1, "erased": 0}
    desk.run("withdraw", person, "--all", "--yes")
    told = desk.json("restore", tmp_path / "b", data=tmp_path / "third")
    assert told["people"] == {"active": 0, "erased": 1}
    assert "erased" in desk.run("submit", source, "--person", person, code=4).output


def test_a_receipt_after_a_restore_tells_which_backups_were_reached(
    desk: Desk, tmp_path: Path
) -> None:
    desk.ready()
    person = desk.json("submit", planted(tmp_path / "in", 1), "--agree")["person"]
    for name in ("b", "drawer"):
        desk.run("backup", tmp_path / name)
    desk.json("restore", tmp_path / "drawer", data=tmp_path / "other")
    (tmp_path / "b").rename(tmp_path / "away")
    told = desk.json("withdraw", person, "--all", "--yes", data=tmp_path / "other")
    assert told["backups_out_of_reach"] == 1
    assert list((tmp_path / "drawer").rglob(f"{person}*")) == []
    assert (tmp_path / "away" / "shares" / person).exists()


def test_the_key_of_another_log_is_refused(desk: Desk, tmp_path: Path) -> None:
    """From the first command on, before anything was signed for anybody."""
    desk.run("init")
    other = str(tmp_path / "other.key")
    Signer.load_or_create(other)
    for line in (["people"], ["people", "add"], ["init"], ["submit"]):
        where = ["--data", str(desk.data), "--master-key", str(desk.master), "--log-key", other]
        told = CliRunner().invoke(desk.program, [*line, *where])
        assert told.exit_code == 4, line
        assert "this is not the key of this log" in told.output
    desk.run("backup", tmp_path / "b")
    where[1] = str(tmp_path / "new")
    told = CliRunner().invoke(desk.program, ["restore", str(tmp_path / "b"), *where])
    assert "this is not the key of this log" in told.output
    assert not (tmp_path / "new").exists()
    for path in (desk.data / "log").iterdir():
        path.unlink()  # the rows still know
    where[1] = str(desk.data)
    assert CliRunner().invoke(desk.program, ["people", *where]).exit_code == 4
    desk.run("people")


def test_an_incomplete_backup_is_told_by_the_exit_code(desk: Desk, tmp_path: Path) -> None:
    desk.ready()
    person = desk.json("submit", planted(tmp_path / "in", 1), "--agree")["person"]
    desk.run("backup", tmp_path / "b")
    right, wrong = desk.master, tmp_path / "w" / "master.key"
    MasterKey.create(str(wrong))
    (tmp_path / "w" / "log.key").write_bytes((right.parent / "log.key").read_bytes())
    (tmp_path / "w" / "log.key").chmod(0o600)
    desk.master = wrong
    told = desk.run("restore", tmp_path / "b", data=tmp_path / "other", code=4)
    assert "not the master key of the snapshot" in told.output
    assert not (tmp_path / "other").exists()
    desk.master = right
    (tmp_path / "b" / "shares" / person).unlink()
    told = desk.run("restore", tmp_path / "b", data=tmp_path / "other", code=3)
    assert f"missing: share of {person}" in told.stderr


@pytest.mark.parametrize("what", ["empty", "links", "archive"])
def test_nobody_is_made_for_nothing(desk: Desk, tmp_path: Path, what: str) -> None:
    desk.ready()
    source = tmp_path / "in"
    source.mkdir()
    if what == "links":
        (source / "link").symlink_to(desk.data)
    if what == "archive":
        zipfile.ZipFile(source / "none.zip", "w").close()
    told = desk.run("submit", source, "--agree", code=4)
    assert "nothing to hand in was found" in told.output
    assert "to do: " in told.output
    assert desk.json("people")["people"] == []


@pytest.mark.parametrize("place", ["submit.announced", "submit.received", "submit.leased"])
@pytest.mark.parametrize("how", [KeyboardInterrupt, StoreFullError])
def test_a_submission_that_was_stopped_goes_on(
    desk: Desk, tmp_path: Path, place: str, how: type[BaseException]
) -> None:
    desk.ready()
    source = planted(tmp_path / "in", 2)
    reached = []

    def stop(name: str) -> None:
        if name == place and not reached:
            reached.append(name)
            raise how("there is no room left")

    with faults.planned(stop):
        told = desk.run("submit", source, "--agree", code=4)
    assert reached
    (person,) = (one["person"] for one in desk.json("people")["people"])
    assert f"person {person}; if this is stopped: " in told.stderr
    assert told.stderr.count(f"safelight submit --person {person} SRC") == 2
    assert "the same command" not in told.stderr
    assert ("submission " in told.stderr) == (place == "submit.leased")
    done = desk.json("submit", source, "--person", person)
    assert done["submissions"][0]["files"] == {"done": 2}
    assert [one["person"] for one in desk.json("people")["people"]] == [person]


def test_what_is_held_back_is_told(desk: Desk, tmp_path: Path) -> None:
    desk.ready()
    (tmp_path / "in").mkdir()
    (tmp_path / "in" / "notes.bin").write_bytes(b"nothing that is known")
    told = desk.run("submit", tmp_path / "in", "--agree", code=3)
    assert "quarantine: file 1" in told.stderr
    (tmp_path / "gone").symlink_to(tmp_path / "in")
    assert desk.run("submit", code=3).stderr.count("quarantine") == 1


def test_without_a_yes_nothing_is_taken_in(desk: Desk, tmp_path: Path) -> None:
    desk.run("init")
    source = planted(tmp_path / "in", 1)
    assert "--agree" in desk.run("submit", source, code=2).output
    assert "no policy" in desk.run("submit", source, "--agree", code=4).output
    desk.ready()
    person = desk.json("submit", source, "--agree", "--later")["person"]
    assert desk.json("people")["people"][0]["person"] == person
    told = desk.run("submit", source, "--person", person, "--purpose", "train-a-model", code=4)
    assert "not allowed" in told.output


def test_a_withdrawal_while_waiting_leaves_nothing(desk: Desk, tmp_path: Path) -> None:
    desk.ready()
    source = planted(tmp_path / "in", 2)
    person = desk.json("submit", source, "--agree", "--later")["person"]
    desk.run("withdraw", person, "--all", "--yes")
    assert desk.json("submit") == {"held": [], "submissions": [], "worked_on": 0}
    assert not (desk.data / "objects" / "p" / person).exists() or not list(
        (desk.data / "objects" / "p" / person).rglob("*.*")
    )


def test_without_init_nothing_is_made(desk: Desk, tmp_path: Path) -> None:
    assert "safelight init" in desk.run("backup", tmp_path / "b", code=4).output
    assert not desk.data.exists()


def test_the_master_key_is_rotated(desk: Desk, tmp_path: Path) -> None:
    desk.ready()
    source = planted(tmp_path / "in", 1)
    person = desk.json("submit", source, "--agree")["person"]
    before = MasterKey.open(str(desk.master)).fingerprint
    told = desk.json("rotate")
    assert told["people"] == 1
    assert MasterKey.open(str(desk.master)).fingerprint == told["master_key"] != before
    assert (tmp_path / "k" / f"master.key.{before}.old").exists()
    assert desk.json("submit", source, "--person", person)["known"] == 1
    os.replace(tmp_path / "k" / f"master.key.{before}.old", desk.master)
    assert "not the master key" in desk.run("submit", code=4).output


@pytest.mark.parametrize("place", ["vault.rotate.wrapped", "vault.rotate.kept", "rotate.kept"])
def test_a_rotation_that_was_stopped_is_finished(desk: Desk, tmp_path: Path, place: str) -> None:
    desk.ready()
    source = planted(tmp_path / "in", 1)
    person = desk.json("submit", source, "--agree")["person"]

    def stop(name: str) -> None:
        if name == place:
            raise KeyboardInterrupt

    with faults.planned(stop):
        desk.run("rotate", code=4)
    if place == "vault.rotate.wrapped":
        assert desk.json("submit", source, "--person", person)["known"] == 1
        desk.run("rotate")
    else:
        assert "not the master key" in desk.run("submit", code=4).output
        assert "finished now" in desk.run("rotate", code=4).output
    assert desk.json("submit", source, "--person", person)["known"] == 1
    assert not desk.master.with_name("master.key.new").exists()


def test_a_key_can_come_from_elsewhere(
    desk: Desk, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    desk.ready()
    text = Path(MasterKey.create(str(tmp_path / "k" / "new.key")).path).read_text("ascii")
    monkeypatch.setenv("VAULT_KEY", text.splitlines()[1])
    assert desk.json("rotate", "--to", "env:VAULT_KEY")["people"] == 0
    desk.master = Path("env:VAULT_KEY")
    done = CliRunner().invoke(
        desk.program,
        ["people", "--data", str(desk.data), "--master-key", "env:VAULT_KEY"]
        + ["--log-key", str(tmp_path / "k" / "log.key")],
    )
    assert done.exit_code == 0, done.output

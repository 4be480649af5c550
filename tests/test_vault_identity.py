"""A database that is lost, empty or another one is told; nothing takes its place."""

import os
import shutil
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path

import pytest
from click.testing import CliRunner, Result
from sqlalchemy import delete, text

from safelight.cli import main
from safelight.errors import StoreError
from safelight.pipeline.house import House, Places
from safelight.store import Store
from safelight.store.schema.vault import objects, people
from safelight.vault import MasterKey, Vault
from safelight.vault.identity import KEY, id_of

Maker = Callable[..., Store]


class Desk:
    """A vault with one person, and the command that works on it."""

    def __init__(self, folder: Path) -> None:
        self.data = folder / "data"
        self.keys = folder / "k"
        self.places = Places(data=str(self.data), master_key=str(self.keys / "master.key"))
        with House.create(self.places) as house:
            self.person = str(house.vault.create_person())
            house.vault.put(self.person, "deidentified", "one", [b"data"])
        for path in self.lying():
            os.utime(path, (0, 0))  # as in a vault that is long in use

    def lying(self) -> set[Path]:
        """Return the files of shares and ciphertext."""
        rooms = (self.data / "objects" / name for name in ("p", "shares"))
        return {path for room in rooms for path in room.rglob("*") if path.is_file()}

    def run(self, *words: str, data: Path | None = None) -> Result:
        """Run a command."""
        where = ["--data", str(data or self.data), "--master-key", str(self.keys / "master.key")]
        return CliRunner().invoke(main, [*words, *where])

    def lose(self) -> None:
        """Take the database away."""
        for path in self.data.glob("safelight.db*"):
            path.unlink()


@pytest.fixture
def desk(tmp_path: Path) -> Desk:
    return Desk(tmp_path)


def tree(folder: Path) -> set[str]:
    return {str(path.relative_to(folder)) for path in folder.rglob("*")}


@pytest.mark.parametrize("command", ["people", "retention", "init"])
@pytest.mark.parametrize("empty", [False, True], ids=["lost", "empty"])
def test_a_lost_database_is_not_replaced(desk: Desk, command: str, *, empty: bool) -> None:
    desk.lose()
    if empty:
        (desk.data / "safelight.db").touch()
    before = tree(desk.data) - {"safelight.db"}
    told = desk.run(command)
    assert told.exit_code == 4
    assert "while objects of a vault lie beside it" in told.output
    assert "put the database back" in told.output
    assert {name for name in tree(desk.data) if not name.startswith("safelight.db")} == before
    assert (desk.data / "safelight.db").exists() == (empty or command == "init")
    assert len(desk.lying()) == 2


def test_looking_at_the_log_makes_nothing(desk: Desk, tmp_path: Path) -> None:
    (tmp_path / "empty").mkdir()
    for folder in (tmp_path / "empty", desk.data):
        desk.lose()
        words = ["log", "verify", "--data", str(folder), "--log-key", str(desk.keys / "log.key")]
        told = CliRunner().invoke(main, words)
        assert told.exit_code == 4
        assert "nothing was made or changed" in told.output
        assert not (folder / "safelight.db").exists()
    assert tree(tmp_path / "empty") == set()


def test_a_database_that_was_put_back_is_whole(desk: Desk, tmp_path: Path) -> None:
    shutil.copytree(desk.data, tmp_path / "copy")
    desk.lose()
    assert desk.run("init").exit_code == 4
    for path in (tmp_path / "copy").glob("safelight.db*"):
        shutil.copy(path, desk.data)
    told = desk.run("people")
    assert (told.exit_code, desk.person in told.output) == (0, True)


def test_a_mistyped_database_sweeps_nothing(desk: Desk, tmp_path: Path) -> None:
    typo = f"sqlite:///{tmp_path / 'typo.db'}"
    told = desk.run("retention", "--database", typo)
    assert told.exit_code == 4
    assert not (tmp_path / "typo.db").exists()
    assert desk.run("init", "--database", typo).exit_code == 4
    assert len(desk.lying()) == 2


def test_the_database_of_another_vault_is_refused(desk: Desk, tmp_path: Path) -> None:
    """Of the same master key, and with people of its own."""
    other = Places(data=str(tmp_path / "other"), master_key=desk.places.master_key)
    with House.create(other) as house:
        house.vault.create_person()
    told = desk.run("retention", "--database", f"sqlite:///{tmp_path / 'other' / 'safelight.db'}")
    assert told.exit_code == 4
    assert "of different vaults" in told.output
    assert len(desk.lying()) == 2


@pytest.mark.parametrize("command", ["people", "init", "submit", "retention"])
def test_a_folder_of_something_else_is_left_alone(desk: Desk, tmp_path: Path, command: str) -> None:
    folder = tmp_path / "cdrom"
    folder.mkdir()
    (folder / "my.txt").write_bytes(b"x")
    told = desk.run(command, data=folder)
    assert told.exit_code == 4
    assert "nothing was made" in told.output
    assert tree(folder) == {"my.txt"}


def test_a_folder_of_objects_that_is_gone_is_not_made(desk: Desk, tmp_path: Path) -> None:
    os.rename(desk.data / "objects", tmp_path / "elsewhere")
    assert "the folder of objects is not there" in desk.run("people").output
    assert not (desk.data / "objects").exists()
    (desk.data / "objects").mkdir()  # a disk that is not mounted
    assert "none of their key shares" in desk.run("people").output
    assert tree(desk.data / "objects") == set()
    told = desk.run("people", "--objects", str(tmp_path / "elsewhere"))
    assert desk.person in told.output


def test_a_database_of_something_else_is_left_alone(make_store: Maker) -> None:
    with make_store() as store, store.begin() as conn:
        conn.execute(text("DROP TABLE alembic_version"))
    with pytest.raises(StoreError, match="belongs to something else"):
        make_store()


def test_an_older_vault_gets_its_id(make_store: Maker) -> None:
    """Made before an id lay beside objects."""
    master = MasterKey.generate()
    vault = Vault(make_store(), master)
    person = vault.create_person()
    vault.store.objects.delete(KEY)
    again = Vault(make_store(), master)
    assert len(again.salt(person)) == 32
    with again.store.read() as conn:
        mine = id_of(conn)
    assert b"".join(again.store.objects.get(KEY)).decode().strip() == mine
    new = MasterKey.generate()
    again.rotate(new)
    Vault(make_store(), new)
    with again.store.read() as conn:
        assert id_of(conn) == mine


def test_an_older_vault_and_a_strangers_database(make_store: Maker) -> None:
    master = MasterKey.generate()
    vault = Vault(make_store(), master)
    person = vault.create_person()
    vault.store.objects.delete(KEY)
    with vault.store.begin() as conn:
        conn.execute(delete(objects))
        conn.execute(delete(people))
    with pytest.raises(StoreError, match="knows none of the people"):
        Vault(make_store(), master)
    assert vault.store.objects.exists(f"shares/{person}")
    assert not vault.store.objects.exists(KEY)


def test_nothing_is_swept_by_a_database_that_knows_nobody(make_store: Maker) -> None:
    vault = Vault(make_store(), MasterKey.generate())
    person = vault.create_person()
    vault.put(person, "deidentified", "one", [b"x"])
    with vault.store.begin() as conn:
        conn.execute(delete(objects))
        conn.execute(delete(people))
    with pytest.raises(StoreError, match="knows nobody"):
        vault.sweep(timedelta(0))
    assert len([key for key, _ in vault.store.objects.list() if person in key]) == 2

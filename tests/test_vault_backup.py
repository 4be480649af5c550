"""Backups: what comes back, what must not, and what a stopped one leaves."""

import os
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from consent_fixtures import publish, say
from faults_child import open_house
from safelight.errors import CorruptedError, ErasedError, MasterKeyError, SettingsError, StoreError
from safelight.store import Store, faults
from safelight.vault import MasterKey, Vault
from safelight.vault.backup import back_up, restore, snapshots
from safelight.vault.originals import Originals
from store_fixtures import DATABASES

Maker = Callable[..., Store]


@pytest.fixture
def master() -> MasterKey:
    return MasterKey.generate()


@pytest.fixture
def vault(store: Store, master: MasterKey) -> Vault:
    return Vault(store, master)


def fill(vault: Vault, count: int = 3) -> list[str]:
    people = [str(vault.create_person()) for _ in range(count)]
    for person in people:
        vault.put(person, "deidentified", "one", [b"data of " + person.encode()])
    return people


def test_what_was_backed_up_comes_back(vault: Vault, master: MasterKey, tmp_path: Path) -> None:
    people = fill(vault)
    made = back_up(vault, str(tmp_path / "b"))
    assert (made.copied, made.unreachable) == (6, ())
    assert back_up(vault, str(tmp_path / "b")).copied == 0
    with Store.at(tmp_path / "new") as store:
        told = restore(str(tmp_path / "b"), store, snapshot=made.snapshot)
        assert told.rows == made.rows
        again = Vault(store, master)
        for person in people:
            data = b"".join(again.get(person, "deidentified", "one"))
            assert data == b"data of " + person.encode()
        assert again.salt(people[0]) == vault.salt(people[0])


def test_an_erased_person_stays_erased_after_a_restore(
    vault: Vault, master: MasterKey, tmp_path: Path
) -> None:
    one, two, three = fill(vault)
    backup = str(tmp_path / "b")
    old = back_up(vault, backup)
    assert vault.destroy_key(one) == []
    assert [one in " ".join(names) for _, _, names in os.walk(backup)].count(True) == 0
    with Store.at(tmp_path / "new") as store:
        restore(backup, store, snapshot=old.snapshot)
        again = Vault(store, master)
        assert again.person_exists_or_erased(one) == "erased"
        with pytest.raises(ErasedError):
            again.salt(one)
        assert list(again.get(two, "deidentified", "one"))
        assert list(again.get(three, "deidentified", "one"))


def test_an_old_data_folder_brought_back_erases_again(tmp_path: Path) -> None:
    MasterKey.create(str(tmp_path / "keys" / "master.key"))
    master = MasterKey.open(str(tmp_path / "keys" / "master.key"))
    with Store.at(tmp_path / "data") as store:
        person = fill(Vault(store, master), 1)[0]
    shutil.copytree(tmp_path / "data", tmp_path / "old")
    with Store.at(tmp_path / "data") as store:
        Vault(store, master).destroy_key(person)
    shutil.rmtree(tmp_path / "data")
    os.rename(tmp_path / "old", tmp_path / "data")
    with Store.at(tmp_path / "data") as store:
        vault = Vault(store, master)
        assert vault.person_exists_or_erased(person) == "erased"
        assert [key for key, _ in store.objects.list() if person in key] == [f"erased/{person}"]


def test_a_snapshot_alone_is_unreadable(vault: Vault, master: MasterKey, tmp_path: Path) -> None:
    """With the master key and all ciphertext, and without the shares."""
    person = fill(vault, 1)[0]
    back_up(vault, str(tmp_path / "b"))
    shutil.rmtree(tmp_path / "b" / "shares")
    os.mkdir(tmp_path / "b" / "shares")
    with Store.at(tmp_path / "new") as store:
        restore(str(tmp_path / "b"), store)
        again = Vault(store, master)
        with pytest.raises(CorruptedError, match="share"):
            list(again.get(person, "deidentified", "one"))


def test_a_backup_out_of_reach_is_told_and_caught_up(
    make_store: Maker, master: MasterKey, tmp_path: Path
) -> None:
    vault = Vault(make_store(), master)
    person = fill(vault, 2)[0]
    back_up(vault, str(tmp_path / "b"))
    os.rename(tmp_path / "b", tmp_path / "drawer")
    assert vault.destroy_key(person) == [str(tmp_path / "b")]
    assert (tmp_path / "drawer" / "shares" / person).exists()
    other = back_up(vault, str(tmp_path / "c"))
    assert other.unreachable == (str(tmp_path / "b"),)
    os.rename(tmp_path / "drawer", tmp_path / "b")
    Vault(make_store(), master)
    assert not (tmp_path / "b" / "shares" / person).exists()
    assert not (tmp_path / "b" / "objects" / "p" / person).exists()


def test_an_erasure_after_a_restore_reaches_the_backups(
    vault: Vault, master: MasterKey, tmp_path: Path
) -> None:
    """The one it came from, and the others of the vault that burnt down."""
    person = fill(vault, 2)[0]
    for name in ("a", "b"):
        back_up(vault, str(tmp_path / name))
    with Store.at(tmp_path / "new") as store:
        shutil.move(tmp_path / "b", tmp_path / "moved")
        restore(str(tmp_path / "moved"), store)
        again = Vault(store, master)
        assert again.mirrors.all() == [str(tmp_path / name) for name in ("moved", "a", "b")]
        assert again.destroy_key(person) == [str(tmp_path / "b")]
    for name in ("moved", "a"):
        assert [path for path in (tmp_path / name).rglob(f"{person}*") if path.exists()] == []
        assert person in (tmp_path / name / "erased.list").read_text()
    with Store.at(tmp_path / "third") as store:
        restore(str(tmp_path / "a"), store)
        assert Vault(store, master).person_exists_or_erased(person) == "erased"


def test_originals_that_are_gone_leave_the_backup(vault: Vault, tmp_path: Path) -> None:
    person = vault.create_person()
    originals = Originals(vault)
    stored = originals.write(person, "one", [b"DOE"])
    with vault.store.begin() as conn:
        originals.record(conn, [stored])
    back_up(vault, str(tmp_path / "b"))
    assert (tmp_path / "b" / "objects" / stored.key).exists()
    with vault.store.begin() as conn:
        originals.deidentified(conn, person, ["one"])
    originals.purge()
    back_up(vault, str(tmp_path / "b"))
    assert not (tmp_path / "b" / "objects" / stored.key).exists()


@pytest.mark.parametrize("place", ["begun", "dumped", "copied"])
def test_a_backup_that_was_stopped_is_never_restored(
    vault: Vault, tmp_path: Path, place: str
) -> None:
    fill(vault)
    first = back_up(vault, str(tmp_path / "b"))

    def stop(name: str) -> None:
        if name == f"backup.{place}":
            raise KeyboardInterrupt

    with faults.planned(stop), pytest.raises(KeyboardInterrupt):
        back_up(vault, str(tmp_path / "b"))
    assert snapshots(str(tmp_path / "b")) == [first.snapshot]
    assert len({first.snapshot, back_up(vault, str(tmp_path / "b")).snapshot}) == 2


@pytest.mark.parametrize("place", ["objects", "loading", "loaded"])
def test_a_restore_that_was_stopped_is_done_again(
    vault: Vault, master: MasterKey, tmp_path: Path, place: str
) -> None:
    person = fill(vault)[0]
    back_up(vault, str(tmp_path / "b"))

    def stop(name: str) -> None:
        if name == f"restore.{place}":
            raise KeyboardInterrupt

    with Store.at(tmp_path / "new") as store:
        with faults.planned(stop), pytest.raises(KeyboardInterrupt):
            restore(str(tmp_path / "b"), store)
        if place != "loaded":
            restore(str(tmp_path / "b"), store)
        assert list(Vault(store, master).get(person, "deidentified", "one"))


def test_a_backup_goes_from_one_database_to_the_other(
    make_store: Maker, tmp_path: Path, request: pytest.FixtureRequest, database: str
) -> None:
    where = (make_store.url, make_store.home, str(tmp_path / "keys"))  # type: ignore[attr-defined]  # set by the fixture
    house = open_house(where)
    person = fill(house.vault, 1)[0]
    policy = publish(house.custody)
    say(house.custody, person, "care", policy=policy)
    house.custody.log.checkpoint()
    back_up(house.vault, str(tmp_path / "b"))
    other = "postgresql" if database == "sqlite" and "postgresql" in DATABASES else "sqlite"
    url = f"sqlite:///{tmp_path / 'o' / 'x.db'}"
    if other == "postgresql":
        url = request.getfixturevalue("postgresql").fresh()
    there = (url, str(tmp_path / "o"), str(tmp_path / "keys"))
    with Store.open(
        url, objects=str(tmp_path / "o" / "objects"), home=str(tmp_path / "o")
    ) as store:
        restore(str(tmp_path / "b"), store)
    with open_house(there) as again:
        with again.store.read() as conn:
            assert again.custody.consents.may(conn, person, "care", policy).allowed
        say(again.custody, person, "care", "refuse")  # counters go on
        assert list(again.vault.get(person, "deidentified", "one"))
        assert again.custody.log.verify().holds
    house.close()


def test_a_wrong_key_is_told_before_anything_is_written(
    vault: Vault, master: MasterKey, tmp_path: Path
) -> None:
    fill(vault, 1)
    back_up(vault, str(tmp_path / "b"))
    new = MasterKey.generate()
    with Store.at(tmp_path / "new") as store:
        with pytest.raises(MasterKeyError, match="not the master key of the snapshot"):
            restore(str(tmp_path / "b"), store, master=new)
        assert list(store.objects.list()) == []
        assert restore(str(tmp_path / "b"), store, master=master).missing == ()


def test_what_a_backup_does_not_hold_is_listed(
    vault: Vault, master: MasterKey, tmp_path: Path
) -> None:
    one, two, three = fill(vault)
    back_up(vault, str(tmp_path / "b"))
    (tmp_path / "b" / "shares" / one).unlink()
    (torn,) = (tmp_path / "b" / "objects" / "p" / two / "deidentified").iterdir()
    torn.write_bytes(torn.read_bytes()[:9])
    (lost,) = (tmp_path / "b" / "objects" / "p" / three / "deidentified").iterdir()
    lost.unlink()
    with Store.at(tmp_path / "new") as store:
        told = restore(str(tmp_path / "b"), store)
        keys = [f"p/{who}/deidentified/{path.name}" for who, path in ((two, torn), (three, lost))]
        assert set(told.missing) == {f"share of {one}", *(f"object {key}" for key in keys)}
        assert len(Vault(store, master).salt(three)) == 32


def test_what_was_erased_or_deleted_since_is_not_missing(
    vault: Vault, master: MasterKey, tmp_path: Path
) -> None:
    one, two = fill(vault, 2)
    originals = Originals(vault)
    stored = originals.write(two, "scan", [b"DOE"])
    with vault.store.begin() as conn:
        originals.record(conn, [stored])
    old = back_up(vault, str(tmp_path / "b"))
    with vault.store.begin() as conn:
        originals.deidentified(conn, two, ["scan"])
    originals.purge()
    vault.destroy_key(one)
    back_up(vault, str(tmp_path / "b"))
    with Store.at(tmp_path / "new") as store:
        told = restore(str(tmp_path / "b"), store, snapshot=old.snapshot, master=master)
        assert (told.missing, told.left_out) == ((), 1)


@pytest.mark.parametrize("fault", ["gone", "torn"])
def test_a_snapshot_with_a_bad_file_is_told(vault: Vault, tmp_path: Path, fault: str) -> None:
    fill(vault, 1)
    made = back_up(vault, str(tmp_path / "b"))
    table = tmp_path / "b" / "snapshots" / made.snapshot / "vault_people.jsonl"
    if fault == "gone":
        table.unlink()
    else:
        table.write_bytes(table.read_bytes()[:20])
    with Store.at(tmp_path / "new") as store:
        with pytest.raises(StoreError) as told:
            restore(str(tmp_path / "b"), store)
        assert ("lacks its file vault_people.jsonl" in told.value.what) == (fault == "gone")
        assert (list(store.objects.list()) == []) == (fault == "gone")
        assert "another" in told.value.todo


def test_a_wrong_place_is_told(vault: Vault, tmp_path: Path) -> None:
    person = fill(vault, 1)[0]
    (tmp_path / "else").mkdir()
    (tmp_path / "else" / "file").write_bytes(b"x")
    with pytest.raises(SettingsError, match="something else"):
        back_up(vault, str(tmp_path / "else"))
    for inside in (vault.store.home, os.path.join(vault.store.home, "b"), str(tmp_path)):
        with pytest.raises(SettingsError, match="in each other"):
            back_up(vault, inside)
    back_up(vault, str(tmp_path / "b"))
    with pytest.raises(StoreError, match="not empty"):
        restore(str(tmp_path / "b"), vault.store)
    with Store.at(tmp_path / "new") as store:
        with pytest.raises(SettingsError, match="no such"):
            restore(str(tmp_path / "b"), store, snapshot="never")
        with pytest.raises(SettingsError, match="no such"):
            restore(str(tmp_path / "else"), store)
    assert list(vault.get(person, "deidentified", "one"))

"""After an erasure nothing is left, and no restored backup brings anything back."""

import shutil
from collections.abc import Iterator, Sequence
from pathlib import Path

import pytest
from sqlalchemy import RowMapping, Table, select

from consent_fixtures import (
    PLANTED,
    Ledger,
    Maker,
    Shelf,
    family,
    keep,
    may,
    note,
    open_custody,
    publish,
    say,
)
from safelight.consent.custody import Custody
from safelight.consent.decision import Reason
from safelight.errors import ErasedError
from safelight.store import Store
from safelight.store.schema.consent import (
    artefact_parents,
    artefacts,
    statements,
    withdrawal_steps,
    withdrawals,
)
from safelight.vault.backup import back_up, restore


@pytest.fixture
def shelves() -> dict[str, Shelf]:
    return {"feature": Ledger(), "head": Shelf()}


def everything_under(folder: str) -> Iterator[tuple[str, bytes]]:
    for path in sorted(Path(folder).rglob("*")):
        if path.is_file():
            yield str(path), path.read_bytes()


def planted_in(folders: list[str]) -> list[tuple[str, bytes]]:
    """Return where planted values stand, byte for byte: data, WAL, database pages, lists, keys."""
    return [
        (path, word)
        for folder in folders
        for path, data in everything_under(folder)
        for word in PLANTED
        if word in data
    ]


def test_nothing_of_the_person_is_left_anywhere(
    make_store: Maker, shelves: dict[str, Shelf], tmp_path: Path, request: pytest.FixtureRequest
) -> None:
    custody = open_custody(make_store(), removers=shelves)
    person, policy = custody.vault.create_person(), publish(custody)
    words = b" ".join(PLANTED).decode()
    for purpose in ("care", "train-a-model"):
        say(custody, person, purpose, policy=policy, note=words)
    keep(custody, person, "deidentified", "o1", policy=policy)
    sealed = custody.vault.seal_small(person, "test", "t", PLANTED[0])
    custody.withdrawals.run(custody.withdrawals.start(person, actor="person:1", note=words))
    folders = [custody.store.home, str(tmp_path / "keys")]
    if custody.store.dialect == "postgresql":
        server = request.getfixturevalue("postgresql")
        server.sql("CHECKPOINT")
        folders.append(str(server.folder / "data"))
    assert planted_in(folders) == []
    custody.store.vacuum()
    assert planted_in(folders) == []
    objects = Path(custody.store.home, "objects")
    assert not [one for one in objects.rglob("*") if one.is_file() and person in str(one.parent)]
    with pytest.raises(ErasedError):
        custody.vault.open_small(person, "test", "t", sealed)
    with custody.store.read() as conn:
        kept = conn.execute(select(artefacts.c.removed_at)).scalars().all()
    assert None not in kept


def test_a_restored_backup_brings_nobody_and_no_consent_back(
    make_store: Maker, shelves: dict[str, Shelf], tmp_path: Path
) -> None:
    custody = open_custody(make_store(), removers=shelves)
    gone, stays = custody.vault.create_person(), custody.vault.create_person()
    policy = publish(custody)
    for person in (gone, stays):
        for purpose in ("care", "train-a-model"):
            say(custody, person, purpose, policy=policy, note=PLANTED[0].decode())
        keep(custody, person, "deidentified", "o1", policy=policy)
        note(custody, person, "head", "h1", policy)
    sealed = custody.vault.seal_small(gone, "test", "t", PLANTED[0])
    folder = str(tmp_path / "backup")
    back_up(custody.vault, folder)
    custody.withdrawals.run(custody.withdrawals.start(gone, actor="person:1"))
    custody.withdrawals.run(custody.withdrawals.start(stays, "train-a-model", actor="person:2"))
    shelves["head"].calls.clear()
    home = tmp_path / "other" / "store"  # another machine, with the keys, and the old backup
    (tmp_path / "other").mkdir()
    shutil.copytree(tmp_path / "keys", tmp_path / "other" / "keys")
    with Store.at(home) as store:
        restore(folder, store)
        again = open_custody(store, removers=shelves)
        with store.read() as conn:
            assert again.consents.may(conn, gone, "care", policy).reason == Reason.ERASED
        assert may(again, stays, "care", policy)
        assert not may(again, stays, "train-a-model", policy)
        assert b"".join(again.vault.get(stays, "deidentified", "o1")) == b"; ".join(PLANTED)
        assert shelves["head"].calls == ["h1", "h1"]
        with pytest.raises(ErasedError):
            again.vault.open_small(gone, "test", "t", sealed)
        assert list(store.objects.list(f"p/{gone}")) == []
        assert again.withdrawals.resume() == []
    assert planted_in([folder, str(home)]) == []


def test_a_restored_database_forgets_no_withdrawal(
    make_store: Maker, shelves: dict[str, Shelf]
) -> None:
    custody = open_custody(make_store(), removers=shelves)
    person = custody.vault.create_person()
    other = custody.vault.create_person()
    policy, _ = family(custody, person)
    say(custody, other, "train-a-model", policy=policy)
    note(custody, other, "head", "h1", policy)
    tables = [statements, artefacts]
    with custody.store.read() as conn:
        before = {one: conn.execute(select(one)).mappings().all() for one in tables}
    custody.withdrawals.run(custody.withdrawals.start(person, "train-a-model", actor="person:1"))
    custody.withdrawals.run(custody.withdrawals.start(other, actor="person:2"))
    for shelf in shelves.values():
        shelf.calls.clear()
    put_back(custody, before)
    assert may(custody, person, "train-a-model", policy)  # this is what has to be repaired
    again = open_custody(make_store(), removers=shelves)
    assert not may(again, person, "train-a-model", policy)
    assert may(again, person, "care", policy)
    assert shelves["head"].calls == ["h1", "h1"]  # of both, the erased one too
    third = open_custody(make_store(), removers=shelves)
    with third.store.read() as conn:
        assert len(third.consents.history(conn, person)) == 3


def put_back(custody: Custody, before: dict[Table, Sequence[RowMapping]]) -> None:
    """Put the tables back to what they were before the withdrawals."""
    with custody.store.begin() as conn:
        for table in (withdrawal_steps, withdrawals):
            conn.execute(table.delete())
        edges = conn.execute(select(artefact_parents)).mappings().all()
        conn.execute(artefact_parents.delete())
        for table, rows in before.items():
            conn.execute(table.delete())
            conn.execute(table.insert(), [dict(row) for row in rows])
        conn.execute(artefact_parents.insert(), [dict(row) for row in edges])

"""The log on both databases: proofs, checkpoints, what is detected, what comes back."""

import random
import threading
from datetime import datetime
from pathlib import Path

import pytest
from sqlalchemy import select

from safelight.errors import KeyFileError, LogError, ReceiptError
from safelight.store import Store
from safelight.store.schema.tlog import checkpoints, leaves, nodes
from safelight.tlog import Leaf, Log, Signer, tree
from safelight.tlog.check import check
from safelight.tlog.note import VerifierKey
from test_tlog_tree import entries, rfc_consistency, rfc_mth, rfc_path

SIGNER = Signer("log.example.org/test", bytes(range(32)))


@pytest.fixture
def log(store: Store) -> Log:
    return Log(store, SIGNER)


def fill(log: Log, *batches: int) -> None:
    """Add entries in batches, and a checkpoint after each."""
    size = log.size()
    for batch in batches:
        with log.store.begin() as conn:
            log.append(conn, entries(size + batch)[size:])
        size += batch
        log.checkpoint()


def test_proofs_agree_with_the_rfc(log: Log) -> None:
    fill(log, 1, 30, 1, 1, 200, 7)
    size, plain = log.size(), entries(240)
    assert size == 240
    made = log.latest()
    assert made is not None
    assert (made.size, made.root) == (size, rfc_mth(plain))
    chance = random.Random(1)  # noqa: S311  # reproducible, not secret
    for _ in range(60):
        upto = chance.randrange(1, size + 1)
        index, first = chance.randrange(upto), chance.randrange(upto + 1)
        assert log.inclusion(index, upto) == rfc_path(index, plain[:upto])
        assert log.consistency(first, upto) == rfc_consistency(first, plain[:upto])
    assert log.verify().holds


def test_what_is_not_there_is_refused(log: Log) -> None:
    fill(log, 3)
    for index, size in ((3, 3), (-1, 3), (0, 4), (0, 0)):
        with pytest.raises(LogError):
            log.inclusion(index, size)
    for first, second in ((2, 1), (-1, 2), (1, 4)):
        with pytest.raises(LogError):
            log.consistency(first, second)


def test_an_empty_log_is_signed_and_verified(log: Log) -> None:
    assert log.latest() is None
    assert log.checkpoint().root == tree.EMPTY_ROOT
    assert log.verify().holds


def test_a_checkpoint_is_made_once_for_each_size(log: Log) -> None:
    fill(log, 2)
    assert log.checkpoint() == log.checkpoint() == log.latest()
    assert len(log.outside.notes()[0]) == 1


def test_entries_of_a_transaction_that_fails_are_not_there(log: Log) -> None:
    fill(log, 5)
    with pytest.raises(RuntimeError), log.store.begin() as conn:  # noqa: PT012  # the block is the point
        log.append(conn, [b"never"] * 70)
        raise RuntimeError("the caller's step failed")
    assert log.size() == 5
    fill(log, 90)
    assert log.verify().holds


def test_an_entry_too_long_is_refused(log: Log) -> None:
    with pytest.raises(LogError), log.store.begin() as conn:
        log.append(conn, [bytes(65_536)])
    with log.store.begin() as conn:
        assert log.append(conn, [bytes(65_535), b""]) == [0, 1]
        assert log.append(conn, []) == []
    log.checkpoint()
    assert log.verify().holds


def test_many_threads_make_one_sequence(log: Log) -> None:
    got: list[int] = []

    def work(number: int) -> None:
        for step in range(10):
            with log.store.begin() as conn:
                got.extend(log.append(conn, [b"%d %d" % (number, step)]))

    threads = [threading.Thread(target=work, args=(number,)) for number in range(4)]
    for one in threads:
        one.start()
    for one in threads:
        one.join()
    assert sorted(got) == list(range(40))
    assert log.verify().holds


def test_a_commitment_opens_with_its_salt_and_not_with_another(log: Log) -> None:
    with log.store.begin() as conn:
        first = log.commit_to(conn, "consent.granted", {"purpose": "DUO:0000042"}, bytes(32))
        second = log.commit_to(conn, "consent.granted", {"purpose": "DUO:0000042"}, bytes(32))
    with log.store.read() as conn:
        stored = list(conn.execute(select(leaves.c.entry).order_by(leaves.c.position)).scalars())
    assert stored == [first.entry, second.entry]
    assert first.salt != second.salt
    assert b"DUO" not in b"".join(stored)
    assert Leaf.from_bytes(first.to_bytes()) == first
    other = Leaf(index=first.index, document=first.document, salt=second.salt)
    assert other.entry != first.entry
    for bad in (b"{}", b"[]", b"x", first.to_bytes().replace(b'"index":0', b'"index":"q"')):
        with pytest.raises(ReceiptError):
            Leaf.from_bytes(bad)


def test_times_in_the_log_only_grow_when_the_clock_is_set_back(
    log: Log, monkeypatch: pytest.MonkeyPatch
) -> None:
    with log.store.begin() as conn:
        first = log.commit_to(conn, "a", {}, bytes(32))
    monkeypatch.setattr("time.time_ns", lambda: 1_000_000_000)
    with log.store.begin() as conn:
        second = log.commit_to(conn, "a", {}, bytes(32))
    assert isinstance(log.store.clock.now(), datetime)
    assert first.document.split(b'"time":')[1] < second.document.split(b'"time":')[1]


def test_any_flipped_bit_is_found(log: Log) -> None:
    fill(log, 5, 60, 1, 200, 34)
    chance = random.Random(20261122)  # noqa: S311  # reproducible, not secret
    before = log.verify()
    assert (before.holds, before.size, before.checkpoints) == (True, 300, 10)
    tables = ((leaves.c.position, leaves.c.entry), (nodes.c.place, nodes.c.hashes))
    tables += ((checkpoints.c.size, checkpoints.c.note),)
    with log.store.read() as conn:
        rows = [
            (key, column, at, bytes(data))
            for key, column in tables
            for at, data in conn.execute(select(key, column))
        ]
    with log.store.begin() as conn:
        for _ in range(500):
            key, column, at, data = chance.choice(rows)
            bit = chance.randrange(len(data) * 8)
            bad = bytearray(data)
            bad[bit // 8] ^= 1 << bit % 8
            place = key.table.update().where(key == at)
            conn.execute(place.values({column: bytes(bad)}))
            found = check(conn, log.outside, log._parse, ())
            assert found.first is not None, (key.table.name, at, bit)
            if column is leaves.c.entry:
                assert found.first.place == f"entry {at}"
            conn.execute(place.values({column: data}))
    assert log.verify().holds


def test_any_flipped_bit_in_the_files_outside_is_found(log: Log) -> None:
    fill(log, 5, 60, 1)
    chance = random.Random(3)  # noqa: S311  # reproducible, not secret
    for path in (Path(log.outside._checkpoints), Path(log.outside._entries)):
        data = path.read_bytes()
        for _ in range(150):
            bit = chance.randrange(len(data) * 8)
            bad = bytearray(data)
            bad[bit // 8] ^= 1 << bit % 8
            path.write_bytes(bad)
            assert not log.verify().holds, (path.name, bit)
        path.write_bytes(data[:-1])
        assert not log.verify().holds
        path.write_bytes(data)
        log.outside._known = (0, 0)
    assert log.verify().holds


def test_rows_that_are_gone_or_too_many_are_found(log: Log) -> None:
    fill(log, 40, 40)
    rest = [nodes.delete().where(nodes.c.place == 1), leaves.delete().where(leaves.c.position == 9)]
    rest += [leaves.insert().values(position=-5, entry=b""), checkpoints.delete()]
    rest += [nodes.insert().values(place=9, hashes=bytes(1984))]
    rest += [leaves.update().where(leaves.c.position == 79).values(position=300)]
    for number, statement in enumerate(rest):
        with pytest.raises(RuntimeError), log.store.begin() as conn:  # noqa: PT012  # rolled back
            conn.execute(statement)
            found = check(conn, log.outside, log._parse, ())
            # a checkpoint's row alone is no loss: the file outside has it
            assert found.holds == (number == 3), statement
            raise RuntimeError("back to what it was")


def test_a_rewritten_log_is_found_by_the_file_and_by_any_old_checkpoint(
    log: Log, tmp_path: Path
) -> None:
    fill(log, 10, 10)
    old = log.outside.notes()[0][0].decode()
    with log.store.begin() as conn:  # someone with the database and the key writes history anew
        for table in (leaves, nodes, checkpoints):
            conn.execute(table.delete())
        log.append(conn, [b"another past"] * 25)
    with pytest.raises(LogError):
        log.checkpoint()
    first = log.verify().first
    assert first is not None
    assert first.entry == 0
    forged = Log(log.store, SIGNER, outside=tmp_path / "else")
    forged.checkpoint()
    assert forged.verify().holds
    assert not forged.verify([old]).holds


def test_a_shortened_log_takes_back_what_was_signed(log: Log) -> None:
    fill(log, 10, 40, 20)
    whole = log.latest()
    with log.store.begin() as conn:  # an old backup was restored
        conn.execute(leaves.delete())
        conn.execute(nodes.delete())
        conn.execute(checkpoints.delete())
        log.append(conn, entries(10))
    look = Log(log.store, SIGNER, recover=False)
    assert not look.verify().holds
    again = Log(log.store, SIGNER)
    assert (again.size(), again.latest()) == (70, whole)
    assert again.verify().holds
    fill(again, 5)
    assert again.verify().holds


def test_a_shortened_log_that_went_elsewhere_is_not_continued(log: Log) -> None:
    fill(log, 10, 40)
    with log.store.begin() as conn:
        conn.execute(leaves.delete())
        conn.execute(nodes.delete())
        log.append(conn, [b"something else"] * 12)
    with pytest.raises(LogError, match="lost entries"):
        Log(log.store, SIGNER)


def test_a_checkpoint_half_written_at_a_crash_is_finished_by_the_next(log: Log) -> None:
    fill(log, 4)
    path = Path(log.outside._checkpoints)
    path.write_bytes(path.read_bytes() + b"log.example.org/test\n9\nab")
    with Path(log.outside._entries).open("ab") as file:
        file.write(b"\0\x20half")
    fill(log, 4)
    assert log.verify().holds
    assert len(log.outside.notes()[0]) == 2


def test_a_file_of_very_many_checkpoints_is_read_from_its_end(log: Log) -> None:
    fill(log, 3)
    path = Path(log.outside._checkpoints)
    path.write_bytes(path.read_bytes() * 3000)
    assert log.outside.last().decode() == log.outside.notes()[0][0].decode()
    path.write_bytes(b"\n" + path.read_bytes())
    assert log.outside.last().decode() == log.outside.notes()[0][1].decode()


def test_the_key_file_is_its_owners_alone(tmp_path: Path) -> None:
    path = tmp_path / "keys" / "log.key"
    made = Signer.load_or_create(path)
    assert Signer.load_or_create(path).vkey == made.vkey
    assert made.vkey.name.startswith("safelight-log/")
    assert VerifierKey.parse(str(made.vkey)) == made.vkey
    path.chmod(0o640)
    with pytest.raises(KeyFileError, match="read by others"):
        Signer.load(path)
    with pytest.raises(KeyFileError):
        Signer.generate().save(path)
    path.chmod(0o600)
    for bad in (b"", b"x", path.read_bytes()[:-9], b"another-key v1 AAAA\n"):
        path.write_bytes(bad)
        with pytest.raises(KeyFileError):
            Signer.load(path)
    with pytest.raises(KeyFileError):
        Signer.load(tmp_path / "none")
    for name in ("", "two words", "a+b", "ünïcode\u2028"):
        with pytest.raises(KeyFileError):
            Signer(name, bytes(32))

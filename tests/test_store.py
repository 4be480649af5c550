"""The store: transactions, the clock, locks, objects; on SQLite and on PostgreSQL."""

import os
import stat
import threading
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from sqlalchemy import func, insert, select

from safelight.errors import SettingsError, StoreBusyError, StoreError, StoreFullError
from safelight.store import Store, faults
from safelight.store.ids import new_id
from safelight.store.schema.base import clock, to_micros

Maker = Callable[..., Store]


def test_a_transaction_is_whole_or_absent(store: Store) -> None:
    def fail() -> None:
        with store.begin() as conn:
            conn.execute(insert(clock).values(id=7, high=0))
            raise KeyError("stop")

    with pytest.raises(KeyError):
        fail()
    with store.read() as conn:
        assert conn.execute(select(func.count()).select_from(clock)).scalar_one() == 1
    with store.begin() as conn:
        conn.execute(insert(clock).values(id=7, high=0))
    with store.read() as conn:
        assert conn.execute(select(func.count()).select_from(clock)).scalar_one() == 2


def test_reading_cannot_write(store: Store) -> None:
    with pytest.raises(StoreError), store.read() as conn:
        conn.execute(insert(clock).values(id=8, high=0))


def test_a_second_write_in_a_thread_is_told_at_once(store: Store) -> None:
    with store.begin(), pytest.raises(RuntimeError, match="in this thread"), store.begin():
        pass


def test_writers_take_turns(make_store: Maker) -> None:
    stores = [make_store(), make_store()]
    with stores[0].begin() as conn:
        conn.execute(insert(clock).values(id=9, high=0))

    def add(store: Store) -> None:
        for _ in range(20):
            with store.begin() as conn:
                high = conn.execute(select(clock.c.high).where(clock.c.id == 9)).scalar_one()
                conn.execute(clock.update().where(clock.c.id == 9).values(high=high + 1))

    threads = [threading.Thread(target=add, args=(store,)) for store in stores * 2]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    with stores[1].read() as conn:
        assert conn.execute(select(clock.c.high).where(clock.c.id == 9)).scalar_one() == 80


def test_the_clock_never_goes_back(make_store: Maker, monkeypatch: pytest.MonkeyPatch) -> None:
    store = make_store()
    before = store.clock.now()
    assert before.tzinfo is UTC
    with store.begin():
        late = store.clock.now()
    real = __import__("time").time_ns()
    monkeypatch.setattr("safelight.store.clock.time.time_ns", lambda: real - 86_400 * 10**9)
    assert before < late < store.clock.now()
    again = make_store()
    assert again.clock.now() > late
    assert again.clock.behind() > 86_000


def test_moments_come_back_as_they_were(store: Store) -> None:
    moment = datetime(2026, 11, 3, 4, 5, 6, 789, tzinfo=UTC)
    assert to_micros(moment) == 1793678706000789
    with pytest.raises(ValueError, match="time zone"):
        to_micros(moment.replace(tzinfo=None))
    with store.begin() as conn:
        conn.execute(insert(clock).values(id=3, high=to_micros(moment)))


def test_a_lock_is_held_once(make_store: Maker) -> None:
    one, two = make_store(), make_store()
    with one.lock("a"):
        with two.lock("b"):
            pass
        with pytest.raises(StoreBusyError), two.lock("a", wait=0.05):
            pass
    with two.lock("a", wait=0):
        pass


def test_ids_sort_by_time_and_are_version_seven() -> None:
    ids = [new_id() for _ in range(1000)]
    assert len(set(ids)) == 1000
    assert {(len(each), each[12], each[16] in "89ab") for each in ids} == {(32, "7", True)}
    assert [each[:12] for each in ids] == sorted(each[:12] for each in ids)


def test_objects_come_back_and_go(store: Store) -> None:
    objects = store.objects
    assert objects.put("p/one/a", [b"x" * 10, b"y"]) == 11
    assert objects.put("p/one/b", (b"z" * (1 << 20) for _ in range(19))) == 19 << 20
    assert b"".join(objects.get("p/one/a")) == b"x" * 10 + b"y"
    assert sum(map(len, objects.get("p/one/b"))) == 19 << 20
    assert sorted(objects.list("p/one")) == [("p/one/a", 11), ("p/one/b", 19 << 20)]
    assert objects.exists("p/one/a")
    objects.delete("p/one/a")
    objects.delete("p/one/a")
    assert not objects.exists("p/one/a")
    with pytest.raises(StoreError, match="not there"):
        list(objects.get("p/one/a"))


def test_a_put_that_fails_leaves_nothing(store: Store) -> None:
    def broken(size: int) -> object:
        for _ in range(size):
            yield b"x" * (1 << 20)
        raise OSError(28, "No space left on device")

    for size in (1, 12):
        with pytest.raises((OSError, StoreFullError), match=r"No space|no room"):
            store.objects.put("p/half", broken(size))  # type: ignore[arg-type]  # a generator
        assert not store.objects.exists("p/half")
        assert store.objects.clear_leftovers(timedelta(0)) == 0


def test_only_the_owner_can_read_the_data_folder(make_store: Maker, database: str) -> None:
    store = make_store()
    with store.begin() as conn:
        conn.execute(insert(clock).values(id=5, high=0))
    assert stat.S_IMODE(os.stat(store.home).st_mode) == 0o700
    if database == "sqlite":
        for name in ("safelight.db", "safelight.db-wal", "safelight.db-shm"):
            assert stat.S_IMODE(os.stat(os.path.join(store.home, name)).st_mode) == 0o600


def test_vacuum_leaves_no_trace(make_store: Maker, database: str) -> None:
    store = make_store()
    with store.begin() as conn:
        conn.execute(insert(clock).values(id=5, high=0))
    store.vacuum()
    with store.read() as conn:
        assert conn.execute(select(func.count()).select_from(clock)).scalar_one() == 2
    if database == "sqlite":
        assert os.path.getsize(os.path.join(store.home, "safelight.db-wal")) == 0


def test_a_database_that_was_moved_is_not_written(tmp_path: Path) -> None:
    with Store.at(tmp_path / "d") as store:
        os.rename(tmp_path / "d" / "safelight.db", tmp_path / "d" / "elsewhere.db")
        with pytest.raises(StoreError, match="no longer where it was"), store.begin():
            pass


def test_another_version_is_refused(make_store: Maker) -> None:
    store = make_store()
    with store.begin() as conn:
        conn.exec_driver_sql("UPDATE alembic_version SET version_num = 'ffff'")
    with pytest.raises(StoreError, match="another version"):
        make_store()


def test_opening_twice_at_once_makes_the_tables_once(tmp_path: Path) -> None:
    failures: list[BaseException] = []

    def go() -> None:
        try:
            Store.at(tmp_path / "d").close()
        except BaseException as error:  # noqa: BLE001  # told in the main thread
            failures.append(error)

    threads = [threading.Thread(target=go) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert failures == []


@pytest.mark.parametrize("url", ["", "mysql://a/b", "sqlite://", "sqlite:///:memory:", "no url"])
def test_a_wrong_address_is_told(url: str) -> None:
    with pytest.raises(SettingsError):
        Store.open(url, objects="o", home="h")


def test_faults_are_seen_and_can_strike() -> None:
    seen: list[str] = []
    faults.reach("nobody.listens")
    with faults.planned(seen.append):
        faults.reach("room.a")
        faults.reach("room.b")
    faults.reach("nobody.listens")
    assert seen == ["room.a", "room.b"]

"""Bad days: the disk full, the database locked, gone or damaged; and nothing in clear, ever."""

import base64
import gc
import resource
import signal
import sqlite3
import tempfile
import traceback
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from run_fixtures import NEEDLES, planted
from safelight.deid.pseudonyms import ProjectKey
from safelight.errors import (
    CorruptedError,
    SafelightError,
    StoreBusyError,
    StoreError,
    StoreFullError,
)
from safelight.pipeline import submissions as rows
from safelight.pipeline.submit import submit
from safelight.pipeline.work import Worker
from safelight.store import Store, engines, faults
from safelight.vault import MasterKey, Vault
from safelight.vault.stream import bound, open_box
from submit_fixtures import QuickCleaner, contents, engine_cleaner, folder_of

Maker = Callable[..., Store]


@pytest.fixture
def master() -> MasterKey:
    return MasterKey.generate()


@pytest.fixture
def vault(store: Store, master: MasterKey) -> Vault:
    return Vault(store, master)


def states(vault: Vault) -> list[tuple[str, dict[str, int]]]:
    with vault.store.read() as conn:
        return [(each.state, dict(each.items)) for each in rows.standing(conn)]


# Room


@contextmanager
def no_file_longer_than(size: int) -> Iterator[None]:
    """Let the system refuse to write beyond a size, as a full disk does."""
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    handler = signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, before[1]))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)
        signal.signal(signal.SIGXFSZ, handler)


@pytest.mark.parametrize("size", [3 << 20, 20 << 20])
def test_no_room_for_an_object_loses_nothing(vault: Vault, tmp_path: Path, size: int) -> None:
    (tmp_path / "big.bin").write_bytes(b"DOE " * (size // 4))
    with no_file_longer_than(2 << 20), pytest.raises(StoreFullError, match="no room"):
        submit(vault, [str(tmp_path / "big.bin")])
    assert states(vault) == []
    assert contents(vault) == []
    submit(vault, [str(tmp_path / "big.bin")])
    with no_file_longer_than(2 << 20), pytest.raises(StoreFullError, match="no room"):
        Worker(vault, QuickCleaner()).run()
    assert states(vault) == [("working", {"waiting": 1})]
    assert Worker(vault, QuickCleaner()).run() == 1
    assert states(vault) == [("done", {"done": 1})]


def test_no_room_for_the_database_loses_nothing(tmp_path: Path, master: MasterKey) -> None:
    with Store.at(tmp_path / "d") as store:
        vault = Vault(store, master)
        first = submit(vault, [str(folder_of(tmp_path / "in", (b"DOE",)))])
        with store.begin() as conn:
            used = conn.exec_driver_sql("PRAGMA page_count").scalar_one()
        with store._write.connect() as conn:  # the one connection that writes
            conn.exec_driver_sql(f"PRAGMA max_page_count={used}")
        many = folder_of(tmp_path / "many", [b"DOE %d" % number for number in range(200)])
        with pytest.raises(StoreFullError, match="no room"):
            submit(vault, [str(many)])
        with store._write.connect() as conn:
            conn.exec_driver_sql("PRAGMA max_page_count=1000000")
        assert submit(vault, [str(many)]).files == 200
        with store.read() as conn:
            whole = [each for each in rows.standing(conn) if each.state == "waiting"]
        assert first.submission in [each.submission for each in whole]
        assert Worker(vault, QuickCleaner()).run() == 2


# The database


def test_a_locked_database_is_told_and_loses_nothing(
    make_store: Maker, master: MasterKey, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr(engines, "BUSY_SECONDS", 0.3)
    vault, other = Vault(make_store(), master), make_store()
    folder = str(folder_of(tmp_path / "in", (b"DOE",)))
    with other.begin(), pytest.raises(StoreBusyError, match="another process"):
        submit(vault, [folder])
    assert contents(vault) == []
    assert submit(vault, [folder]).files == 1


# pg8000 leaves the socket to a server that is gone to the collector.
@pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")
def test_a_server_that_stops_in_the_middle_loses_nothing(
    make_store: Maker, master: MasterKey, tmp_path: Path, request: pytest.FixtureRequest
) -> None:
    if "postgresql" not in make_store.url:  # type: ignore[attr-defined]  # set by the fixture
        return  # a file does not stop
    server = request.getfixturevalue("postgresql")
    vault = Vault(make_store(), master)
    folder = str(folder_of(tmp_path / "in", (b"DOE one", b"DOE two")))
    stopped: list[str] = []

    def stop(name: str) -> None:
        if name == "submit.result-stored" and not stopped:
            stopped.append(name)
            server.stop()

    submit(vault, [folder])
    with faults.planned(stop), pytest.raises(StoreError):
        Worker(vault, QuickCleaner()).run()
    server.start()
    assert Worker(vault, QuickCleaner()).run() == 1
    assert states(vault) == [("done", {"done": 2})]
    assert len(contents(vault)) == 2
    gc.collect()


@pytest.mark.parametrize("junk", [b"no database at all" * 100, b""])
def test_a_damaged_database_file_is_told(tmp_path: Path, master: MasterKey, junk: bytes) -> None:
    with Store.at(tmp_path / "d") as store:
        Vault(store, master).create_person()
    path = tmp_path / "d" / "safelight.db"
    whole = path.read_bytes()
    path.write_bytes(junk or whole[:5000] + bytes(4096) + whole[9096:])
    with pytest.raises(StoreError):
        look_through(tmp_path / "d")


def look_through(folder: Path) -> None:
    """Open a store and read what is there.

    Raises:
        StoreError: It cannot be read, or is not whole.
    """
    with Store.at(folder) as store, store.read() as conn:
        conn.exec_driver_sql("SELECT * FROM vault_people").all()
        if conn.exec_driver_sql("PRAGMA integrity_check").scalar_one() != "ok":
            raise StoreError("the database is not whole")


def test_a_foreign_database_is_left_alone(tmp_path: Path) -> None:
    with sqlite3.connect(tmp_path / "x.db") as conn:
        conn.execute("CREATE TABLE alembic_version (version_num TEXT)")
    conn.close()
    with pytest.raises(StoreError, match="another version"):
        Store.open(f"sqlite:///{tmp_path / 'x.db'}")


# Nothing in clear

_TELLING = 7  # characters below which a match may be chance


def traces(*folders: Path) -> list[str]:
    """Return the files that hold a planted value: as it is, in UTF-16, in hex or in base64."""
    wanted = set()
    for each in (needle.encode() for needle in NEEDLES):
        wanted |= {each, each.decode().encode("utf-16-le"), each.hex().upper().encode()}
        inner = (base64.b64encode(each[at:])[2:-4].upper() for at in range(3))
        wanted |= {one for one in inner if len(one) >= _TELLING}
    found = []
    for folder in folders:
        for path in folder.rglob("*"):
            if path.is_file():
                data = path.read_bytes().upper()
                found += [f"{path}: {each!r}" for each in wanted if each in data]
    return found


def test_nothing_is_in_clear_at_any_moment(
    make_store: Maker,
    master: MasterKey,
    tmp_path: Path,
    key: ProjectKey,
    monkeypatch: pytest.MonkeyPatch,
    request: pytest.FixtureRequest,
) -> None:
    """Data folder, objects, WAL, the server's own files, temporary files, and crash output."""
    temporary = tmp_path / "t"
    temporary.mkdir()
    monkeypatch.setenv("TMPDIR", str(temporary))
    monkeypatch.setattr(tempfile, "tempdir", str(temporary))
    source = planted(tmp_path / "in", 3)
    assert traces(source)
    vault = Vault(make_store(), master)
    places = [Path(vault.store.home), temporary]
    if vault.store.dialect == "postgresql":
        places.append(request.getfixturevalue("postgresql").folder)
    looked: list[str] = []

    def look(name: str) -> None:
        if name not in looked:  # the first time each place is passed
            looked.append(name)
            assert traces(*places[: 2 if name.startswith("vault") else 3]) == [], name

    with faults.planned(look):
        told = submit(vault, [str(source)], keep=True)
        Worker(vault, engine_cleaner(key)).run()
    assert "submit.result-stored" in looked
    assert states(vault) == [("done", {"done": 3})]
    assert traces(*places) == []
    crash = ""
    try:
        list(vault.shelf.get(told.person, "original", "none"))
    except SafelightError:
        crash = traceback.format_exc()
    assert crash
    assert not any(needle in crash.upper() for needle in NEEDLES)


def test_what_is_left_after_an_erasure_opens_with_no_key(
    make_store: Maker, master: MasterKey, tmp_path: Path, key: ProjectKey
) -> None:
    """The wrapped key of before, from a page or a log, and every object of before."""
    vault = Vault(make_store(), master)
    told = submit(vault, [str(planted(tmp_path / "in", 2))], keep=True)
    Worker(vault, engine_cleaner(key)).run()
    with vault.store.read() as conn:
        wrapped = conn.exec_driver_sql("SELECT wrapped FROM vault_people").scalar_one()
    assert len(contents(vault)) == 4
    vault.destroy_key(told.person)
    vault.store.vacuum()
    home = Path(vault.store.home)
    assert not [path for path in home.rglob("*") if path.is_file() and wrapped in path.read_bytes()]
    assert not any(
        told.person in str(path.relative_to(home))
        for path in home.rglob("*")
        if "erased" not in str(path)
    )
    for guess in (bytes(32), bytes(wrapped[:32]), master.wrapping()):
        with pytest.raises(CorruptedError):  # the wrapped key from a forensic copy, no share
            open_box(vault.people._outer(guess), bound("data-key", told.person), wrapped)

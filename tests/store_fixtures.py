"""A real SQLite file and a real PostgreSQL server for the tests of everything that is stored.

The server is Debian's; it is started once a session, in a temporary folder, on a Unix socket, as a
user without privileges. Where it is not installed the tests run on SQLite alone, and the head of
the report says so.
"""

import glob
import itertools
import os
import pwd
import shutil
import subprocess
import tempfile
import time
from collections.abc import Callable, Iterator
from datetime import timedelta
from pathlib import Path

import pg8000.native
import pytest

from safelight.store import Store

__all__ = ["DATABASES", "database", "later", "make_store", "postgresql", "report", "store"]

_BINARIES = sorted(glob.glob("/usr/lib/postgresql/*/bin/initdb"))
BINARIES = os.path.dirname(_BINARIES[-1]) if _BINARIES else ""
DATABASES = ("sqlite", "postgresql") if BINARIES else ("sqlite",)
_UNPRIVILEGED = "postgres"
_numbers = itertools.count()


def report() -> str:
    """Return the line for the head of the report."""
    if BINARIES:
        return f"databases: sqlite, postgresql ({BINARIES})"
    return (
        "databases: sqlite ONLY: no PostgreSQL server is installed here, so nothing below was"
        " tested against it (Debian: apt-get install postgresql)"
    )


class Server:
    """A PostgreSQL server of this test session's own."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.user = "postgres"
        self._as: list[str] = []
        if os.geteuid() == 0:
            who = pwd.getpwnam(_UNPRIVILEGED)
            os.chown(folder, who.pw_uid, who.pw_gid)
            self._as = ["setpriv", f"--reuid={who.pw_uid}", f"--regid={who.pw_gid}"]
            self._as += ["--clear-groups"]
        self._run("initdb", "-D", "data", "-U", self.user, "-A", "trust", "-E", "UTF8", "--no-sync")
        self.start()
        self.sql("CREATE DATABASE base")
        with Store.open(self.url("base"), objects=str(folder / "o"), home=str(folder / "h")):
            pass

    def start(self) -> None:
        """Start the server and wait until it answers."""
        # Clients are killed in these tests, not the machine: no wait for the disk.
        options = f"-k {self.folder} -c listen_addresses= -c fsync=off -c max_connections=60"
        self._run("pg_ctl", "-D", "data", "-o", options, "-l", "log", "-w", "start")

    def stop(self, mode: str = "immediate") -> None:
        """Stop the server."""
        self._run("pg_ctl", "-D", "data", "-m", mode, "-w", "stop")

    def _run(self, program: str, *arguments: str) -> None:
        command = [*self._as, os.path.join(BINARIES, program), *arguments]
        subprocess.run(
            command,
            cwd=self.folder,
            check=True,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )

    def url(self, name: str) -> str:
        """Return the address of one of its databases."""
        return f"postgresql://{self.user}@/{name}?host={self.folder}"

    def sql(self, statement: str) -> None:
        """Run one statement outside of any transaction."""
        socket = os.path.join(self.folder, ".s.PGSQL.5432")
        with pg8000.native.Connection(self.user, unix_sock=socket, database="postgres") as conn:
            conn.autocommit = True
            conn.run(statement)

    def fresh(self) -> str:
        """Return the address of a new database that holds all tables, and no rows."""
        name = f"t{next(_numbers)}"
        self.sql(f"CREATE DATABASE {name} TEMPLATE base")
        return self.url(name)

    def drop(self, url: str) -> None:
        """Remove a database of ``fresh`` with all its files."""
        name = url.removeprefix(f"postgresql://{self.user}@/").partition("?")[0]
        self.sql(f"DROP DATABASE {name} WITH (FORCE)")


@pytest.fixture(scope="session")
def postgresql() -> Iterator[Server]:
    """Start a server for this session."""
    folder = Path(tempfile.mkdtemp(prefix="slpg-", dir="/tmp"))  # a socket's path is short
    server = Server(folder)
    yield server
    server.stop()
    shutil.rmtree(folder)


@pytest.fixture(params=DATABASES)
def database(request: pytest.FixtureRequest) -> str:
    """Name the database that a test runs on; a test that asks for it runs on each."""
    return str(request.param)


@pytest.fixture
def make_store(
    database: str, request: pytest.FixtureRequest, tmp_path: Path
) -> Iterator[Callable[..., Store]]:
    """Return a function that opens the test's store; every call gives one more on the same data.

    ``make_store(objects="s3://…")`` puts the objects elsewhere.
    """
    opened: list[Store] = []
    home = tmp_path / "store"
    if database == "sqlite":
        url = f"sqlite:///{home / 'safelight.db'}"
    else:
        url = request.getfixturevalue("postgresql").fresh()

    def make(*, objects: str = "") -> Store:
        store = Store.open(url, objects=objects or str(home / "objects"), home=str(home))
        opened.append(store)
        return store

    make.url = url  # type: ignore[attr-defined]  # for tests that open it in another process
    make.home = str(home)  # type: ignore[attr-defined]  # as above
    yield make
    for store in opened:
        store.close()
    if database == "postgresql":
        request.getfixturevalue("postgresql").drop(url)


@pytest.fixture
def store(make_store: Callable[..., Store]) -> Store:
    """Return an empty store, once on each database."""
    return make_store()


@pytest.fixture
def later(monkeypatch: pytest.MonkeyPatch) -> list[timedelta]:
    """Return a list: what is put into it moves the clock of the store forwards."""
    moved: list[timedelta] = []
    real = time.time_ns

    def told() -> int:
        return real() + int(sum(moved, timedelta()).total_seconds()) * 10**9

    monkeypatch.setattr("safelight.store.clock.time.time_ns", told)
    return moved

"""Two engines on one database: one that writes, one that reads. Here alone dialects differ."""

import os
import sqlite3
import time
from typing import Any, Final

from sqlalchemy import URL, Connection, Engine, create_engine, event, make_url, text
from sqlalchemy.exc import ArgumentError, NoSuchModuleError, OperationalError
from sqlalchemy.pool import QueuePool

from safelight.errors import SettingsError

__all__ = ["BUSY_SECONDS", "engines", "read_url"]

BUSY_SECONDS: Final = 30.0
_PAUSE: Final = 0.002  # seconds between two tries to become the writer
_SHORT: Final = "PRAGMA busy_timeout=2"  # milliseconds that one try waits inside of SQLite
_WRITE_LOCK: Final = 0x5AFE_1167  # the one advisory lock that makes writers take turns
_PRAGMAS: Final = (
    "PRAGMA journal_mode=WAL",
    "PRAGMA synchronous=FULL",
    "PRAGMA foreign_keys=ON",
    "PRAGMA secure_delete=ON",  # what is deleted is overwritten, not only unlinked
    "PRAGMA temp_store=MEMORY",  # no page of ours in a temporary file
    "PRAGMA cell_size_check=ON",
    "PRAGMA trusted_schema=OFF",
)


def read_url(url: str) -> URL:
    """Return the address of a database, with the driver we use.

    Args:
        url: ``sqlite:///path/of/file.db`` or ``postgresql://user@host/name``; a ``host`` in the
            query that starts with a slash names the folder of a Unix socket.

    Raises:
        SettingsError: It is neither.
    """
    try:
        read = make_url(url)
    except ArgumentError:
        raise _wrong() from None
    if read.drivername == "sqlite" and read.database and read.database != ":memory:":
        return read.set(drivername="sqlite+pysqlite")
    if read.drivername in ("postgresql", "postgres", "postgresql+pg8000") and read.database:
        return read.set(drivername="postgresql+pg8000")
    raise _wrong()


def _wrong() -> SettingsError:
    return SettingsError(
        "the address of the database is neither SQLite nor PostgreSQL",
        todo="write sqlite:////path/of/a.db or postgresql://user:password@host/name",
    )


def engines(url: URL) -> tuple[Engine, Engine]:
    """Return the engine that writes and the engine that reads.

    Raises:
        SettingsError: The driver is not installed.
    """
    try:
        return _sqlite(url) if url.get_backend_name() == "sqlite" else _postgresql(url)
    except (NoSuchModuleError, ImportError):
        raise SettingsError("the database's driver is not installed") from None


def _sqlite(url: URL) -> tuple[Engine, Engine]:
    path = os.path.abspath(url.database or "")

    def connect(*more: str) -> sqlite3.Connection:
        connection = sqlite3.connect(
            path,
            timeout=BUSY_SECONDS,
            isolation_level=None,  # SQLAlchemy's events below begin, not the driver
            check_same_thread=False,
            cached_statements=512,
        )
        for pragma in (*_PRAGMAS, *more):
            connection.execute(pragma)
        return connection

    made = [
        create_engine(
            "sqlite+pysqlite://",
            creator=creator,
            poolclass=QueuePool,
            pool_size=size,
            max_overflow=16,
            hide_parameters=True,
        )
        for size, creator in (
            (1, lambda: connect(_SHORT)),
            (8, lambda: connect("PRAGMA query_only=ON")),
        )
    ]
    write, read = made
    event.listen(write, "begin", _begin_immediate)
    event.listen(read, "begin", lambda conn: conn.exec_driver_sql("BEGIN"))
    return write, read


def _begin_immediate(conn: Connection) -> None:
    """Wait for our turn to write.

    SQLite's own waiting sleeps up to 0.1 s between tries, and a writer's turn takes a few
    milliseconds: we ask more often.
    """
    until = time.monotonic() + BUSY_SECONDS
    while True:
        try:
            conn.exec_driver_sql("BEGIN IMMEDIATE")
        except OperationalError as error:
            if "locked" not in str(error.orig) or time.monotonic() >= until:
                raise
            time.sleep(_PAUSE)
        else:
            return


def _postgresql(url: URL) -> tuple[Engine, Engine]:
    query = dict(url.query)
    options: dict[str, Any] = {"application_name": "safelight"}
    host = query.pop("host", "")
    if isinstance(host, str) and host.startswith("/"):
        options["unix_sock"] = os.path.join(host, f".s.PGSQL.{url.port or 5432}")
        url = url.set(port=None)
    url = url.set(query=query)
    write = create_engine(
        url,
        connect_args=options,
        pool_pre_ping=True,
        isolation_level="READ COMMITTED",
        hide_parameters=True,
    )
    read = create_engine(
        url,
        connect_args=options,
        pool_pre_ping=True,
        isolation_level="REPEATABLE READ",
        hide_parameters=True,
    )
    event.listen(write, "begin", _take_turn)
    event.listen(read, "begin", lambda conn: conn.exec_driver_sql("SET TRANSACTION READ ONLY"))
    return write, read


def _take_turn(conn: Connection) -> None:
    """Wait for our turn to write: a decision that was read holds until it is committed."""
    conn.execute(text(f"SET LOCAL lock_timeout = {int(BUSY_SECONDS * 1000)}"))
    conn.execute(text(f"SELECT pg_advisory_xact_lock({_WRITE_LOCK})"))

"""Named locks between processes: held by a file or a session, and so given up with the process."""

import hashlib
import os
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress

from sqlalchemy import Connection, Engine, text
from sqlalchemy.exc import SQLAlchemyError

from safelight.errors import StoreBusyError, StoreError
from safelight.store.failures import from_database, from_system

__all__ = ["advisory_lock", "file_lock", "file_presence", "lock_number"]

_PAUSE = 0.02


@contextmanager
def file_lock(folder: str, name: str, wait: float) -> Iterator[None]:
    """Hold a lock file, for processes on one machine.

    Args:
        folder: Where lock files lie; made if absent.
        name: Of the lock, letters, digits and dashes.
        wait: Seconds to wait for it.

    Raises:
        StoreBusyError: Another process holds it for longer.
        StoreError: The file cannot be made.
    """
    try:
        os.makedirs(folder, mode=0o700, exist_ok=True)
        descriptor = os.open(os.path.join(folder, f"{name}.lock"), os.O_RDWR | os.O_CREAT, 0o600)
    except OSError as error:
        raise from_system(error, "a lock file") from None
    try:
        _flock(descriptor, name, wait)
        yield
    finally:
        os.close(descriptor)


def _flock(descriptor: int, name: str, wait: float) -> None:
    try:
        import fcntl  # noqa: PLC0415  # not on every system
    except ImportError:
        raise StoreError("this system has no file locks; use PostgreSQL") from None
    until = time.monotonic() + wait
    while True:
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            if time.monotonic() >= until:
                raise _busy(name) from None
            time.sleep(_PAUSE)
        else:
            return


@contextmanager
def advisory_lock(engine: Engine, name: str, wait: float) -> Iterator[None]:
    """Hold a PostgreSQL advisory lock in a session of its own, for processes on any machine.

    Raises:
        StoreBusyError: Another process holds it for longer.
        StoreError: The server cannot be reached.
    """
    number = lock_number(name)
    try:
        conn = engine.connect().execution_options(isolation_level="AUTOCOMMIT")
    except SQLAlchemyError as error:
        raise from_database(error) from None
    with conn:
        until = time.monotonic() + wait
        while not _taken(conn, number):
            if time.monotonic() >= until:
                raise _busy(name)
            time.sleep(_PAUSE)
        try:
            yield
        finally:
            with suppress(SQLAlchemyError):  # a session that is gone holds nothing any more
                conn.execute(text("SELECT pg_advisory_unlock(:n)"), {"n": number})


def _taken(conn: Connection, number: int) -> bool:
    try:
        return bool(conn.execute(text("SELECT pg_try_advisory_lock(:n)"), {"n": number}).scalar())
    except SQLAlchemyError as error:
        raise from_database(error) from None


def lock_number(name: str) -> int:
    """Return the number by which PostgreSQL knows a named lock."""
    return int.from_bytes(hashlib.sha256(name.encode()).digest()[:8], "big", signed=True)


@contextmanager
def file_presence(folder: str, name: str) -> Iterator[None]:
    """Hold a lock file that shows this process to be alive, and remove it at the end."""
    with file_lock(folder, name, 0):
        yield
        with suppress(OSError):
            os.unlink(os.path.join(folder, f"{name}.lock"))


def _busy(name: str) -> StoreBusyError:
    return StoreBusyError(f"the lock {name!r} is held by another process")

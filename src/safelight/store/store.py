"""The store: transactions, objects, the clock and locks of one data folder or one server."""

import os
import threading
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager, suppress
from typing import Any, Final, Self

from sqlalchemy import Connection, inspect, text
from sqlalchemy.exc import SQLAlchemyError

from safelight.errors import SettingsError, StoreBusyError, StoreError
from safelight.store import schema
from safelight.store.clock import Clock
from safelight.store.engines import BUSY_SECONDS, engines, read_url
from safelight.store.failures import from_database, from_system
from safelight.store.locks import advisory_lock, file_lock, file_presence
from safelight.store.made import check_made, lost, size_of
from safelight.store.objects import Objects
from safelight.store.schema.base import clock as clock_table

__all__ = ["Store"]

DATABASE: Final = "safelight.db"
OBJECTS: Final = "objects"


class Store:
    """An open store. Make one with ``open`` or ``at``, one for each process; threads may share it.

    Attributes:
        home: Local folder of locks and of the list of the erased.
        objects: Where ciphertext lies.
        clock: UTC that never goes back.
        dialect: ``sqlite`` or ``postgresql``.
    """

    def __init__(self, url: str, *, objects: str, home: str, make: bool = True) -> None:
        self.url = read_url(url)
        self.dialect: Final = self.url.get_backend_name()
        self.home: Final = os.path.abspath(home)
        self._path = ""
        if self.dialect == "sqlite":
            self._path = os.path.abspath(self.url.database or "")
        if make:
            if self._path:
                _make_file(self._path)
            _make_folder(self.home)
        else:
            check_made(self._path, self.home, objects)
        self._file = _identity(self._path)
        self.objects: Final = Objects(objects)
        self.clock: Final = Clock()
        self._write, self._read = engines(self.url)
        self._turn = threading.Lock()
        self._mine = threading.local()

    @classmethod
    def open(cls, url: str, *, objects: str = "", home: str = "", make: bool = True) -> Self:
        """Open a store, and make its tables when the database is empty.

        Args:
            url: ``sqlite:////path/of/a.db`` or ``postgresql://user:password@host/name``.
            objects: Folder or ``s3://bucket/prefix``; empty with SQLite: ``objects`` beside the
                database.
            home: Local folder for locks and the list of the erased; empty: the database's folder,
                or the one that holds the folder of objects.
            make: False: open what was made before, and make nothing: no folder, file or table.

        Raises:
            SettingsError: An address cannot be read, or ``home`` is needed and not given.
            StoreError: The database cannot be reached, or is of another version; it is empty and
                must not be made, or objects lie beside it that it says nothing of.
        """
        read = read_url(url)
        if read.get_backend_name() == "sqlite":
            home = home or os.path.dirname(os.path.abspath(read.database or ""))
            objects = objects or os.path.join(home, OBJECTS)
        if not home and objects and "://" not in objects:
            home = os.path.dirname(os.path.abspath(objects))
        if not home or not objects:
            raise SettingsError("the store needs a place for objects and a local folder")
        store = cls(url, objects=objects, home=home, make=make)
        try:
            store.prepare(make=make)
        except BaseException:
            store.close()
            raise
        return store

    @classmethod
    def at(cls, folder: str | os.PathLike[str]) -> Self:
        """Open the store of one data folder: SQLite and local objects, made when absent."""
        path = os.path.abspath(folder)
        return cls.open(f"sqlite:///{os.path.join(path, DATABASE)}")

    @classmethod
    def upgrade(cls, url: str, *, home: str = "") -> tuple[str, str]:
        """Bring a database that an earlier version made up to this one; make a backup first.

        Args:
            url: As for ``open``.
            home: As for ``open``.

        Returns:
            The revision it had, and the one it has.

        Raises:
            StoreError: It was made by a later version, or is not Safelight's.
        """
        from safelight.store.upgrade import upgrade  # noqa: PLC0415  # start-up cost

        path = os.path.abspath(read_url(url).database or "")
        home = home or os.path.dirname(path)
        if read_url(url).get_backend_name() == "sqlite" and not size_of(path):
            raise StoreError("the database is not one of Safelight's")  # and none is made here
        store = cls(url, objects=os.path.join(home, OBJECTS), home=home)
        try:
            with store.lock("schema"), _translated(), store._write.begin() as conn:  # own class
                if not inspect(conn).has_table("alembic_version"):
                    raise StoreError("the database is not one of Safelight's")
                found = text("SELECT version_num FROM alembic_version")
                before = str(conn.execute(found).scalar())
                upgrade(conn)
            return before, schema.REVISION
        finally:
            store.close()

    def prepare(self, *, make: bool = True) -> None:
        """Make the tables of an empty database; refuse one of another version.

        Args:
            make: False: refuse an empty database as well.

        Raises:
            StoreError: It was made by another version of Safelight, belongs to something else, or
                is empty and must not be made.
        """
        with self.lock("schema"), _translated():
            with self._write.connect() as conn:
                tables = inspect(conn).get_table_names()
                version = (
                    conn.execute(text("SELECT version_num FROM alembic_version")).scalar()
                    if "alembic_version" in tables
                    else None
                )
            if "alembic_version" not in tables:
                self._check_may_make(tables, make=make)
                self._create()
            elif version != schema.REVISION:
                raise StoreError(
                    "the database was made by another version of Safelight",
                    kept="nothing was changed",
                    todo="run safelight init with this version, after a backup",
                )
            with self._read.begin() as conn:
                self.clock.learn(conn)

    def _check_may_make(self, tables: list[str], *, make: bool) -> None:
        """Refuse to make tables where that would take the place of something.

        Raises:
            StoreError: It would.
        """
        if tables:
            raise StoreError(
                "the database belongs to something else: it holds tables, and none of Safelight's",
                kept="nothing was changed",
                todo="check the address (--data, --database)",
            )
        if next(iter(self.objects.list()), None) is not None:
            raise lost("the database is empty")
        if not make:
            raise StoreError(
                "there is no vault here: the database is empty",
                kept="nothing was made or changed",
                todo="check the address (--data, --database), or run safelight init to make one",
            )

    def _create(self) -> None:
        with self._write.begin() as conn:
            schema.metadata.create_all(conn)
            conn.execute(clock_table.insert().values(id=1, high=0))
            conn.execute(
                text(
                    "CREATE TABLE alembic_version (version_num VARCHAR(32) NOT NULL,"
                    " CONSTRAINT alembic_version_pkc PRIMARY KEY (version_num))"
                )
            )
            conn.execute(
                text("INSERT INTO alembic_version (version_num) VALUES (:v)"),
                {"v": schema.REVISION},
            )

    @contextmanager
    def begin(self) -> Iterator[Connection]:
        """Give a connection inside a write transaction: committed at the end, or not at all.

        One writer at a time, on either database: what was read inside holds until the commit.
        Keep it short; no file and no object is read or written meanwhile.

        Raises:
            StoreBusyError: Others write for longer than 30 s.
            StoreFullError: There is no room.
            StoreError: The database is gone or damaged.
            RuntimeError: This thread is inside of another write transaction.
        """
        if getattr(self._mine, "open", False):
            raise RuntimeError("a write transaction is open in this thread")
        self._check_file()
        with self._turn, _translated():
            self._mine.open = True
            try:
                with self._write.begin() as conn:
                    self.clock.learn(conn)
                    yield conn
                    self.clock.keep(conn)
            finally:
                self._mine.open = False

    @contextmanager
    def read(self) -> Iterator[Connection]:
        """Give a connection that sees one moment of the database and cannot change it.

        Raises:
            StoreError: The database is gone, busy or damaged.
        """
        self._check_file()
        with _translated(), self._read.begin() as conn:
            yield conn

    def lock(self, name: str, *, wait: float = BUSY_SECONDS) -> AbstractContextManager[None]:
        """Hold a named lock against every other process of this store.

        Args:
            name: Letters, digits and dashes.
            wait: Seconds to wait for it.
        """
        if self.dialect == "sqlite":
            return file_lock(os.path.join(self.home, "locks"), name, wait)
        return advisory_lock(self._read, name, wait)

    def presence(self, owner: str) -> AbstractContextManager[None]:
        """Show that a process is alive, to every other one, until it ends or dies.

        Args:
            owner: A new id; each process has its own.
        """
        if self.dialect == "sqlite":
            return file_presence(os.path.join(self.home, "locks"), f"owner-{owner}")
        return advisory_lock(self._read, f"owner-{owner}", 0)

    def is_gone(self, owner: str) -> bool:
        """Tell whether a process that once showed its presence has ended or died."""
        name = f"owner-{owner}"
        if self.dialect == "sqlite" and not os.path.exists(
            os.path.join(self.home, "locks", f"{name}.lock")
        ):
            return True
        try:
            with self.presence(owner):  # nobody holds it; its file goes at the end
                return True
        except StoreBusyError:
            return False

    def vacuum(self) -> None:
        """Write the database anew, so that no page, free list or WAL holds what was deleted.

        Raises:
            StoreError: There is no room for the copy, or it is busy.
        """
        with self._turn, _translated():
            if self.dialect == "sqlite":  # no reader may hold old pages; on PostgreSQL they may
                self._read.dispose()
            raw = self._write.raw_connection()
            try:
                driver: Any = raw.driver_connection
                if self.dialect == "sqlite":
                    driver.execute(f"PRAGMA busy_timeout={int(BUSY_SECONDS * 1000)}")
                    driver.execute("VACUUM")
                    driver.execute("PRAGMA wal_checkpoint(TRUNCATE)")
                else:
                    raw.rollback()  # the pool's own check of the connection began one
                    driver.autocommit = True
                    driver.run("VACUUM FULL")
                    with suppress(Exception):  # only a superuser may
                        driver.run("CHECKPOINT")
            except Exception as error:
                if isinstance(error, self._write.dialect.loaded_dbapi.Error):
                    raise StoreError(
                        f"the database could not be written anew ({type(error).__name__})",
                        todo="make room for a copy of it, then try again",
                    ) from None
                raise
            finally:
                raw.invalidate()

    def close(self) -> None:
        """Close every connection."""
        self._write.dispose()
        self._read.dispose()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def __repr__(self) -> str:
        return f"Store(<{self.dialect}>)"

    def _check_file(self) -> None:
        """Refuse to write into a database file that was moved or deleted under our feet.

        Raises:
            StoreError: It was.
        """
        if self._path and _identity(self._path) != self._file:
            raise StoreError(
                "the database file is no longer where it was",
                todo="put it back, or open the store again",
            )


@contextmanager
def _translated() -> Iterator[None]:
    try:
        yield
    except SQLAlchemyError as error:
        raise from_database(error) from None  # its text may hold values


def _identity(path: str) -> tuple[int, int]:
    try:
        told = os.stat(path) if path else None
    except OSError:
        return (0, 0)
    return (told.st_dev, told.st_ino) if told else (0, 0)


def _make_folder(path: str) -> None:
    try:
        os.makedirs(path, mode=0o700, exist_ok=True)
    except OSError as error:
        raise from_system(error, "the data folder") from None


def _make_file(path: str) -> None:
    """Make the database file, for its owner alone; WAL and SHM take its permissions over."""
    _make_folder(os.path.dirname(path))
    try:
        os.close(os.open(path, os.O_RDWR | os.O_CREAT, 0o600))
    except OSError as error:
        raise from_system(error, "the database file") from None

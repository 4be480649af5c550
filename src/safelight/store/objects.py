"""Objects by key, in a local folder or in an S3-compatible store; what is put here is ciphertext.

A put is atomic: a reader sees the whole object or none. In a local folder it is also on the disk
when ``put`` returns.
"""

import os
from collections.abc import Iterable, Iterator
from contextlib import contextmanager, suppress
from datetime import UTC, datetime, timedelta
from itertools import chain
from typing import Any, Final
from urllib.parse import parse_qsl, urlsplit

import obstore
from obstore.exceptions import BaseError
from obstore.store import LocalStore, S3Store

from safelight.errors import SettingsError, StoreError, StoreFullError
from safelight.store.failures import from_system

__all__ = ["MissingError", "Objects"]

_WHOLE: Final = 8 << 20  # bytes up to which an object is sent in one piece
_CHUNK: Final = 1 << 20
_STAGED: Final = "#"  # in the name of a local file that is still being written


class MissingError(StoreError):
    """There is no object of this key."""


class Objects:
    """The objects of one store.

    Args:
        address: A folder, or ``s3://bucket/prefix?endpoint=https://…&region=…``. Credentials come
            from the environment (``AWS_ACCESS_KEY_ID``, …) or from the machine's role.

    Raises:
        SettingsError: The address cannot be read.
        StoreError: The folder cannot be made.
    """

    def __init__(self, address: str) -> None:
        self.folder = ""
        if "://" in address and not address.startswith("file://"):
            self._store: Any = _s3(address)
            return
        self.folder = os.path.abspath(address.removeprefix("file://"))
        try:
            os.makedirs(self.folder, mode=0o700, exist_ok=True)
        except OSError as error:
            raise from_system(error, "the folder of objects") from None
        self._store = LocalStore(self.folder)

    def put(self, key: str, chunks: Iterable[bytes]) -> int:
        """Store an object, in place of any of that key; return its size in bytes.

        Args:
            key: Path of the object, of opaque parts joined by ``/``.
            chunks: Its bytes, in order; an exception in there leaves nothing behind.

        Raises:
            StoreFullError: There is no room.
            StoreError: It cannot be written.
        """
        source = iter(chunks)
        first, size = bytearray(), 0
        for chunk in source:
            first += chunk
            if len(first) >= _WHOLE:
                break
        else:
            with _told("an object"):
                obstore.put(self._store, key, bytes(first), use_multipart=False)
            self._settle(key)
            return len(first)
        size = 0

        def counted() -> Iterator[bytes]:
            nonlocal size
            for chunk in chain((bytes(first),), source):
                size += len(chunk)
                yield chunk

        with _told("an object"):
            obstore.put(self._store, key, counted(), use_multipart=True)
        self._settle(key)
        return size

    def get(self, key: str) -> Iterator[bytes]:
        """Yield the bytes of an object, in chunks of about 1 MiB.

        Raises:
            StoreError: There is no such object, or it cannot be read.
        """
        with _told("an object"):
            for chunk in obstore.get(self._store, key).stream(min_chunk_size=_CHUNK):
                yield bytes(chunk)

    def delete(self, key: str) -> None:
        """Remove an object; it is no error when there is none."""
        with suppress(MissingError), _told("an object"):
            obstore.delete(self._store, key)
        if self.folder:
            self._sync_folder(key)

    def exists(self, key: str) -> bool:
        """Tell whether there is an object of this key."""
        try:
            with _told("an object"):
                obstore.head(self._store, key)
        except MissingError:
            return False
        return True

    def stale(self, prefix: str, older: timedelta) -> Iterator[str]:
        """Yield the keys below a prefix that were written at least so long ago."""
        limit = datetime.now(UTC) - older
        with _told("the list of objects"):
            for batch in obstore.list(self._store, prefix=prefix or None):
                for found in batch:
                    if found["last_modified"] <= limit:
                        yield found["path"]

    def clear_leftovers(self, older: timedelta, prefix: str = "") -> int:
        """Remove local files of puts that were killed while writing; return how many.

        Args:
            older: Only those touched at least so long ago: younger ones may be in the making.
            prefix: Only below this prefix of whole path parts.
        """
        limit = datetime.now(UTC).timestamp() - older.total_seconds()
        count = 0
        if self.folder:
            for folder, _, names in os.walk(os.path.join(self.folder, prefix)):
                for path in (os.path.join(folder, name) for name in names if _STAGED in name):
                    with suppress(FileNotFoundError):
                        if os.stat(path).st_mtime <= limit:
                            os.unlink(path)
                            count += 1
        return count

    def remove_folders(self, prefix: str) -> None:
        """Remove the empty local folders below a prefix, and the one of that name."""
        if self.folder:
            for place, _, _ in os.walk(os.path.join(self.folder, prefix), topdown=False):
                with suppress(OSError):  # one that is not empty stays
                    os.rmdir(place)

    def list(self, prefix: str = "") -> Iterator[tuple[str, int]]:
        """Yield (key, bytes) of the objects below a prefix of whole path parts."""
        with _told("the list of objects"):
            for batch in obstore.list(self._store, prefix=prefix or None):
                for found in batch:
                    yield found["path"], found["size"]

    def _settle(self, key: str) -> None:
        """Bring a local object to the disk before anybody is told that it is stored."""
        if not self.folder:
            return
        try:
            descriptor = os.open(os.path.join(self.folder, key), os.O_RDONLY)
            try:
                os.fsync(descriptor)
            finally:
                os.close(descriptor)
        except OSError as error:
            raise from_system(error, "an object") from None
        self._sync_folder(key)

    def _sync_folder(self, key: str) -> None:
        with suppress(OSError):  # not every file system can sync a folder
            descriptor = os.open(os.path.dirname(os.path.join(self.folder, key)), os.O_RDONLY)
            try:
                os.fsync(descriptor)
            finally:
                os.close(descriptor)


def _s3(address: str) -> Any:
    parts = urlsplit(address)
    options = dict(parse_qsl(parts.query))
    if parts.scheme != "s3" or not parts.netloc or set(options) - {"endpoint", "region"}:
        raise SettingsError(
            "the address of the object store cannot be read",
            todo="write a folder, or s3://bucket/prefix?endpoint=https://host&region=name",
        )
    config: dict[str, Any] = {}
    endpoint = options.get("endpoint", "")
    if endpoint:
        config["endpoint"] = endpoint
    if endpoint.startswith("http://"):
        config["client_options"] = {"allow_http": True}
    if "region" in options:
        config["region"] = options["region"]
    return S3Store(parts.netloc, prefix=parts.path.strip("/") or None, **config)


@contextmanager
def _told(what: str) -> Iterator[None]:
    """Turn a failure of the storage into ours, without its text, which may hold addresses."""
    try:
        yield
    except FileNotFoundError:
        raise MissingError(f"{what} is not there") from None
    except BaseError as error:
        text = str(error).lower()
        if "no space" in text or "os error 28" in text or "file too large" in text:
            raise StoreFullError(f"there is no room left for {what}") from None
        raise StoreError(f"{what} cannot be read or written ({type(error).__name__})") from None
    except OSError as error:
        raise from_system(error, what) from None

"""The list of the erased: ids alone, append-only, in more places than one.

A backup that is restored brings back the database, perhaps the objects and the whole data folder
too. The list lies in the data folder, among the objects and beside the master key; what stands in
any of them is erased again.
"""

import os
import re
from collections.abc import Sequence
from contextlib import suppress
from typing import Final

from safelight.store import Store
from safelight.store.failures import from_system

__all__ = ["ErasedList", "append_line"]

NAME: Final = "erased.list"
_PREFIX: Final = "erased/"
_LINE: Final = re.compile(rb"^([0-9a-f]{32})$", re.MULTILINE)


class ErasedList:
    """Every person that was ever erased here.

    Args:
        store: The store.
        beside: File of the master key, or empty; the list is kept next to it too.
    """

    def __init__(self, store: Store, beside: str = "") -> None:
        self._store = store
        self.path = os.path.join(store.home, NAME)
        self._second = f"{beside}.erased" if beside else ""

    def add(self, person: str) -> None:
        """Note one person, for good.

        Raises:
            StoreError: The list in the data folder or among the objects cannot be written.
        """
        if person not in read_lines(self.path):
            append_line(self.path, person)
        if self._second and person not in read_lines(self._second):
            with suppress(OSError):  # a key that is mounted read-only has no list beside it
                _append(self._second, person)
        if not self._store.objects.exists(_PREFIX + person):
            self._store.objects.put(_PREFIX + person, [b"erased\n"])

    def spread(self) -> frozenset[str]:
        """Bring every place up to date with the others; return the ids of the erased."""
        found = self.all()
        for path in filter(None, (self.path, self._second)):
            for person in sorted(found - set(read_lines(path))):
                with suppress(OSError):  # as above; the other places have it
                    _append(path, person)
        return found

    def all(self) -> frozenset[str]:
        """Return the ids of the erased, from every place that can be read."""
        found: set[str] = set()
        for path in filter(None, (self.path, self._second)):
            found.update(read_lines(path))
        names = (key.removeprefix(_PREFIX) for key, _ in self._store.objects.list("erased"))
        found.update(name for name in names if _LINE.fullmatch(name.encode()))
        return frozenset(found)


def read_lines(path: str) -> Sequence[str]:
    """Return the ids in a list file; a line torn by a kill is passed over."""
    try:
        with open(path, "rb") as file:
            return [match.decode() for match in _LINE.findall(file.read())]
    except FileNotFoundError:
        return []
    except OSError as error:
        raise from_system(error, "the list of the erased") from None


def append_line(path: str, person: str) -> None:
    """Append one id to a list file, on the disk before this returns.

    Raises:
        StoreError: It cannot be written.
    """
    try:
        _append(path, person)
    except OSError as error:
        raise from_system(error, "the list of the erased") from None


def _append(path: str, person: str) -> None:
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
    try:
        # The newline in front ends a line that a kill has torn.
        os.write(descriptor, f"\n{person}\n".encode())
        os.fsync(descriptor)
    finally:
        os.close(descriptor)

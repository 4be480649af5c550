"""Withdrawals, told outside of the database too: a restored backup must not bring a yes back.

One line a withdrawal, in the data folder and among the objects: code of the person, microseconds,
purpose. Whoever opens the store compares, and says again what the database has forgotten.
"""

import os
import re
from collections.abc import Iterable
from contextlib import suppress
from dataclasses import dataclass
from typing import Final

from safelight.store import Store
from safelight.store.failures import from_system
from safelight.vault.mirrors import MARK

__all__ = ["Withdrawn", "WithdrawnList"]

NAME: Final = "withdrawn.list"
_PREFIX: Final = "withdrawn"
# Between a line and a key, whose characters are fewer.
_THERE: Final = str.maketrans(" */:", "_@.=")
_BACK: Final = str.maketrans("_@.=", " */:")
_LINE: Final = re.compile(r"([0-9a-f]{32}) (\d{1,18}) (\*|[a-z][a-z-]*(?:/MONDO:\d{7})?)")


@dataclass(frozen=True, slots=True, kw_only=True, order=True)
class Withdrawn:
    """One withdrawal.

    Attributes:
        micros: When it was recorded, microseconds since 1970.
        person: Code of the person.
        purpose: Name of the purpose, ``*`` for all.
    """

    micros: int
    person: str
    purpose: str

    def __str__(self) -> str:
        return f"{self.person} {self.micros} {self.purpose}"

    @property
    def key(self) -> str:
        """Return the key of the object that stands for it; all of it is in the key."""
        return f"{_PREFIX}/{str(self).translate(_THERE)}"


class WithdrawnList:
    """Every withdrawal that was ever recorded here.

    Args:
        store: The store.
    """

    def __init__(self, store: Store) -> None:
        self._store = store
        self._path = os.path.join(store.home, NAME)

    def add(self, one: Withdrawn, backups: Iterable[str] = ()) -> None:
        """Note a withdrawal, for good; noting it again changes nothing.

        Args:
            one: The withdrawal.
            backups: Backup folders to note it in as well; one that cannot be reached gets the
                whole list at the next backup.

        Raises:
            StoreError: It cannot be written in the data folder or among the objects.
        """
        try:
            _append(self._path, one)
        except OSError as error:
            raise from_system(error, "the list of withdrawals") from None
        if not self._store.objects.exists(one.key):
            self._store.objects.put(one.key, [b"withdrawn\n"])
        for folder in backups:
            with suppress(OSError):
                if os.path.isfile(os.path.join(folder, MARK)):
                    os.makedirs(os.path.join(folder, "home"), mode=0o700, exist_ok=True)
                    _append(os.path.join(folder, "home", NAME), one)

    def all(self) -> list[Withdrawn]:
        """Return all withdrawals, oldest first, from both places."""
        try:
            found = _lines(self._path)
        except OSError as error:
            raise from_system(error, "the list of withdrawals") from None
        for key, _ in self._store.objects.list(_PREFIX):
            if one := _read(key.removeprefix(f"{_PREFIX}/").translate(_BACK)):
                found.add(one)
        return sorted(found)


def _lines(path: str) -> set[Withdrawn]:
    """Return the withdrawals in a list file; a line torn by a kill is passed over."""
    try:
        with open(path, encoding="utf-8", errors="replace") as file:
            return {found for line in file if (found := _read(line))}
    except FileNotFoundError:
        return set()


def _append(path: str, one: Withdrawn) -> None:
    if one in _lines(path):
        return
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
    try:
        # The newline in front ends a line that a kill has torn.
        os.write(descriptor, f"\n{one}\n".encode())
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def _read(line: str) -> Withdrawn | None:
    match = _LINE.fullmatch(line.strip())
    if match is None:
        return None
    return Withdrawn(person=match[1], micros=int(match[2]), purpose=match[3])

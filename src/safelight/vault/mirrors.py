"""Where backups lie: every erasure reaches them, now or as soon as they can be reached.

A backup folder holds data without key shares, and one current copy of the shares. To erase a
person there is to remove their share and their objects; a folder that cannot be reached (a disk in
a drawer) is told to the caller and tried again each time the vault is opened.
"""

import os
import re
import shutil
from collections.abc import Iterable
from typing import Final

from safelight.errors import StoreError
from safelight.store import Store
from safelight.store.failures import from_system
from safelight.vault.erased import NAME as ERASED
from safelight.vault.erased import append_line, read_lines

__all__ = ["LIST", "MARK", "Mirrors", "folders_in"]

MARK: Final = "safelight-backup"  # a file that tells a backup folder from any other
LIST: Final = "backups.list"
_PERSON: Final = re.compile(r"[0-9a-f]{32}")


class Mirrors:
    """The backup folders of one store."""

    def __init__(self, store: Store) -> None:
        self._path = os.path.join(store.home, LIST)

    def all(self) -> list[str]:
        """Return the folders, in the order they came.

        Raises:
            StoreError: The list cannot be read.
        """
        return folders_in(self._path)

    def add(self, folder: str) -> None:
        """Note a folder, for good.

        Raises:
            StoreError: The list cannot be written.
        """
        if folder in self.all():
            return
        try:
            flags = os.O_WRONLY | os.O_CREAT | os.O_APPEND
            descriptor = os.open(self._path, flags, 0o600)
            try:
                os.write(descriptor, os.fsencode(folder) + b"\n")
                os.fsync(descriptor)
            finally:
                os.close(descriptor)
        except OSError as error:
            raise from_system(error, "the list of backups") from None

    def erase(self, persons: Iterable[str]) -> list[str]:
        """Erase people in every backup; return the folders that could not be reached."""
        wanted = [person for person in persons if _PERSON.fullmatch(person)]
        return [folder for folder in self.all() if wanted and not _erase_in(folder, wanted)]


def folders_in(path: str) -> list[str]:
    """Return the folders that a list names, in the order they came; none when there is no list.

    Raises:
        StoreError: The list cannot be read.
    """
    try:
        with open(path, encoding="utf-8", errors="surrogateescape") as file:
            return list(dict.fromkeys(line.rstrip("\n") for line in file if line.strip()))
    except FileNotFoundError:
        return []
    except OSError as error:
        raise from_system(error, "the list of backups") from None


def _erase_in(folder: str, persons: Iterable[str]) -> bool:
    try:
        if not os.path.isfile(os.path.join(folder, MARK)):
            return False
        listed = frozenset(read_lines(os.path.join(folder, ERASED)))
        for person in persons:
            if person in listed:  # the line is written last, so all of it was done
                continue
            share = os.path.join(folder, "shares", person)
            if os.path.exists(share):
                _overwrite(share)
                os.unlink(share)
            if os.path.isdir(objects := os.path.join(folder, "objects", "p", person)):
                shutil.rmtree(objects)
            append_line(os.path.join(folder, ERASED), person)
    except (OSError, StoreError):
        return False
    return True


def _overwrite(path: str) -> None:
    """Overwrite a share before its name goes; on most disks that reaches the blocks."""
    with open(path, "r+b") as file:
        file.write(os.urandom(os.fstat(file.fileno()).st_size))
        file.flush()
        os.fsync(file.fileno())

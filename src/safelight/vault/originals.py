"""Originals: bytes that may identify someone. They lie here and nowhere else, encrypted.

By default one is deleted as soon as it is de-identified; a person may keep theirs. Intake, the
pipeline and de-identification may use this module; no room that looks at images may.
"""

from collections.abc import Iterable, Iterator, Sequence
from datetime import datetime

from sqlalchemy import Connection

from safelight.vault.objects import KEPT, UNTIL_DEIDENTIFIED, Stored
from safelight.vault.vault import ORIGINAL, Vault

__all__ = ["Originals"]


class Originals:
    """The originals of a vault."""

    def __init__(self, vault: Vault) -> None:
        self._shelf = vault.shelf

    def write(self, person: str, name: str, chunks: Iterable[bytes]) -> Stored:
        """Encrypt an original into the store; ``record`` or ``discard`` it."""
        return self._shelf.write(person, ORIGINAL, name, chunks)

    def record(
        self,
        conn: Connection,
        stored: Sequence[Stored],
        *,
        keep: bool = False,
        until: datetime | None = None,
    ) -> None:
        """Record written originals in the caller's transaction.

        Args:
            conn: The write transaction.
            stored: What ``write`` returned.
            keep: The person keeps theirs; else it goes once it is de-identified.
            until: It goes at this moment at the latest.
        """
        why = KEPT if keep else UNTIL_DEIDENTIFIED
        self._shelf.record(conn, stored, keep=why, keep_until=until)

    def discard(self, stored: Stored) -> None:
        """Remove an original that was written and not recorded."""
        self._shelf.discard(stored)

    def discard_all(self, person: str, start: str) -> None:
        """Remove objects whose id begins so and that no row names: a sender's that has died."""
        self._shelf.discard_all(person, ORIGINAL, start)

    def get(self, person: str, name: str) -> Iterator[bytes]:
        """Yield the plain bytes of an original; see ``Shelf.get``."""
        return self._shelf.get(person, ORIGINAL, name)

    def deidentified(self, conn: Connection, person: str, names: Sequence[str]) -> list[str]:
        """Let originals go in the transaction that records what was made from them.

        Returns:
            The ids of those that go; what the person keeps is not among them.
        """
        gone = self._shelf.kept_because(conn, person, ORIGINAL, UNTIL_DEIDENTIFIED, names)
        self._shelf.release(conn, person, ORIGINAL, *gone)
        return gone

    def release(self, conn: Connection, person: str, *names: str) -> None:
        """Let originals go, kept or not, in the caller's transaction."""
        self._shelf.release(conn, person, ORIGINAL, *names)

    def purge(self) -> int:
        """Remove the originals that were let go."""
        return self._shelf.purge()

    def remove_leaving(self) -> list[str]:
        """Remove originals that were let go; ``forget`` their keys in a later transaction."""
        return self._shelf.remove_leaving()

    def forget(self, conn: Connection, keys: Sequence[str]) -> None:
        """Remove the rows of originals that are gone, in the caller's transaction."""
        self._shelf.forget(conn, keys)

"""Originals: bytes that may identify someone. They lie here and nowhere else, encrypted.

By default one is deleted as soon as it is de-identified; a person may keep theirs. Intake, the
pipeline and de-identification may use this module; no room that looks at images may.
"""

from collections.abc import Iterable, Iterator
from datetime import datetime

from sqlalchemy import Connection, select

from safelight.store.schema.vault import objects
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
        stored: Stored,
        *,
        keep: bool = False,
        until: datetime | None = None,
    ) -> None:
        """Record a written original in the caller's transaction.

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

    def get(self, person: str, name: str) -> Iterator[bytes]:
        """Yield the plain bytes of an original; see ``Shelf.get``."""
        return self._shelf.get(person, ORIGINAL, name)

    def is_kept(self, person: str, name: str, conn: Connection | None = None) -> bool:
        """Tell whether an original is here and stays after de-identification."""
        row = self._shelf.row(person, ORIGINAL, name, conn)
        return row is not None and row.keep == KEPT

    def deidentified(self, conn: Connection, person: str, name: str) -> None:
        """Let an original go, in the transaction that records what was made from it."""
        if not self.is_kept(person, name, conn):
            self._shelf.release(conn, person, ORIGINAL, name)

    def release(self, conn: Connection, person: str, name: str) -> None:
        """Let an original go, kept or not, in the caller's transaction."""
        self._shelf.release(conn, person, ORIGINAL, name)

    def same(self, conn: Connection, stored: Stored) -> str:
        """Return the id of another original of this person with equal bytes; empty if none."""
        found = select(objects.c.object).where(
            objects.c.person == stored.person,
            objects.c.kind == ORIGINAL,
            objects.c.digest == stored.digest,
            objects.c.object != stored.object,
            objects.c.state != "leaving",
        )
        return str(conn.execute(found).scalar() or "")

    def purge(self) -> int:
        """Remove the originals that were let go."""
        return self._shelf.purge()

"""Every event of consent is committed to in the transparency log, in its own transaction."""

import secrets
from collections.abc import Mapping
from typing import Any, Final

from sqlalchemy import Connection

from safelight.tlog import Leaf, Log
from safelight.tlog.commitment import SALT_BYTES
from safelight.vault import Vault

__all__ = ["PUBLIC_SALT", "Journal"]

# Of events that anyone may know, such as a published policy: anyone can make the entry again.
PUBLIC_SALT: Final = b"safelight/public-entry/v1".ljust(SALT_BYTES, b"\0")


class Journal:
    """Adds commitments to the log.

    Args:
        vault: Gives a person's salt, which dies with their key.
        log: The transparency log of the same store.
    """

    def __init__(self, vault: Vault, log: Log) -> None:
        self._vault = vault
        self.log: Final = log

    def personal(self, conn: Connection, person: str, kind: str, fields: Mapping[str, Any]) -> Leaf:
        """Commit to an event of one person; keep what is returned sealed under their key.

        Raises:
            ErasedError: The person was erased; nothing more is said about them.
        """
        return self.log.commit_to(conn, kind, fields, self._vault.salt(person, conn))

    def detached(self, conn: Connection, kind: str, fields: Mapping[str, Any]) -> Leaf:
        """Commit to an event with a salt of its own, which is kept with the event alone."""
        return self.log.commit_to(conn, kind, fields, secrets.token_bytes(SALT_BYTES))

    def public(self, conn: Connection, kind: str, fields: Mapping[str, Any]) -> Leaf:
        """Commit to an event that anyone may know."""
        return self.log.commit_to(conn, kind, fields, PUBLIC_SALT)

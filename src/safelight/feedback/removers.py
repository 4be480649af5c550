"""What takes feedback back: a case with all that was said of it, or one line."""

from typing import Final

from sqlalchemy import delete

from safelight.consent.removers import register
from safelight.store.schema.feedback import answers, cases, entries, impressions, reveals
from safelight.vault import Vault

__all__ = ["CASE", "ENTRY"]

CASE: Final = "feedback-case"
ENTRY: Final = "feedback"


class CaseRows:
    """Removes a case, what readers answered, and what was said of it."""

    needs_key = False

    def __init__(self, vault: Vault) -> None:
        self._store = vault.store

    def remove(self, person: str, name: str) -> str:
        """Remove the rows of a case."""
        with self._store.begin() as conn:
            mine = (cases.c.id == name, cases.c.person == person)
            for table in (answers, impressions, reveals, entries):
                conn.execute(delete(table).where(table.c.case == name))
            conn.execute(delete(cases).where(*mine))
        return ""


class EntryRow:
    """Removes one thing said."""

    needs_key = False

    def __init__(self, vault: Vault) -> None:
        self._store = vault.store

    def remove(self, person: str, name: str) -> str:
        """Remove one row."""
        with self._store.begin() as conn:
            mine = (entries.c.id == name, entries.c.person == person)
            conn.execute(delete(entries).where(*mine))
        return ""


register(CASE, CaseRows)
register(ENTRY, EntryRow)

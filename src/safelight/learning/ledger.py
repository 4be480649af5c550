"""The ledger of a head: two piles of exact sums, and the chain of all that changed them.

*pending* holds what was contributed since the last version, *published* what the version in
service has learnt from people. They are locked with one key, which is destroyed whenever somebody
leaves, so that no earlier state can be read any more: two states would give away who left.

Each change adds a link: ``SHA-256(previous, event, count, commitment)``. The commitment is salted,
and the salt is locked up with the sums, so a link says nothing of them once they are gone.
"""

import hashlib
import hmac
import secrets
from collections.abc import Mapping
from datetime import datetime
from typing import Any, Final

from sqlalchemy import Connection, Row, delete, insert, select

from safelight.errors import CorruptedError, LearningError
from safelight.readers.statistics import Statistics
from safelight.store.schema.learning import ledgers, links
from safelight.vault import Vault

__all__ = ["PARTS", "START", "Ledger", "check_chain"]

PARTS: Final = ("pending", "published")
START: Final = "0" * 64
_SALT: Final = 32
_KIND: Final = "ledger"


def _link(previous: str, event: str, count: int, commitment: str) -> str:
    told = f"safelight/ledger-link/v1\n{previous}\n{event}\n{count}\n{commitment}\n"
    return hashlib.sha256(told.encode()).hexdigest()


def _both(commitments: Mapping[str, str]) -> str:
    told = "\n".join(commitments[part] for part in PARTS)
    return hashlib.sha256(told.encode()).hexdigest()


def check_chain(conn: Connection, head: str) -> int:
    """Return the number of the newest link of a head, after hashing all of them again.

    Raises:
        LearningError: A link is missing or was altered, or the ledger is not the newest link's.
    """
    previous, number = START, 0
    found = select(links).where(links.c.head == head).order_by(links.c.number)
    for row in conn.execute(found):
        number += 1
        due = _link(previous, row.event, row._mapping["count"], row.commitment)  # noqa: SLF001  # rows have a method of this name
        if (row.number, row.previous, row.link) != (number, previous, due):
            raise LearningError("the chain of a ledger was altered", place=f"link {number}")
        previous = row.link
        newest = row
    rows = conn.execute(select(ledgers).where(ledgers.c.head == head)).all()
    if not number or _both({row.part: row.commitment for row in rows}) != newest.commitment:
        raise LearningError("a ledger is not the one that its chain ends in")
    return number


class Ledger:
    """One head's ledger inside of one transaction.

    Args:
        vault: An open vault.
        conn: A transaction; a write transaction to change anything.
        head: Id of the head.
    """

    def __init__(self, vault: Vault, conn: Connection, head: str) -> None:
        self._vault = vault
        self._conn = conn
        self._head = head

    def _row(self, part: str) -> Row[Any]:
        mine = (ledgers.c.head == self._head, ledgers.c.part == part)
        row = self._conn.execute(select(ledgers).where(*mine)).first()
        if row is None:
            raise LearningError("there is no such head")
        return row

    @property
    def space(self) -> str:
        """Id of the key that the ledger is locked with."""
        return str(self._row("pending").space)

    def number(self) -> int:
        """Return the number of the newest link; 0 before the first."""
        found = select(links.c.number).where(links.c.head == self._head)
        newest = found.order_by(links.c.number.desc()).limit(1)
        return self._conn.execute(newest).scalar() or 0

    def read(self, part: str) -> Statistics:
        """Return the sums of one part.

        Raises:
            CorruptedError: They are not what was written.
            ErasedError: Their key was destroyed (an old backup was restored): rebuild them.
        """
        row = self._row(part)
        name = f"{self._head}/{part}"
        opened = self._vault.open_small(row.space, _KIND, name, row.sealed, self._conn)
        if _commitment(opened[:_SALT], opened[_SALT:]) != row.commitment:
            raise CorruptedError("a ledger is not what was committed to")
        return Statistics.from_bytes(opened[_SALT:])

    def write(
        self,
        parts: Mapping[str, Statistics],
        *,
        event: str,
        count: int,
        space: str,
        at: datetime,
    ) -> None:
        """Replace parts by new sums, and add the link that says so.

        Args:
            parts: New sums by part; all parts where the key is a new one.
            event: ``opened``, ``added``, ``removed``, ``published``, ``returned``, ``rebuilt``.
            count: Rows that it is about.
            space: Id of the key to lock them with.
            at: The present moment.
        """
        for part, sums in parts.items():
            salt, data = secrets.token_bytes(_SALT), sums.to_bytes()
            name = f"{self._head}/{part}"
            values = {
                "space": space,
                "rows": int(sums.counts.sum()),
                "commitment": _commitment(salt, data),
                "sealed": self._vault.seal_small(space, _KIND, name, salt + data, self._conn),
            }
            mine = (ledgers.c.head == self._head, ledgers.c.part == part)
            self._conn.execute(delete(ledgers).where(*mine))
            self._conn.execute(insert(ledgers).values(head=self._head, part=part, **values))
        self._add_link(event, count, at)

    def _add_link(self, event: str, count: int, at: datetime) -> None:
        found = select(ledgers.c.part, ledgers.c.commitment, ledgers.c.space)
        rows = self._conn.execute(found.where(ledgers.c.head == self._head)).all()
        if len({row.space for row in rows}) != 1 or len(rows) != len(PARTS):
            raise LearningError("the parts of a ledger are locked with different keys")
        before = select(links.c.number, links.c.link).where(links.c.head == self._head)
        newest = self._conn.execute(before.order_by(links.c.number.desc()).limit(1)).first()
        number, previous = (newest.number, newest.link) if newest else (0, START)
        commitment = _both({row.part: row.commitment for row in rows})
        self._conn.execute(
            insert(links).values(
                head=self._head,
                number=number + 1,
                previous=previous,
                link=_link(previous, event, count, commitment),
                commitment=commitment,
                event=event,
                count=count,
                at=at,
            )
        )


def _commitment(salt: bytes, data: bytes) -> str:
    """Return the commitment to sums in their canonical form: to their digest, under a salt."""
    return hmac.digest(salt, hashlib.sha256(data).hexdigest().encode(), "sha256").hex()

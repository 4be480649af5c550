"""Versions of a head: what a document of one says, and the signed note over it.

A version is the hash of its ledger and a recipe; everything else in the document follows from these
and from the rows that remain. The document holds hashes and numbers alone.
"""

import hashlib
import json
from dataclasses import dataclass
from typing import Any, Final

from sqlalchemy import Connection, Row, select

from safelight.errors import LearningError, LogError
from safelight.learning.derive import Served
from safelight.learning.ledgers import HeadOf, recipe_text
from safelight.readers.statistics import Statistics
from safelight.store.schema.learning import models
from safelight.tlog import jcs
from safelight.tlog.note import Note, VerifierKey

__all__ = ["FORMAT", "Version", "document_of", "newest", "note_text", "versions"]

FORMAT: Final = "safelight-model/v1"


@dataclass(frozen=True, slots=True, kw_only=True)
class Version:
    """A version that was published.

    Attributes:
        head: Id of the head.
        version: 1, 2, 3 …
        state: ``published``, ``retired`` (there is a later one) or ``void`` (somebody left it).
        document: What it is: hashes and numbers.
        hash: SHA-256 of the document, hex; what is signed.
        note: The signed note; empty until the log's key was there to sign with.
        card: Numbers of the audit, and what it was compared with.
        entry: In the transparency log.
    """

    head: str
    version: int
    state: str
    document: dict[str, Any]
    hash: str
    note: str
    card: dict[str, Any]
    entry: int

    @classmethod
    def of(cls, row: Row[Any]) -> "Version":
        """Return a version from its row."""
        return cls(
            head=row.head,
            version=row.version,
            state=row.state,
            document=json.loads(row.document),
            hash=hashlib.sha256(row.document.encode()).hexdigest(),
            note=row.note,
            card=json.loads(row.card),
            entry=row.entry,
        )

    @property
    def name(self) -> str:
        """What a receipt says: the version, and the hash of its ledger."""
        return f"v{self.version}:{self.document['ledger']}"

    def signed(self, key: VerifierKey) -> bool:
        """Return whether the note is over this document and bears the key's signature."""
        try:
            note = Note.parse(self.note)
        except LogError:
            return False
        return note.text == note_text(self.document["head"], self.hash) and key.holds(note)


def document_of(
    head: HeadOf, contributed: Statistics, served: Served, *, people: int
) -> dict[str, Any]:
    """Return what a version is.

    Args:
        head: The head.
        contributed: Sums of what people contributed.
        served: What followed.
        people: How many people contributed.
    """
    sums = head.base.statistics + contributed
    told = {
        "base": head.public or head.base.digest(),
        "classes": list(sums.classes),
        "contributed": contributed.digest(),
        "features": sums.features,
        "format": FORMAT,
        "head": head.name,
        "known": served.known.digest(),
        "ledger": sums.digest(),
        "people": people,
        "recipe": recipe_text(head.recipe),
        "rows": [int(one) for one in contributed.counts],
        "tested": served.tested.digest(),
        "weights": served.head.digest(),
    }
    return told | ({"federated": [dict(one) for one in head.totals]} if head.totals else {})


def document_text(document: dict[str, Any]) -> str:
    """Return the one spelling of a document (RFC 8785)."""
    return jcs.canonical(document).decode()


def note_text(name: str, digest: str) -> str:
    """Return the text that is signed for a version."""
    return f"{FORMAT}\n{name}\nsha256:{digest}\n"


def newest(conn: Connection, head: str) -> Version | None:
    """Return the newest version of a head, whatever its state; None before the first."""
    found = select(models).where(models.c.head == head).order_by(models.c.version.desc())
    row = conn.execute(found.limit(1)).first()
    return Version.of(row) if row is not None else None


def versions(conn: Connection, head: str) -> list[Version]:
    """Return all versions of a head, the first one first."""
    found = select(models).where(models.c.head == head).order_by(models.c.version)
    return [Version.of(row) for row in conn.execute(found)]


def in_service(conn: Connection, head: str) -> Version:
    """Return the version in service.

    Raises:
        LearningError: There is none.
    """
    found = newest(conn, head)
    if found is None or found.state != "published":
        raise LearningError("no version of this head is in service", todo="run safelight train")
    return found

"""Tables of submissions: what was handed in, in which state, who works on it until when."""

from typing import Final

from sqlalchemy import (
    BigInteger,
    Boolean,
    CheckConstraint,
    Column,
    ForeignKey,
    Index,
    Integer,
    LargeBinary,
    String,
    Table,
)

from safelight.store.schema.base import Id, Moment, metadata

__all__ = ["items", "submissions"]

submissions: Final = Table(
    "submissions",
    metadata,
    Column("id", Id, primary_key=True),
    Column("person", Id, ForeignKey("vault_people.id"), nullable=False, index=True),
    Column("state", String(8), nullable=False),
    Column("owner", Id, comment="process that holds the lease"),
    Column("lease_until", Moment),
    Column("token", Integer, nullable=False, comment="grows with every lease: a late owner loses"),
    Column("attempts", Integer, nullable=False),
    Column("keep", Boolean, nullable=False, comment="the person keeps the originals"),
    Column("purpose", String(80), nullable=False, comment="for which it is handed in"),
    Column("policy", String(71), nullable=False, comment="hash of the policy that was seen"),
    Column("received", LargeBinary, comment="opened log entry, sealed for the person"),
    Column("cleaned", LargeBinary, comment="as above, of the end of the work"),
    Column("fresh", Boolean, nullable=False, comment="the person was made for it"),
    Column("made", Moment, nullable=False),
    Column("changed", Moment, nullable=False),
    CheckConstraint("state IN ('arriving', 'waiting', 'working', 'done')", name="state"),
    Index("ix_submissions_queue", "state", "id"),
    comment="What a person handed in at once: whole from 'waiting' on, absent before.",
)

items: Final = Table(
    "submission_items",
    metadata,
    Column("submission", Id, ForeignKey("submissions.id"), primary_key=True),
    Column("position", Integer, primary_key=True, autoincrement=False),
    Column("person", Id, nullable=False),
    Column("state", String(12), nullable=False),
    Column("kind", String(16), nullable=False),
    Column("bytes", BigInteger, nullable=False),
    Column("digest", String(64), nullable=False, comment="keyed with the person's key"),
    Column("label", LargeBinary, nullable=False, comment="path as given; sealed for the person"),
    Column("manifest", LargeBinary, comment="what was done; sealed for the person"),
    Column("reason", String(24), nullable=False, comment="code of the error; empty when done"),
    Column("what", String(400), nullable=False),
    Column("place", String(200), nullable=False),
    Column("todo", String(400), nullable=False),
    CheckConstraint("state IN ('waiting', 'done', 'review', 'quarantine')", name="state"),
    Index("ix_submission_items_digest", "person", "digest"),
    comment="One file of a submission.",
)

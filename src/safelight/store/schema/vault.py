"""Tables of the vault: master keys by fingerprint, people by opaque id, objects by key."""

from typing import Final

from sqlalchemy import (
    BigInteger,
    CheckConstraint,
    Column,
    ForeignKey,
    Index,
    LargeBinary,
    String,
    Table,
)

from safelight.store.schema.base import Id, Moment, metadata

__all__ = ["masters", "objects", "people"]

masters: Final = Table(
    "vault_masters",
    metadata,
    Column("fingerprint", String(16), primary_key=True),
    Column("active", String(8), unique=True, comment="'yes' for one row, NULL for retired ones"),
    Column("made", Moment, nullable=False),
    CheckConstraint("active = 'yes'", name="active"),
    comment="Which master key wraps the data keys; never a key.",
)

people: Final = Table(
    "vault_people",
    metadata,
    Column("id", Id, primary_key=True),
    Column("code", String(64), unique=True, comment="keyed pseudonym; NULL when none was given"),
    Column("state", String(8), nullable=False),
    Column("wrapped", LargeBinary, comment="data key, AES-256-GCM; NULL once erased"),
    Column("master", String(16), ForeignKey("vault_masters.fingerprint")),
    Column("made", Moment, nullable=False),
    Column("erased", Moment),
    CheckConstraint("state IN ('active', 'erased')", name="state"),
    CheckConstraint("(state = 'erased') = (wrapped IS NULL)", name="erased_has_no_key"),
    comment="One data key a person. An erased person stays as a tombstone.",
)

objects: Final = Table(
    "vault_objects",
    metadata,
    Column("person", Id, ForeignKey("vault_people.id"), primary_key=True),
    Column("kind", String(32), primary_key=True),
    Column("object", String(64), primary_key=True),
    Column("key", String(200), nullable=False, unique=True, comment="in the object store"),
    Column("bytes", BigInteger, nullable=False, comment="of the plain object"),
    Column("digest", String(64), nullable=False, comment="BLAKE3 keyed with the person's key"),
    Column("state", String(12), nullable=False),
    Column("keep", String(24), nullable=False, comment="why it is kept"),
    Column("keep_until", Moment),
    Column("made", Moment, nullable=False),
    CheckConstraint("state IN ('whole', 'corrupted', 'leaving')", name="state"),
    Index("ix_vault_objects_keep", "keep", "keep_until"),
    Index("ix_vault_objects_digest", "person", "kind", "digest"),
    comment="What lies encrypted in the object store.",
)

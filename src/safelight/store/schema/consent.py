"""Tables of consent: policies, what people said, lineage, withdrawals, disclosures, accesses.

People stand here as opaque codes. Free words (how, why, what exactly) and the date on which a minor
comes of age are ciphertext under the person's own key, and go when that key goes.
"""

from typing import Final

from sqlalchemy import (
    BigInteger,
    Boolean,
    Column,
    ForeignKey,
    Index,
    Integer,
    LargeBinary,
    String,
    Table,
    Text,
    UniqueConstraint,
)

from safelight.store.schema.base import Id, Moment, metadata

__all__ = [
    "accesses",
    "artefact_parents",
    "artefacts",
    "disclosures",
    "policies",
    "recipients",
    "roles",
    "statements",
    "withdrawal_steps",
    "withdrawals",
]

Number: Final = BigInteger().with_variant(Integer, "sqlite")  # SQLite counts up INTEGER alone
Hash: Final = String(71)  # sha256: and 64 hex digits
Word: Final = String(64)  # a word of a fixed list, or an opaque code
Purpose: Final = String(80)

policies: Final = Table(
    "consent_policies",
    metadata,
    Column("hash", Hash, primary_key=True),
    Column("name", Word, nullable=False),
    Column("version", Integer, nullable=False),
    Column("previous", Hash, nullable=False),
    Column("effect", Integer, nullable=False),
    Column("document", Text, nullable=False),
    Column("published_at", Moment, nullable=False),
    Column("published_by", Word, nullable=False),
    Column("entry", BigInteger, nullable=False),
    UniqueConstraint("name", "version"),
    comment="Every published version; a row is never changed.",
)

statements: Final = Table(
    "consent_statements",
    metadata,
    Column("number", Number, primary_key=True, autoincrement=True),
    Column("person", Id, nullable=False, index=True),
    Column("purpose", Purpose, nullable=False),
    Column("said", Word, nullable=False),
    Column("policy", Hash, nullable=False),
    Column("at", Moment, nullable=False),
    Column("recorded_at", Moment, nullable=False),
    Column("recorded_by", Word, nullable=False),
    Column("method", Word, nullable=False),
    Column("until", Moment),
    Column("basis", Word, nullable=False),
    Column("sealed", LargeBinary),
    Column("entry", BigInteger, nullable=False),
    comment="What was said by or for a person; rows are added, never changed.",
)

artefacts: Final = Table(
    "consent_artefacts",
    metadata,
    Column("id", Id, primary_key=True),
    Column("person", Id, nullable=False),
    Column("kind", Word, nullable=False),
    Column("object", String(128), nullable=False),
    Column("purpose", Purpose, nullable=False),
    Column("policy", Hash, nullable=False),
    Column("digest", String(128), nullable=False),
    Column("made_at", Moment, nullable=False),
    Column("removed_at", Moment),
    UniqueConstraint("person", "kind", "object"),
    comment="Everything that was made from a person; names of objects are opaque.",
)

artefact_parents: Final = Table(
    "consent_artefact_parents",
    metadata,
    Column("child", ForeignKey(artefacts.c.id, ondelete="CASCADE"), primary_key=True),
    Column("parent", ForeignKey(artefacts.c.id, ondelete="CASCADE"), primary_key=True, index=True),
    comment="Lineage: the child was made from the parent.",
)

recipients: Final = Table(
    "consent_recipients",
    metadata,
    Column("id", Id, primary_key=True),
    Column("name", String(200), nullable=False, unique=True),
    Column("address", String(500), nullable=False),
    Column("contact", String(200), nullable=False),
    comment="Organisations that data is handed to; never a person whose data it is.",
)

disclosures: Final = Table(
    "consent_disclosures",
    metadata,
    Column("id", Id, primary_key=True),
    Column("person", Id, nullable=False, index=True),
    Column("at", Moment, nullable=False),
    Column("recipient", ForeignKey(recipients.c.id), nullable=False),
    Column("kind", Word, nullable=False),
    Column("count", Integer, nullable=False),
    Column("digest", String(128), nullable=False),
    Column("purpose", Purpose, nullable=False),
    Column("policy", Hash, nullable=False),
    Column("made_by", Word, nullable=False),
    Column("sealed", LargeBinary),
    Column("told_at", Moment),
    Column("due_at", Moment),
    Column("answer", Word, nullable=False),
    Column("answered_at", Moment),
    Column("entry", BigInteger, nullable=False),
    comment="Every handing-out (45 CFR 164.528), and what became of it after a withdrawal.",
)

withdrawals: Final = Table(
    "consent_withdrawals",
    metadata,
    Column("id", Id, primary_key=True),
    Column("person", Id, nullable=False, index=True),
    Column("purpose", Purpose, nullable=False),
    Column("asked_at", Moment, nullable=False),
    Column("asked_by", Word, nullable=False),
    Column("stage", Word, nullable=False),
    Column("changed_at", Moment, nullable=False),
    Column("statement", BigInteger, nullable=False),
    Column("receipt", LargeBinary),
    comment="One withdrawal each; its stage says how far it is carried out.",
)

withdrawal_steps: Final = Table(
    "consent_withdrawal_steps",
    metadata,
    Column("withdrawal", ForeignKey(withdrawals.c.id), primary_key=True),
    Column("number", Integer, primary_key=True),
    Column("kind", Word, nullable=False),
    Column("object", String(128), nullable=False),
    Column("digest", String(128), nullable=False),
    Column("outcome", Word, nullable=False),
    Column("after", String(128), nullable=False),
    Column("tries", Integer, nullable=False),
    Column("done_at", Moment),
    comment="What a withdrawal has to remove, in order, and what became of each.",
)

roles: Final = Table(
    "consent_roles",
    metadata,
    Column("actor", Word, primary_key=True),
    Column("role", Word, primary_key=True),
    Column("person", Id, primary_key=True),
    Column("since", Moment, nullable=False),
    Column("given_by", Word, nullable=False),
    Column("until", Moment),
    comment="Who may do what; an empty person means all of them.",
)

accesses: Final = Table(
    "consent_accesses",
    metadata,
    Column("number", Number, primary_key=True, autoincrement=True),
    Column("at", Moment, nullable=False),
    Column("actor", Word, nullable=False),
    Column("role", Word, nullable=False),
    Column("act", Word, nullable=False),
    Column("person", Id, nullable=False),
    Column("purpose", Purpose, nullable=False),
    Column("allowed", Boolean, nullable=False),
    Column("reason", String(100), nullable=False),
    Column("broke_glass", Boolean, nullable=False),
    Column("sealed", LargeBinary),
    Column("entry", BigInteger, nullable=False),
    comment="Every access to a person's data, the refused ones too.",
)
Index("ix_consent_accesses_person_number", accesses.c.person, accesses.c.number)

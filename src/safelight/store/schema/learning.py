"""Tables of learning: heads, their ledgers, who contributed what, published versions.

Features, labels and sums are ciphertext: a contribution under the person's key and a key of its
own, a ledger under a key that is destroyed whenever somebody leaves it. What stands in clear is
opaque codes, counts, and salted or published hashes.
"""

from typing import Final

from sqlalchemy import (
    BigInteger,
    CheckConstraint,
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

__all__ = ["contributions", "heads", "holds", "ledgers", "links", "models", "totals"]

Hash: Final = String(64)
Word: Final = String(64)

heads: Final = Table(
    "learning_heads",
    metadata,
    Column("id", Id, primary_key=True),
    Column("name", String(100), nullable=False, unique=True),
    Column("recipe", Text, nullable=False, comment="canonical JSON"),
    Column("base", LargeBinary, nullable=False, comment="public statistics and examples"),
    Column("made", Moment, nullable=False),
    comment="Heads that may learn; what a head starts from is public.",
)

ledgers: Final = Table(
    "learning_ledgers",
    metadata,
    Column("head", ForeignKey(heads.c.id), primary_key=True),
    Column("part", String(9), primary_key=True),
    Column("space", Id, ForeignKey("vault_people.id"), nullable=False, comment="the key's id"),
    Column("rows", Integer, nullable=False),
    Column("commitment", Hash, nullable=False, comment="to the sums; its salt is sealed with them"),
    Column("sealed", LargeBinary, nullable=False, comment="sums; AES-256-GCM under that key"),
    CheckConstraint("part IN ('pending', 'published')", name="part"),
    comment="What a head's contributors add up to, as it stands; no earlier state is kept.",
)

links: Final = Table(
    "learning_links",
    metadata,
    Column("head", ForeignKey(heads.c.id), primary_key=True),
    Column("number", Integer, primary_key=True, autoincrement=False),
    Column("previous", Hash, nullable=False),
    Column("link", Hash, nullable=False),
    Column("commitment", Hash, nullable=False, comment="to both parts' commitments"),
    Column("event", String(12), nullable=False),
    Column("count", Integer, nullable=False, comment="rows that the event added or took off"),
    Column("at", Moment, nullable=False),
    comment="The hash chain of a ledger's changes; only ever added to.",
)

contributions: Final = Table(
    "learning_contributions",
    metadata,
    Column("id", Id, primary_key=True),
    Column("head", ForeignKey(heads.c.id), nullable=False),
    Column("person", Id, ForeignKey("vault_people.id"), nullable=False),
    Column("space", Id, ForeignKey("vault_people.id"), nullable=False, comment="the outer key's"),
    Column("part", String(9), nullable=False),
    Column("role", String(9), nullable=False, comment="of the person: learnt from, or tested on"),
    Column("rank", BigInteger, nullable=False, comment="from the id alone; draws samples"),
    Column("account", Word, nullable=False, comment="who gave the label"),
    Column("purpose", String(80), nullable=False),
    Column("policy", String(71), nullable=False),
    Column("digest", Hash, nullable=False, comment="of the features, keyed with the person's key"),
    Column("sealed", LargeBinary, nullable=False, comment="features and label, sealed twice"),
    Column("made", Moment, nullable=False),
    CheckConstraint("part IN ('pending', 'published')", name="part"),
    CheckConstraint("role IN ('learn', 'calibrate')", name="role"),
    UniqueConstraint("head", "person", "digest"),
    Index("ix_learning_contributions_rank", "head", "part", "role", "rank"),
    Index("ix_learning_contributions_person", "person", "head"),
    comment="One image's features and label each; gone when consent is taken back.",
)

models: Final = Table(
    "learning_models",
    metadata,
    Column("head", ForeignKey(heads.c.id), primary_key=True),
    Column("version", Integer, primary_key=True, autoincrement=False),
    Column("state", String(9), nullable=False),
    Column("document", Text, nullable=False, comment="canonical JSON: hashes and numbers"),
    Column("note", Text, nullable=False, comment="the document's hash, signed"),
    Column("card", Text, nullable=False, comment="canonical JSON"),
    Column("entry", BigInteger, nullable=False, comment="in the transparency log"),
    Column("served", LargeBinary, comment="weights and examples, sealed; newest version only"),
    Column("made", Moment, nullable=False),
    CheckConstraint("state IN ('published', 'retired', 'void')", name="state"),
    comment="Published versions; of earlier ones only hashes are left.",
)

holds: Final = Table(
    "learning_holds",
    metadata,
    Column("head", ForeignKey(heads.c.id), primary_key=True),
    Column("account", Word, primary_key=True),
    Column("state", String(8), nullable=False),
    Column("rows", Integer, nullable=False),
    Column("against", Integer, nullable=False, comment="rows that all others speak against"),
    Column("entry", BigInteger, nullable=False),
    Column("at", Moment, nullable=False),
    CheckConstraint("state IN ('held', 'released')", name="state"),
    comment="Accounts whose labels are kept out of every head until somebody has looked.",
)

totals: Final = Table(
    "learning_totals",
    metadata,
    Column("head", ForeignKey(heads.c.id), primary_key=True),
    Column("source", Word, primary_key=True, comment="who adds up: a federation of sites"),
    Column("round", String(32), nullable=False),
    Column("space", Id, ForeignKey("vault_people.id"), nullable=False, comment="the key's id"),
    Column("digest", Hash, nullable=False, comment="of the sums; both sides logged it"),
    Column("rows", Integer, nullable=False),
    Column("record", Text, nullable=False, comment="plan, sites, signatures: canonical JSON"),
    Column("sealed", LargeBinary, nullable=False, comment="sums; AES-256-GCM under that key"),
    Column("entry", BigInteger, nullable=False, comment="in the transparency log"),
    Column("made", Moment, nullable=False),
    comment="Sums of other sites that a head begins with; a new one replaces the old.",
)

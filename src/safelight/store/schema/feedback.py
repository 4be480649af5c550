"""Tables of feedback: cases, what readers answered, what people and clinicians said of it.

What was said, and of what, is ciphertext under the key of the person whose image it is, and goes
when that key goes. Rows about people are added and removed, never changed.
"""

from typing import Final

from sqlalchemy import (
    BigInteger,
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

__all__ = ["answers", "cases", "entries", "events", "impressions", "reveals", "states"]

Number: Final = BigInteger().with_variant(Integer, "sqlite")  # SQLite counts up INTEGER alone
Word: Final = String(64)  # a word of a fixed list, or an opaque code
About: Final = String(80)  # ``kind``, or the code of a finding

cases: Final = Table(
    "feedback_cases",
    metadata,
    Column("id", Id, primary_key=True),
    Column("person", Id, nullable=False, index=True),
    Column("at", Moment, nullable=False),
    Column("purpose", String(80), nullable=False, comment="for which it was read"),
    Column("policy", String(71), nullable=False),
    Column("artefact", Id, nullable=False, comment="of the case in the lineage"),
    Column("sealed", LargeBinary, nullable=False, comment="digest, look, site, age band, sex …"),
    Column("entry", BigInteger, nullable=False),
    comment="An image that was read.",
)

answers: Final = Table(
    "feedback_answers",
    metadata,
    Column("number", Number, primary_key=True, autoincrement=True),
    Column("case", ForeignKey(cases.c.id, ondelete="CASCADE"), nullable=False, index=True),
    Column("person", Id, nullable=False),
    Column("at", Moment, nullable=False),
    Column("sealed", LargeBinary, nullable=False, comment="what each reader answered"),
    comment="One reading of a case each; a later version of a reader adds one.",
)

impressions: Final = Table(
    "feedback_impressions",
    metadata,
    Column("number", Number, primary_key=True, autoincrement=True),
    Column("case", ForeignKey(cases.c.id, ondelete="CASCADE"), nullable=False),
    Column("person", Id, nullable=False),
    Column("about", About, nullable=False),
    Column("account", Word, nullable=False),
    Column("at", Moment, nullable=False),
    Column("sealed", LargeBinary, nullable=False),
    Column("entry", BigInteger, nullable=False),
    UniqueConstraint("case", "about", "account"),
    comment="What a clinician thought before the reader's answer was shown to them.",
)

reveals: Final = Table(
    "feedback_reveals",
    metadata,
    Column("case", ForeignKey(cases.c.id, ondelete="CASCADE"), primary_key=True),
    Column("about", About, primary_key=True),
    Column("account", Word, primary_key=True),
    Column("at", Moment, nullable=False),
    comment="To whom an answer was shown, and when first.",
)

entries: Final = Table(
    "feedback_entries",
    metadata,
    Column("number", Number, primary_key=True, autoincrement=True),
    Column("id", Id, nullable=False, unique=True),
    Column("case", ForeignKey(cases.c.id, ondelete="CASCADE"), nullable=False, index=True),
    Column("person", Id, nullable=False),
    Column("about", About, nullable=False),
    Column("account", Word, nullable=False),
    Column("at", Moment, nullable=False),
    Column("sealed", LargeBinary, nullable=False, comment="verdict, correction, region, words"),
    Column("entry", BigInteger, nullable=False),
    Index("ix_feedback_entries_account_at", "account", "at"),
    comment="What was said; nothing overwrites what was said before.",
)

states: Final = Table(
    "feedback_states",
    metadata,
    Column("number", Number, primary_key=True, autoincrement=True),
    Column("reader", Word, nullable=False),
    Column("version", String(100), nullable=False),
    Column("state", Word, nullable=False),
    Column("reason", String(200), nullable=False),
    Column("by", Word, nullable=False, comment="scoreboard, or the code of a steward"),
    Column("at", Moment, nullable=False),
    Column("entry", BigInteger, nullable=False),
    Index("ix_feedback_states_reader", "reader", "version", "number"),
    comment="What the scoreboard lets a reader do; the last row of a version holds.",
)

events: Final = Table(
    "feedback_events",
    metadata,
    Column("number", Number, primary_key=True, autoincrement=True),
    Column("at", Moment, nullable=False),
    Column("kind", Word, nullable=False),
    Column("reader", String(80), nullable=False),
    Column("version", String(100), nullable=False),
    Column("who", Word, nullable=False, comment="an account, or a site"),
    Column("level", Integer, nullable=False),
    Column("detail", Text, nullable=False, comment="counts; nothing of one person"),
    Column("entry", BigInteger, nullable=False),
    UniqueConstraint("kind", "reader", "version", "who", "level"),
    comment="The scoreboard's log: floods, flips, drift, states. One row for each level of one.",
)

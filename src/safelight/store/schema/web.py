"""Tables of the page: accounts, sessions, files on their way in, what was said of each item.

A sign-in name stands here as a keyed code and as ciphertext; tokens as digests; what identifies a
person is ciphertext under that person's key.
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
)

from safelight.store.schema.base import Id, Moment, metadata

__all__ = [
    "accounts",
    "challenges",
    "impressions",
    "items_seen",
    "links",
    "looks",
    "mask_edits",
    "parcels",
    "passkeys",
    "sessions",
    "subjects",
    "uploads",
]

Digest: Final = String(64)
Word: Final = String(64)

accounts: Final = Table(
    "web_accounts",
    metadata,
    Column("id", Id, primary_key=True),
    Column("name", Digest, unique=True, comment="keyed code of the sign-in name; NULL: none"),
    Column("label", LargeBinary, nullable=False, comment="the name, sealed"),
    Column("password", String(200), nullable=False, comment="argon2id; empty: none"),
    Column("person", Id, nullable=False, index=True, comment="whose own account it is; or empty"),
    Column("failures", Integer, nullable=False),
    Column("locked_until", Moment),
    Column("state", String(8), nullable=False),
    Column("made", Moment, nullable=False),
    comment="Who may sign in; what they may do stands in consent_roles.",
)

sessions: Final = Table(
    "web_sessions",
    metadata,
    Column("token", Digest, primary_key=True, comment="SHA-256 of the token in the cookie"),
    Column("account", Id, nullable=False, index=True),
    Column("way", String(12), nullable=False, comment="how they signed in"),
    Column("made", Moment, nullable=False),
    Column("seen", Moment, nullable=False),
    Column("until", Moment, nullable=False),
    comment="Open sessions.",
)

links: Final = Table(
    "web_links",
    metadata,
    Column("token", Digest, primary_key=True),
    Column("account", Id, nullable=False, index=True),
    Column("made_by", Word, nullable=False),
    Column("until", Moment, nullable=False),
    Column("used", Moment),
    comment="One-time links.",
)

passkeys: Final = Table(
    "web_passkeys",
    metadata,
    Column("id", Digest, primary_key=True, comment="SHA-256 of the credential's id"),
    Column("account", Id, nullable=False, index=True),
    Column("credential", LargeBinary, nullable=False),
    Column("public", LargeBinary, nullable=False),
    Column("signs", BigInteger, nullable=False, comment="signature counter"),
    Column("made", Moment, nullable=False),
    Column("used", Moment),
    comment="WebAuthn credentials.",
)

challenges: Final = Table(
    "web_challenges",
    metadata,
    Column("token", Digest, primary_key=True),
    Column("kind", String(12), nullable=False),
    Column("account", Id, nullable=False),
    Column("sealed", LargeBinary, nullable=False),
    Column("until", Moment, nullable=False),
    comment="Ceremonies of signing in that are under way.",
)

subjects: Final = Table(
    "web_subjects",
    metadata,
    Column("code", Digest, primary_key=True, comment="keyed code of issuer and subject"),
    Column("account", Id, nullable=False, index=True),
    Column("made", Moment, nullable=False),
    comment="Accounts of people who sign in elsewhere (OpenID Connect).",
)

parcels: Final = Table(
    "web_parcels",
    metadata,
    Column("id", Id, primary_key=True, comment="becomes the submission's"),
    Column("account", Word, nullable=False, index=True),
    Column("person", Id, nullable=False, index=True),
    Column("state", String(8), nullable=False),
    Column("purpose", String(80), nullable=False),
    Column("policy", String(71), nullable=False),
    Column("fresh", Boolean, nullable=False, comment="the person was made for it"),
    Column("submission", String(32), nullable=False, comment="where the files lie now; or empty"),
    Column("files", Integer, nullable=False),
    Column("known", Integer, nullable=False),
    Column("skipped", LargeBinary, comment="what was not taken in; sealed for the person"),
    Column("reason", String(24), nullable=False),
    Column("what", String(400), nullable=False),
    Column("todo", String(400), nullable=False),
    Column("tries", Integer, nullable=False),
    Column("made", Moment, nullable=False),
    Column("changed", Moment, nullable=False),
    Index("ix_web_parcels_state", "state", "id"),
    comment="Files that are handed in together, before they are a submission.",
)

uploads: Final = Table(
    "web_uploads",
    metadata,
    Column("id", Id, primary_key=True),
    Column("parcel", Id, ForeignKey("web_parcels.id"), nullable=False, index=True),
    Column("person", Id, nullable=False),
    Column("label", LargeBinary, nullable=False, comment="path as given; sealed for the person"),
    Column("length", BigInteger),
    Column("received", BigInteger, nullable=False, comment="bytes that are stored for good"),
    Column("pieces", Integer, nullable=False),
    Column("whole", Boolean, nullable=False),
    Column("made", Moment, nullable=False),
    Column("changed", Moment, nullable=False),
    comment="One file of a parcel; its pieces lie in the vault.",
)

items_seen: Final = Table(
    "web_items",
    metadata,
    Column("submission", Id, primary_key=True),
    Column("position", Integer, primary_key=True, autoincrement=False),
    Column("person", Id, nullable=False, index=True),
    Column("series", Digest, nullable=False, comment="keyed code"),
    Column("modality", String(16), nullable=False),
    Column("frames", Integer, nullable=False),
    Column("masks", Integer, nullable=False),
    Column("removed", Integer, nullable=False),
    Column("changed", Integer, nullable=False),
    Column("regions", LargeBinary, comment="what was found in the pixels; sealed for the person"),
    Column("reading", String(8), nullable=False),
    Column("noted", String(32), nullable=False, comment="case of feedback; or empty"),
    Column("number", Integer, comment="in its series, as the header says; NULL: it does not"),
    comment="What the page shows of an item, gathered when it was de-identified.",
)

mask_edits: Final = Table(
    "web_masks",
    metadata,
    Column("id", Id, primary_key=True),
    Column("submission", Id, nullable=False, index=True),
    Column("position", Integer, nullable=False),
    Column("person", Id, nullable=False, index=True),
    Column("spare", Boolean, nullable=False, comment="a mask that a person took off"),
    *(Column(name, Integer, nullable=False) for name in ("x", "y", "w", "h")),
    Column("frames", String(2000), nullable=False),
    Column("made_by", Word, nullable=False),
    Column("made", Moment, nullable=False),
    comment="Masks that people added or took off.",
)

looks: Final = Table(
    "web_looks",
    metadata,
    Column("submission", Id, primary_key=True),
    Column("person", Id, nullable=False, index=True),
    Column("before_until", Moment, comment="until when the owner can see how it was"),
    Column("approved", Moment),
    Column("approved_by", Word, nullable=False),
    comment="What was said of a submission as a whole.",
)

impressions: Final = Table(
    "web_impressions",
    metadata,
    Column("submission", Id, primary_key=True),
    Column("account", Word, primary_key=True),
    Column("person", Id, nullable=False, index=True),
    Column("sealed", LargeBinary, nullable=False, comment="sealed for the person"),
    Column("made", Moment, nullable=False),
    comment="What a clinician thought before they saw an answer.",
)

"""The store, the vault and submissions: their first tables."""

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Change the tables."""
    _clock()
    _vault_masters()
    _vault_people()
    _submissions()
    _vault_objects()
    _submission_items()


def _clock() -> None:
    """Change ``clock``."""
    op.create_table(
        "clock",
        sa.Column("id", sa.SmallInteger(), autoincrement=False, nullable=False),
        sa.Column("high", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_clock")),
        comment="One row: the latest moment that a committed transaction saw, in microseconds.",
    )


def _vault_masters() -> None:
    """Change ``vault_masters``."""
    op.create_table(
        "vault_masters",
        sa.Column("fingerprint", sa.String(length=16), nullable=False),
        sa.Column(
            "active",
            sa.String(length=8),
            nullable=True,
            comment="'yes' for one row, NULL for retired ones",
        ),
        sa.Column("made", sa.BigInteger(), nullable=False),
        sa.CheckConstraint("active = 'yes'", name=op.f("ck_vault_masters_active")),
        sa.PrimaryKeyConstraint("fingerprint", name=op.f("pk_vault_masters")),
        sa.UniqueConstraint("active", name=op.f("uq_vault_masters_active")),
        comment="Which master key wraps the data keys; never a key.",
    )


def _vault_people() -> None:
    """Change ``vault_people``."""
    op.create_table(
        "vault_people",
        sa.Column("id", sa.String(length=32), nullable=False),
        sa.Column(
            "code",
            sa.String(length=64),
            nullable=True,
            comment="keyed pseudonym; NULL when none was given",
        ),
        sa.Column("state", sa.String(length=8), nullable=False),
        sa.Column(
            "wrapped",
            sa.LargeBinary(),
            nullable=True,
            comment="data key, AES-256-GCM; NULL once erased",
        ),
        sa.Column("master", sa.String(length=16), nullable=True),
        sa.Column("made", sa.BigInteger(), nullable=False),
        sa.Column("erased", sa.BigInteger(), nullable=True),
        sa.CheckConstraint(
            "(state = 'erased') = (wrapped IS NULL)", name=op.f("ck_vault_people_erased_has_no_key")
        ),
        sa.CheckConstraint("state IN ('active', 'erased')", name=op.f("ck_vault_people_state")),
        sa.ForeignKeyConstraint(
            ["master"],
            ["vault_masters.fingerprint"],
            name=op.f("fk_vault_people_master_vault_masters"),
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_vault_people")),
        sa.UniqueConstraint("code", name=op.f("uq_vault_people_code")),
        comment="One data key a person. An erased person stays as a tombstone.",
    )


def _submissions() -> None:
    """Change ``submissions``."""
    op.create_table(
        "submissions",
        sa.Column("id", sa.String(length=32), nullable=False),
        sa.Column("person", sa.String(length=32), nullable=False),
        sa.Column("state", sa.String(length=8), nullable=False),
        sa.Column(
            "owner", sa.String(length=32), nullable=True, comment="process that holds the lease"
        ),
        sa.Column("lease_until", sa.BigInteger(), nullable=True),
        sa.Column(
            "token",
            sa.Integer(),
            nullable=False,
            comment="grows with every lease: a late owner loses",
        ),
        sa.Column("attempts", sa.Integer(), nullable=False),
        sa.Column("keep", sa.Boolean(), nullable=False, comment="the person keeps the originals"),
        sa.Column(
            "purpose", sa.String(length=80), nullable=False, comment="for which it is handed in"
        ),
        sa.Column(
            "policy",
            sa.String(length=71),
            nullable=False,
            comment="hash of the policy that was seen",
        ),
        sa.Column(
            "received",
            sa.LargeBinary(),
            nullable=True,
            comment="opened log entry, sealed for the person",
        ),
        sa.Column(
            "cleaned", sa.LargeBinary(), nullable=True, comment="as above, of the end of the work"
        ),
        sa.Column("fresh", sa.Boolean(), nullable=False, comment="the person was made for it"),
        sa.Column("made", sa.BigInteger(), nullable=False),
        sa.Column("changed", sa.BigInteger(), nullable=False),
        sa.CheckConstraint(
            "state IN ('arriving', 'waiting', 'working', 'done')", name=op.f("ck_submissions_state")
        ),
        sa.ForeignKeyConstraint(
            ["person"], ["vault_people.id"], name=op.f("fk_submissions_person_vault_people")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_submissions")),
        comment="What a person handed in at once: whole from 'waiting' on, absent before.",
    )
    op.create_index(op.f("ix_submissions_person"), "submissions", ["person"], unique=False)
    op.create_index("ix_submissions_queue", "submissions", ["state", "id"], unique=False)


def _vault_objects() -> None:
    """Change ``vault_objects``."""
    op.create_table(
        "vault_objects",
        sa.Column("person", sa.String(length=32), nullable=False),
        sa.Column("kind", sa.String(length=32), nullable=False),
        sa.Column("object", sa.String(length=64), nullable=False),
        sa.Column("key", sa.String(length=200), nullable=False, comment="in the object store"),
        sa.Column("bytes", sa.BigInteger(), nullable=False, comment="of the plain object"),
        sa.Column(
            "digest",
            sa.String(length=64),
            nullable=False,
            comment="BLAKE3 keyed with the person's key",
        ),
        sa.Column("state", sa.String(length=12), nullable=False),
        sa.Column("keep", sa.String(length=24), nullable=False, comment="why it is kept"),
        sa.Column("keep_until", sa.BigInteger(), nullable=True),
        sa.Column("made", sa.BigInteger(), nullable=False),
        sa.CheckConstraint(
            "state IN ('whole', 'corrupted', 'leaving')", name=op.f("ck_vault_objects_state")
        ),
        sa.ForeignKeyConstraint(
            ["person"], ["vault_people.id"], name=op.f("fk_vault_objects_person_vault_people")
        ),
        sa.PrimaryKeyConstraint("person", "kind", "object", name=op.f("pk_vault_objects")),
        sa.UniqueConstraint("key", name=op.f("uq_vault_objects_key")),
        comment="What lies encrypted in the object store.",
    )
    op.create_index(
        "ix_vault_objects_digest", "vault_objects", ["person", "kind", "digest"], unique=False
    )
    op.create_index("ix_vault_objects_keep", "vault_objects", ["keep", "keep_until"], unique=False)


def _submission_items() -> None:
    """Change ``submission_items``."""
    op.create_table(
        "submission_items",
        sa.Column("submission", sa.String(length=32), nullable=False),
        sa.Column("position", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("person", sa.String(length=32), nullable=False),
        sa.Column("state", sa.String(length=12), nullable=False),
        sa.Column("kind", sa.String(length=16), nullable=False),
        sa.Column("bytes", sa.BigInteger(), nullable=False),
        sa.Column(
            "digest", sa.String(length=64), nullable=False, comment="keyed with the person's key"
        ),
        sa.Column(
            "label",
            sa.LargeBinary(),
            nullable=False,
            comment="path as given; sealed for the person",
        ),
        sa.Column(
            "manifest",
            sa.LargeBinary(),
            nullable=True,
            comment="what was done; sealed for the person",
        ),
        sa.Column(
            "reason",
            sa.String(length=24),
            nullable=False,
            comment="code of the error; empty when done",
        ),
        sa.Column("what", sa.String(length=400), nullable=False),
        sa.Column("place", sa.String(length=200), nullable=False),
        sa.Column("todo", sa.String(length=400), nullable=False),
        sa.CheckConstraint(
            "state IN ('waiting', 'done', 'review', 'quarantine')",
            name=op.f("ck_submission_items_state"),
        ),
        sa.ForeignKeyConstraint(
            ["submission"],
            ["submissions.id"],
            name=op.f("fk_submission_items_submission_submissions"),
        ),
        sa.PrimaryKeyConstraint("submission", "position", name=op.f("pk_submission_items")),
        comment="One file of a submission.",
    )
    op.create_index(
        "ix_submission_items_digest", "submission_items", ["person", "digest"], unique=False
    )

"""Sums of other sites in a head."""

import sqlalchemy as sa
from alembic import op

revision = "0008"
down_revision = "0007"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Change the tables."""
    _learning_totals()


def _learning_totals() -> None:
    """Change ``learning_totals``."""
    op.create_table(
        "learning_totals",
        sa.Column("head", sa.String(length=32), nullable=False),
        sa.Column(
            "source",
            sa.String(length=64),
            nullable=False,
            comment="who adds up: a federation of sites",
        ),
        sa.Column("round", sa.String(length=32), nullable=False),
        sa.Column("space", sa.String(length=32), nullable=False, comment="the key's id"),
        sa.Column(
            "digest",
            sa.String(length=64),
            nullable=False,
            comment="of the sums; both sides logged it",
        ),
        sa.Column("rows", sa.Integer(), nullable=False),
        sa.Column(
            "record", sa.Text(), nullable=False, comment="plan, sites, signatures: canonical JSON"
        ),
        sa.Column(
            "sealed", sa.LargeBinary(), nullable=False, comment="sums; AES-256-GCM under that key"
        ),
        sa.Column("entry", sa.BigInteger(), nullable=False, comment="in the transparency log"),
        sa.Column("made", sa.BigInteger(), nullable=False),
        sa.ForeignKeyConstraint(
            ["head"], ["learning_heads.id"], name=op.f("fk_learning_totals_head_learning_heads")
        ),
        sa.ForeignKeyConstraint(
            ["space"], ["vault_people.id"], name=op.f("fk_learning_totals_space_vault_people")
        ),
        sa.PrimaryKeyConstraint("head", "source", name=op.f("pk_learning_totals")),
        comment="Sums of other sites that a head begins with; a new one replaces the old.",
    )

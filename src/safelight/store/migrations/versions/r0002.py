"""The transparency log: its first tables."""

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Change the tables."""
    _tlog_checkpoints()
    _tlog_leaves()
    _tlog_nodes()


def _tlog_checkpoints() -> None:
    """Change ``tlog_checkpoints``."""
    op.create_table(
        "tlog_checkpoints",
        sa.Column(
            "size",
            sa.BigInteger().with_variant(sa.Integer(), "sqlite"),
            autoincrement=False,
            nullable=False,
        ),
        sa.Column("note", sa.LargeBinary(), nullable=False),
        sa.PrimaryKeyConstraint("size", name=op.f("pk_tlog_checkpoints")),
        comment="Signed checkpoints (C2SP signed notes); UTF-8; each stands in a file outside.",
    )


def _tlog_leaves() -> None:
    """Change ``tlog_leaves``."""
    op.create_table(
        "tlog_leaves",
        sa.Column(
            "position",
            sa.BigInteger().with_variant(sa.Integer(), "sqlite"),
            autoincrement=False,
            nullable=False,
        ),
        sa.Column("entry", sa.LargeBinary(), nullable=False),
        sa.PrimaryKeyConstraint("position", name=op.f("pk_tlog_leaves")),
        comment="Entries of the log by their index from 0, without gaps; only ever added to.",
    )


def _tlog_nodes() -> None:
    """Change ``tlog_nodes``."""
    op.create_table(
        "tlog_nodes",
        sa.Column(
            "place",
            sa.BigInteger().with_variant(sa.Integer(), "sqlite"),
            autoincrement=False,
            nullable=False,
        ),
        sa.Column("hashes", sa.LargeBinary(), nullable=False),
        sa.PrimaryKeyConstraint("place", name=op.f("pk_tlog_nodes")),
        comment="Tiles: the hashes of five levels below one node; key: layer << 48 | number.",
    )

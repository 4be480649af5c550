"""Feedback."""

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Change the tables."""
    _feedback_cases()
    _feedback_events()
    _feedback_states()
    _feedback_answers()
    _feedback_entries()
    _feedback_impressions()
    _feedback_reveals()


def _feedback_cases() -> None:
    """Change ``feedback_cases``."""
    op.create_table(
        "feedback_cases",
        sa.Column("id", sa.String(length=32), nullable=False),
        sa.Column("person", sa.String(length=32), nullable=False),
        sa.Column("at", sa.BigInteger(), nullable=False),
        sa.Column("purpose", sa.String(length=80), nullable=False, comment="for which it was read"),
        sa.Column("policy", sa.String(length=71), nullable=False),
        sa.Column(
            "artefact", sa.String(length=32), nullable=False, comment="of the case in the lineage"
        ),
        sa.Column(
            "sealed",
            sa.LargeBinary(),
            nullable=False,
            comment="digest, look, site, age band, sex …",
        ),
        sa.Column("entry", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_feedback_cases")),
        comment="An image that was read.",
    )
    op.create_index(op.f("ix_feedback_cases_person"), "feedback_cases", ["person"], unique=False)


def _feedback_events() -> None:
    """Change ``feedback_events``."""
    op.create_table(
        "feedback_events",
        sa.Column(
            "number",
            sa.BigInteger().with_variant(sa.Integer(), "sqlite"),
            autoincrement=True,
            nullable=False,
        ),
        sa.Column("at", sa.BigInteger(), nullable=False),
        sa.Column("kind", sa.String(length=64), nullable=False),
        sa.Column("reader", sa.String(length=80), nullable=False),
        sa.Column("version", sa.String(length=100), nullable=False),
        sa.Column("who", sa.String(length=64), nullable=False, comment="an account, or a site"),
        sa.Column("level", sa.Integer(), nullable=False),
        sa.Column("detail", sa.Text(), nullable=False, comment="counts; nothing of one person"),
        sa.Column("entry", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("number", name=op.f("pk_feedback_events")),
        sa.UniqueConstraint(
            "kind",
            "reader",
            "version",
            "who",
            "level",
            name=op.f("uq_feedback_events_kind_reader_version_who_level"),
        ),
        comment="The scoreboard's log: floods, flips, drift, states. One row for each level of"
        " one.",
    )


def _feedback_states() -> None:
    """Change ``feedback_states``."""
    op.create_table(
        "feedback_states",
        sa.Column(
            "number",
            sa.BigInteger().with_variant(sa.Integer(), "sqlite"),
            autoincrement=True,
            nullable=False,
        ),
        sa.Column("reader", sa.String(length=64), nullable=False),
        sa.Column("version", sa.String(length=100), nullable=False),
        sa.Column("state", sa.String(length=64), nullable=False),
        sa.Column("reason", sa.String(length=200), nullable=False),
        sa.Column(
            "by",
            sa.String(length=64),
            nullable=False,
            comment="scoreboard, or the code of a steward",
        ),
        sa.Column("at", sa.BigInteger(), nullable=False),
        sa.Column("entry", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("number", name=op.f("pk_feedback_states")),
        comment="What the scoreboard lets a reader do; the last row of a version holds.",
    )
    op.create_index(
        "ix_feedback_states_reader",
        "feedback_states",
        ["reader", "version", "number"],
        unique=False,
    )


def _feedback_answers() -> None:
    """Change ``feedback_answers``."""
    op.create_table(
        "feedback_answers",
        sa.Column(
            "number",
            sa.BigInteger().with_variant(sa.Integer(), "sqlite"),
            autoincrement=True,
            nullable=False,
        ),
        sa.Column("case", sa.String(length=32), nullable=False),
        sa.Column("person", sa.String(length=32), nullable=False),
        sa.Column("at", sa.BigInteger(), nullable=False),
        sa.Column("sealed", sa.LargeBinary(), nullable=False, comment="what each reader answered"),
        sa.ForeignKeyConstraint(
            ["case"],
            ["feedback_cases.id"],
            name=op.f("fk_feedback_answers_case_feedback_cases"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("number", name=op.f("pk_feedback_answers")),
        comment="One reading of a case each; a later version of a reader adds one.",
    )
    op.create_index(op.f("ix_feedback_answers_case"), "feedback_answers", ["case"], unique=False)


def _feedback_entries() -> None:
    """Change ``feedback_entries``."""
    op.create_table(
        "feedback_entries",
        sa.Column(
            "number",
            sa.BigInteger().with_variant(sa.Integer(), "sqlite"),
            autoincrement=True,
            nullable=False,
        ),
        sa.Column("id", sa.String(length=32), nullable=False),
        sa.Column("case", sa.String(length=32), nullable=False),
        sa.Column("person", sa.String(length=32), nullable=False),
        sa.Column("about", sa.String(length=80), nullable=False),
        sa.Column("account", sa.String(length=64), nullable=False),
        sa.Column("at", sa.BigInteger(), nullable=False),
        sa.Column(
            "sealed", sa.LargeBinary(), nullable=False, comment="verdict, correction, region, words"
        ),
        sa.Column("entry", sa.BigInteger(), nullable=False),
        sa.ForeignKeyConstraint(
            ["case"],
            ["feedback_cases.id"],
            name=op.f("fk_feedback_entries_case_feedback_cases"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("number", name=op.f("pk_feedback_entries")),
        sa.UniqueConstraint("id", name=op.f("uq_feedback_entries_id")),
        comment="What was said; nothing overwrites what was said before.",
    )
    op.create_index(
        "ix_feedback_entries_account_at", "feedback_entries", ["account", "at"], unique=False
    )
    op.create_index(op.f("ix_feedback_entries_case"), "feedback_entries", ["case"], unique=False)


def _feedback_impressions() -> None:
    """Change ``feedback_impressions``."""
    op.create_table(
        "feedback_impressions",
        sa.Column(
            "number",
            sa.BigInteger().with_variant(sa.Integer(), "sqlite"),
            autoincrement=True,
            nullable=False,
        ),
        sa.Column("case", sa.String(length=32), nullable=False),
        sa.Column("person", sa.String(length=32), nullable=False),
        sa.Column("about", sa.String(length=80), nullable=False),
        sa.Column("account", sa.String(length=64), nullable=False),
        sa.Column("at", sa.BigInteger(), nullable=False),
        sa.Column("sealed", sa.LargeBinary(), nullable=False),
        sa.Column("entry", sa.BigInteger(), nullable=False),
        sa.ForeignKeyConstraint(
            ["case"],
            ["feedback_cases.id"],
            name=op.f("fk_feedback_impressions_case_feedback_cases"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("number", name=op.f("pk_feedback_impressions")),
        sa.UniqueConstraint(
            "case", "about", "account", name=op.f("uq_feedback_impressions_case_about_account")
        ),
        comment="What a clinician thought before the reader's answer was shown to them.",
    )


def _feedback_reveals() -> None:
    """Change ``feedback_reveals``."""
    op.create_table(
        "feedback_reveals",
        sa.Column("case", sa.String(length=32), nullable=False),
        sa.Column("about", sa.String(length=80), nullable=False),
        sa.Column("account", sa.String(length=64), nullable=False),
        sa.Column("at", sa.BigInteger(), nullable=False),
        sa.ForeignKeyConstraint(
            ["case"],
            ["feedback_cases.id"],
            name=op.f("fk_feedback_reveals_case_feedback_cases"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("case", "about", "account", name=op.f("pk_feedback_reveals")),
        comment="To whom an answer was shown, and when first.",
    )

"""Consent: its first tables."""

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Change the tables."""
    _consent_accesses()
    _consent_artefacts()
    _consent_policies()
    _consent_recipients()
    _consent_roles()
    _consent_statements()
    _consent_withdrawals()
    _consent_artefact_parents()
    _consent_disclosures()
    _consent_withdrawal_steps()


def _consent_accesses() -> None:
    """Change ``consent_accesses``."""
    op.create_table(
        "consent_accesses",
        sa.Column(
            "number",
            sa.BigInteger().with_variant(sa.Integer(), "sqlite"),
            autoincrement=True,
            nullable=False,
        ),
        sa.Column("at", sa.BigInteger(), nullable=False),
        sa.Column("actor", sa.String(length=64), nullable=False),
        sa.Column("role", sa.String(length=64), nullable=False),
        sa.Column("act", sa.String(length=64), nullable=False),
        sa.Column("person", sa.String(length=32), nullable=False),
        sa.Column("purpose", sa.String(length=80), nullable=False),
        sa.Column("allowed", sa.Boolean(), nullable=False),
        sa.Column("reason", sa.String(length=100), nullable=False),
        sa.Column("broke_glass", sa.Boolean(), nullable=False),
        sa.Column("sealed", sa.LargeBinary(), nullable=True),
        sa.Column("entry", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("number", name=op.f("pk_consent_accesses")),
        comment="Every access to a person's data, the refused ones too.",
    )
    op.create_index(
        "ix_consent_accesses_person_number", "consent_accesses", ["person", "number"], unique=False
    )


def _consent_artefacts() -> None:
    """Change ``consent_artefacts``."""
    op.create_table(
        "consent_artefacts",
        sa.Column("id", sa.String(length=32), nullable=False),
        sa.Column("person", sa.String(length=32), nullable=False),
        sa.Column("kind", sa.String(length=64), nullable=False),
        sa.Column("object", sa.String(length=128), nullable=False),
        sa.Column("purpose", sa.String(length=80), nullable=False),
        sa.Column("policy", sa.String(length=71), nullable=False),
        sa.Column("digest", sa.String(length=128), nullable=False),
        sa.Column("made_at", sa.BigInteger(), nullable=False),
        sa.Column("removed_at", sa.BigInteger(), nullable=True),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_consent_artefacts")),
        sa.UniqueConstraint(
            "person", "kind", "object", name=op.f("uq_consent_artefacts_person_kind_object")
        ),
        comment="Everything that was made from a person; names of objects are opaque.",
    )


def _consent_policies() -> None:
    """Change ``consent_policies``."""
    op.create_table(
        "consent_policies",
        sa.Column("hash", sa.String(length=71), nullable=False),
        sa.Column("name", sa.String(length=64), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("previous", sa.String(length=71), nullable=False),
        sa.Column("effect", sa.Integer(), nullable=False),
        sa.Column("document", sa.Text(), nullable=False),
        sa.Column("published_at", sa.BigInteger(), nullable=False),
        sa.Column("published_by", sa.String(length=64), nullable=False),
        sa.Column("entry", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("hash", name=op.f("pk_consent_policies")),
        sa.UniqueConstraint("name", "version", name=op.f("uq_consent_policies_name_version")),
        comment="Every published version; a row is never changed.",
    )


def _consent_recipients() -> None:
    """Change ``consent_recipients``."""
    op.create_table(
        "consent_recipients",
        sa.Column("id", sa.String(length=32), nullable=False),
        sa.Column("name", sa.String(length=200), nullable=False),
        sa.Column("address", sa.String(length=500), nullable=False),
        sa.Column("contact", sa.String(length=200), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_consent_recipients")),
        sa.UniqueConstraint("name", name=op.f("uq_consent_recipients_name")),
        comment="Organisations that data is handed to; never a person whose data it is.",
    )


def _consent_roles() -> None:
    """Change ``consent_roles``."""
    op.create_table(
        "consent_roles",
        sa.Column("actor", sa.String(length=64), nullable=False),
        sa.Column("role", sa.String(length=64), nullable=False),
        sa.Column("person", sa.String(length=32), nullable=False),
        sa.Column("since", sa.BigInteger(), nullable=False),
        sa.Column("given_by", sa.String(length=64), nullable=False),
        sa.Column("until", sa.BigInteger(), nullable=True),
        sa.PrimaryKeyConstraint("actor", "role", "person", name=op.f("pk_consent_roles")),
        comment="Who may do what; an empty person means all of them.",
    )


def _consent_statements() -> None:
    """Change ``consent_statements``."""
    op.create_table(
        "consent_statements",
        sa.Column(
            "number",
            sa.BigInteger().with_variant(sa.Integer(), "sqlite"),
            autoincrement=True,
            nullable=False,
        ),
        sa.Column("person", sa.String(length=32), nullable=False),
        sa.Column("purpose", sa.String(length=80), nullable=False),
        sa.Column("said", sa.String(length=64), nullable=False),
        sa.Column("policy", sa.String(length=71), nullable=False),
        sa.Column("at", sa.BigInteger(), nullable=False),
        sa.Column("recorded_at", sa.BigInteger(), nullable=False),
        sa.Column("recorded_by", sa.String(length=64), nullable=False),
        sa.Column("method", sa.String(length=64), nullable=False),
        sa.Column("until", sa.BigInteger(), nullable=True),
        sa.Column("basis", sa.String(length=64), nullable=False),
        sa.Column("sealed", sa.LargeBinary(), nullable=True),
        sa.Column("entry", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("number", name=op.f("pk_consent_statements")),
        comment="What was said by or for a person; rows are added, never changed.",
    )
    op.create_index(
        op.f("ix_consent_statements_person"), "consent_statements", ["person"], unique=False
    )


def _consent_withdrawals() -> None:
    """Change ``consent_withdrawals``."""
    op.create_table(
        "consent_withdrawals",
        sa.Column("id", sa.String(length=32), nullable=False),
        sa.Column("person", sa.String(length=32), nullable=False),
        sa.Column("purpose", sa.String(length=80), nullable=False),
        sa.Column("asked_at", sa.BigInteger(), nullable=False),
        sa.Column("asked_by", sa.String(length=64), nullable=False),
        sa.Column("stage", sa.String(length=64), nullable=False),
        sa.Column("changed_at", sa.BigInteger(), nullable=False),
        sa.Column("statement", sa.BigInteger(), nullable=False),
        sa.Column("receipt", sa.LargeBinary(), nullable=True),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_consent_withdrawals")),
        comment="One withdrawal each; its stage says how far it is carried out.",
    )
    op.create_index(
        op.f("ix_consent_withdrawals_person"), "consent_withdrawals", ["person"], unique=False
    )


def _consent_artefact_parents() -> None:
    """Change ``consent_artefact_parents``."""
    op.create_table(
        "consent_artefact_parents",
        sa.Column("child", sa.String(length=32), nullable=False),
        sa.Column("parent", sa.String(length=32), nullable=False),
        sa.ForeignKeyConstraint(
            ["child"],
            ["consent_artefacts.id"],
            name=op.f("fk_consent_artefact_parents_child_consent_artefacts"),
            ondelete="CASCADE",
        ),
        sa.ForeignKeyConstraint(
            ["parent"],
            ["consent_artefacts.id"],
            name=op.f("fk_consent_artefact_parents_parent_consent_artefacts"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("child", "parent", name=op.f("pk_consent_artefact_parents")),
        comment="Lineage: the child was made from the parent.",
    )
    op.create_index(
        op.f("ix_consent_artefact_parents_parent"),
        "consent_artefact_parents",
        ["parent"],
        unique=False,
    )


def _consent_disclosures() -> None:
    """Change ``consent_disclosures``."""
    op.create_table(
        "consent_disclosures",
        sa.Column("id", sa.String(length=32), nullable=False),
        sa.Column("person", sa.String(length=32), nullable=False),
        sa.Column("at", sa.BigInteger(), nullable=False),
        sa.Column("recipient", sa.String(length=32), nullable=False),
        sa.Column("kind", sa.String(length=64), nullable=False),
        sa.Column("count", sa.Integer(), nullable=False),
        sa.Column("digest", sa.String(length=128), nullable=False),
        sa.Column("purpose", sa.String(length=80), nullable=False),
        sa.Column("policy", sa.String(length=71), nullable=False),
        sa.Column("made_by", sa.String(length=64), nullable=False),
        sa.Column("sealed", sa.LargeBinary(), nullable=True),
        sa.Column("told_at", sa.BigInteger(), nullable=True),
        sa.Column("due_at", sa.BigInteger(), nullable=True),
        sa.Column("answer", sa.String(length=64), nullable=False),
        sa.Column("answered_at", sa.BigInteger(), nullable=True),
        sa.Column("entry", sa.BigInteger(), nullable=False),
        sa.ForeignKeyConstraint(
            ["recipient"],
            ["consent_recipients.id"],
            name=op.f("fk_consent_disclosures_recipient_consent_recipients"),
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_consent_disclosures")),
        comment="Every handing-out (45 CFR 164.528), and what became of it after a withdrawal.",
    )
    op.create_index(
        op.f("ix_consent_disclosures_person"), "consent_disclosures", ["person"], unique=False
    )


def _consent_withdrawal_steps() -> None:
    """Change ``consent_withdrawal_steps``."""
    op.create_table(
        "consent_withdrawal_steps",
        sa.Column("withdrawal", sa.String(length=32), nullable=False),
        sa.Column("number", sa.Integer(), nullable=False),
        sa.Column("kind", sa.String(length=64), nullable=False),
        sa.Column("object", sa.String(length=128), nullable=False),
        sa.Column("digest", sa.String(length=128), nullable=False),
        sa.Column("outcome", sa.String(length=64), nullable=False),
        sa.Column("after", sa.String(length=128), nullable=False),
        sa.Column("tries", sa.Integer(), nullable=False),
        sa.Column("done_at", sa.BigInteger(), nullable=True),
        sa.ForeignKeyConstraint(
            ["withdrawal"],
            ["consent_withdrawals.id"],
            name=op.f("fk_consent_withdrawal_steps_withdrawal_consent_withdrawals"),
        ),
        sa.PrimaryKeyConstraint("withdrawal", "number", name=op.f("pk_consent_withdrawal_steps")),
        comment="What a withdrawal has to remove, in order, and what became of each.",
    )

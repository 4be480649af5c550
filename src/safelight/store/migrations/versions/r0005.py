"""Learning."""

import sqlalchemy as sa
from alembic import op

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Change the tables."""
    _learning_heads()
    _learning_holds()
    _learning_links()
    _learning_models()
    _learning_contributions()
    _learning_contributions_indexes()
    _learning_ledgers()


def _learning_heads() -> None:
    """Change ``learning_heads``."""
    op.create_table(
        "learning_heads",
        sa.Column("id", sa.String(length=32), nullable=False),
        sa.Column("name", sa.String(length=100), nullable=False),
        sa.Column("recipe", sa.Text(), nullable=False, comment="canonical JSON"),
        sa.Column(
            "base", sa.LargeBinary(), nullable=False, comment="public statistics and examples"
        ),
        sa.Column("made", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_learning_heads")),
        sa.UniqueConstraint("name", name=op.f("uq_learning_heads_name")),
        comment="Heads that may learn; what a head starts from is public.",
    )


def _learning_holds() -> None:
    """Change ``learning_holds``."""
    op.create_table(
        "learning_holds",
        sa.Column("head", sa.String(length=32), nullable=False),
        sa.Column("account", sa.String(length=64), nullable=False),
        sa.Column("state", sa.String(length=8), nullable=False),
        sa.Column("rows", sa.Integer(), nullable=False),
        sa.Column(
            "against", sa.Integer(), nullable=False, comment="rows that all others speak against"
        ),
        sa.Column("entry", sa.BigInteger(), nullable=False),
        sa.Column("at", sa.BigInteger(), nullable=False),
        sa.CheckConstraint("state IN ('held', 'released')", name=op.f("ck_learning_holds_state")),
        sa.ForeignKeyConstraint(
            ["head"], ["learning_heads.id"], name=op.f("fk_learning_holds_head_learning_heads")
        ),
        sa.PrimaryKeyConstraint("head", "account", name=op.f("pk_learning_holds")),
        comment="Accounts whose labels are kept out of every head until somebody has looked.",
    )


def _learning_links() -> None:
    """Change ``learning_links``."""
    op.create_table(
        "learning_links",
        sa.Column("head", sa.String(length=32), nullable=False),
        sa.Column("number", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("previous", sa.String(length=64), nullable=False),
        sa.Column("link", sa.String(length=64), nullable=False),
        sa.Column(
            "commitment", sa.String(length=64), nullable=False, comment="to both parts' commitments"
        ),
        sa.Column("event", sa.String(length=12), nullable=False),
        sa.Column(
            "count", sa.Integer(), nullable=False, comment="rows that the event added or took off"
        ),
        sa.Column("at", sa.BigInteger(), nullable=False),
        sa.ForeignKeyConstraint(
            ["head"], ["learning_heads.id"], name=op.f("fk_learning_links_head_learning_heads")
        ),
        sa.PrimaryKeyConstraint("head", "number", name=op.f("pk_learning_links")),
        comment="The hash chain of a ledger's changes; only ever added to.",
    )


def _learning_models() -> None:
    """Change ``learning_models``."""
    op.create_table(
        "learning_models",
        sa.Column("head", sa.String(length=32), nullable=False),
        sa.Column("version", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("state", sa.String(length=9), nullable=False),
        sa.Column(
            "document", sa.Text(), nullable=False, comment="canonical JSON: hashes and numbers"
        ),
        sa.Column("note", sa.Text(), nullable=False, comment="the document's hash, signed"),
        sa.Column("card", sa.Text(), nullable=False, comment="canonical JSON"),
        sa.Column("entry", sa.BigInteger(), nullable=False, comment="in the transparency log"),
        sa.Column(
            "served",
            sa.LargeBinary(),
            nullable=True,
            comment="weights and examples, sealed; newest version only",
        ),
        sa.Column("made", sa.BigInteger(), nullable=False),
        sa.CheckConstraint(
            "state IN ('published', 'retired', 'void')", name=op.f("ck_learning_models_state")
        ),
        sa.ForeignKeyConstraint(
            ["head"], ["learning_heads.id"], name=op.f("fk_learning_models_head_learning_heads")
        ),
        sa.PrimaryKeyConstraint("head", "version", name=op.f("pk_learning_models")),
        comment="Published versions; of earlier ones only hashes are left.",
    )


def _learning_contributions() -> None:
    """Change ``learning_contributions``."""
    op.create_table(
        "learning_contributions",
        sa.Column("id", sa.String(length=32), nullable=False),
        sa.Column("head", sa.String(length=32), nullable=False),
        sa.Column("person", sa.String(length=32), nullable=False),
        sa.Column("space", sa.String(length=32), nullable=False, comment="the outer key's"),
        sa.Column("part", sa.String(length=9), nullable=False),
        sa.Column(
            "role",
            sa.String(length=9),
            nullable=False,
            comment="of the person: learnt from, or tested on",
        ),
        sa.Column(
            "rank", sa.BigInteger(), nullable=False, comment="from the id alone; draws samples"
        ),
        sa.Column("account", sa.String(length=64), nullable=False, comment="who gave the label"),
        sa.Column("purpose", sa.String(length=80), nullable=False),
        sa.Column("policy", sa.String(length=71), nullable=False),
        sa.Column(
            "digest",
            sa.String(length=64),
            nullable=False,
            comment="of the features, keyed with the person's key",
        ),
        sa.Column(
            "sealed", sa.LargeBinary(), nullable=False, comment="features and label, sealed twice"
        ),
        sa.Column("made", sa.BigInteger(), nullable=False),
        sa.CheckConstraint(
            "part IN ('pending', 'published')", name=op.f("ck_learning_contributions_part")
        ),
        sa.CheckConstraint(
            "role IN ('learn', 'calibrate')", name=op.f("ck_learning_contributions_role")
        ),
        sa.ForeignKeyConstraint(
            ["head"],
            ["learning_heads.id"],
            name=op.f("fk_learning_contributions_head_learning_heads"),
        ),
        sa.ForeignKeyConstraint(
            ["person"],
            ["vault_people.id"],
            name=op.f("fk_learning_contributions_person_vault_people"),
        ),
        sa.ForeignKeyConstraint(
            ["space"],
            ["vault_people.id"],
            name=op.f("fk_learning_contributions_space_vault_people"),
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_learning_contributions")),
        sa.UniqueConstraint(
            "head", "person", "digest", name=op.f("uq_learning_contributions_head_person_digest")
        ),
        comment="One image's features and label each; gone when consent is taken back.",
    )


def _learning_contributions_indexes() -> None:
    """Find contributions by person and by rank."""
    op.create_index(
        "ix_learning_contributions_person",
        "learning_contributions",
        ["person", "head"],
        unique=False,
    )
    op.create_index(
        "ix_learning_contributions_rank",
        "learning_contributions",
        ["head", "part", "role", "rank"],
        unique=False,
    )


def _learning_ledgers() -> None:
    """Change ``learning_ledgers``."""
    op.create_table(
        "learning_ledgers",
        sa.Column("head", sa.String(length=32), nullable=False),
        sa.Column("part", sa.String(length=9), nullable=False),
        sa.Column("space", sa.String(length=32), nullable=False, comment="the key's id"),
        sa.Column("rows", sa.Integer(), nullable=False),
        sa.Column(
            "commitment",
            sa.String(length=64),
            nullable=False,
            comment="to the sums; its salt is sealed with them",
        ),
        sa.Column(
            "sealed", sa.LargeBinary(), nullable=False, comment="sums; AES-256-GCM under that key"
        ),
        sa.CheckConstraint(
            "part IN ('pending', 'published')", name=op.f("ck_learning_ledgers_part")
        ),
        sa.ForeignKeyConstraint(
            ["head"], ["learning_heads.id"], name=op.f("fk_learning_ledgers_head_learning_heads")
        ),
        sa.ForeignKeyConstraint(
            ["space"], ["vault_people.id"], name=op.f("fk_learning_ledgers_space_vault_people")
        ),
        sa.PrimaryKeyConstraint("head", "part", name=op.f("pk_learning_ledgers")),
        comment="What a head's contributors add up to, as it stands; no earlier state is kept.",
    )

"""The page."""

import sqlalchemy as sa
from alembic import op

revision = "0006"
down_revision = "0005"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Change the tables."""
    _web_accounts()
    _web_challenges()
    _web_impressions()
    _web_items()
    _web_links()
    _web_looks()
    _web_masks()
    _web_parcels()
    _web_passkeys()
    _web_sessions()
    _web_subjects()
    _web_uploads()


def _web_accounts() -> None:
    """Change ``web_accounts``."""
    op.create_table(
        "web_accounts",
        sa.Column("id", sa.String(length=32), nullable=False),
        sa.Column(
            "name",
            sa.String(length=64),
            nullable=True,
            comment="keyed code of the sign-in name; NULL: none",
        ),
        sa.Column("label", sa.LargeBinary(), nullable=False, comment="the name, sealed"),
        sa.Column(
            "password", sa.String(length=200), nullable=False, comment="argon2id; empty: none"
        ),
        sa.Column(
            "person",
            sa.String(length=32),
            nullable=False,
            comment="whose own account it is; or empty",
        ),
        sa.Column("failures", sa.Integer(), nullable=False),
        sa.Column("locked_until", sa.BigInteger(), nullable=True),
        sa.Column("state", sa.String(length=8), nullable=False),
        sa.Column("made", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_web_accounts")),
        sa.UniqueConstraint("name", name=op.f("uq_web_accounts_name")),
        comment="Who may sign in; what they may do stands in consent_roles.",
    )
    op.create_index(op.f("ix_web_accounts_person"), "web_accounts", ["person"], unique=False)


def _web_challenges() -> None:
    """Change ``web_challenges``."""
    op.create_table(
        "web_challenges",
        sa.Column("token", sa.String(length=64), nullable=False),
        sa.Column("kind", sa.String(length=12), nullable=False),
        sa.Column("account", sa.String(length=32), nullable=False),
        sa.Column("sealed", sa.LargeBinary(), nullable=False),
        sa.Column("until", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("token", name=op.f("pk_web_challenges")),
        comment="Ceremonies of signing in that are under way.",
    )


def _web_impressions() -> None:
    """Change ``web_impressions``."""
    op.create_table(
        "web_impressions",
        sa.Column("submission", sa.String(length=32), nullable=False),
        sa.Column("account", sa.String(length=64), nullable=False),
        sa.Column("person", sa.String(length=32), nullable=False),
        sa.Column("sealed", sa.LargeBinary(), nullable=False, comment="sealed for the person"),
        sa.Column("made", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("submission", "account", name=op.f("pk_web_impressions")),
        comment="What a clinician thought before they saw an answer.",
    )
    op.create_index(op.f("ix_web_impressions_person"), "web_impressions", ["person"], unique=False)


def _web_items() -> None:
    """Change ``web_items``."""
    op.create_table(
        "web_items",
        sa.Column("submission", sa.String(length=32), nullable=False),
        sa.Column("position", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("person", sa.String(length=32), nullable=False),
        sa.Column("series", sa.String(length=64), nullable=False, comment="keyed code"),
        sa.Column("modality", sa.String(length=16), nullable=False),
        sa.Column("frames", sa.Integer(), nullable=False),
        sa.Column("masks", sa.Integer(), nullable=False),
        sa.Column("removed", sa.Integer(), nullable=False),
        sa.Column("changed", sa.Integer(), nullable=False),
        sa.Column(
            "regions",
            sa.LargeBinary(),
            nullable=True,
            comment="what was found in the pixels; sealed for the person",
        ),
        sa.Column("reading", sa.String(length=8), nullable=False),
        sa.Column(
            "noted", sa.String(length=32), nullable=False, comment="case of feedback; or empty"
        ),
        sa.PrimaryKeyConstraint("submission", "position", name=op.f("pk_web_items")),
        comment="What the page shows of an item, gathered when it was de-identified.",
    )
    op.create_index(op.f("ix_web_items_person"), "web_items", ["person"], unique=False)


def _web_links() -> None:
    """Change ``web_links``."""
    op.create_table(
        "web_links",
        sa.Column("token", sa.String(length=64), nullable=False),
        sa.Column("account", sa.String(length=32), nullable=False),
        sa.Column("made_by", sa.String(length=64), nullable=False),
        sa.Column("until", sa.BigInteger(), nullable=False),
        sa.Column("used", sa.BigInteger(), nullable=True),
        sa.PrimaryKeyConstraint("token", name=op.f("pk_web_links")),
        comment="One-time links.",
    )
    op.create_index(op.f("ix_web_links_account"), "web_links", ["account"], unique=False)


def _web_looks() -> None:
    """Change ``web_looks``."""
    op.create_table(
        "web_looks",
        sa.Column("submission", sa.String(length=32), nullable=False),
        sa.Column("person", sa.String(length=32), nullable=False),
        sa.Column(
            "before_until",
            sa.BigInteger(),
            nullable=True,
            comment="until when the owner can see how it was",
        ),
        sa.Column("approved", sa.BigInteger(), nullable=True),
        sa.Column("approved_by", sa.String(length=64), nullable=False),
        sa.PrimaryKeyConstraint("submission", name=op.f("pk_web_looks")),
        comment="What was said of a submission as a whole.",
    )
    op.create_index(op.f("ix_web_looks_person"), "web_looks", ["person"], unique=False)


def _web_masks() -> None:
    """Change ``web_masks``."""
    op.create_table(
        "web_masks",
        sa.Column("id", sa.String(length=32), nullable=False),
        sa.Column("submission", sa.String(length=32), nullable=False),
        sa.Column("position", sa.Integer(), nullable=False),
        sa.Column("person", sa.String(length=32), nullable=False),
        sa.Column("spare", sa.Boolean(), nullable=False, comment="a mask that a person took off"),
        sa.Column("x", sa.Integer(), nullable=False),
        sa.Column("y", sa.Integer(), nullable=False),
        sa.Column("w", sa.Integer(), nullable=False),
        sa.Column("h", sa.Integer(), nullable=False),
        sa.Column("frames", sa.String(length=2000), nullable=False),
        sa.Column("made_by", sa.String(length=64), nullable=False),
        sa.Column("made", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_web_masks")),
        comment="Masks that people added or took off.",
    )
    op.create_index(op.f("ix_web_masks_person"), "web_masks", ["person"], unique=False)
    op.create_index(op.f("ix_web_masks_submission"), "web_masks", ["submission"], unique=False)


def _web_parcels() -> None:
    """Change ``web_parcels``."""
    op.create_table(
        "web_parcels",
        sa.Column("id", sa.String(length=32), nullable=False, comment="becomes the submission's"),
        sa.Column("account", sa.String(length=64), nullable=False),
        sa.Column("person", sa.String(length=32), nullable=False),
        sa.Column("state", sa.String(length=8), nullable=False),
        sa.Column("purpose", sa.String(length=80), nullable=False),
        sa.Column("policy", sa.String(length=71), nullable=False),
        sa.Column("fresh", sa.Boolean(), nullable=False, comment="the person was made for it"),
        sa.Column(
            "submission",
            sa.String(length=32),
            nullable=False,
            comment="where the files lie now; or empty",
        ),
        sa.Column("files", sa.Integer(), nullable=False),
        sa.Column("known", sa.Integer(), nullable=False),
        sa.Column(
            "skipped",
            sa.LargeBinary(),
            nullable=True,
            comment="what was not taken in; sealed for the person",
        ),
        sa.Column("reason", sa.String(length=24), nullable=False),
        sa.Column("what", sa.String(length=400), nullable=False),
        sa.Column("todo", sa.String(length=400), nullable=False),
        sa.Column("tries", sa.Integer(), nullable=False),
        sa.Column("made", sa.BigInteger(), nullable=False),
        sa.Column("changed", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_web_parcels")),
        comment="Files that are handed in together, before they are a submission.",
    )
    op.create_index(op.f("ix_web_parcels_account"), "web_parcels", ["account"], unique=False)
    op.create_index(op.f("ix_web_parcels_person"), "web_parcels", ["person"], unique=False)
    op.create_index("ix_web_parcels_state", "web_parcels", ["state", "id"], unique=False)


def _web_passkeys() -> None:
    """Change ``web_passkeys``."""
    op.create_table(
        "web_passkeys",
        sa.Column(
            "id", sa.String(length=64), nullable=False, comment="SHA-256 of the credential's id"
        ),
        sa.Column("account", sa.String(length=32), nullable=False),
        sa.Column("credential", sa.LargeBinary(), nullable=False),
        sa.Column("public", sa.LargeBinary(), nullable=False),
        sa.Column("signs", sa.BigInteger(), nullable=False, comment="signature counter"),
        sa.Column("made", sa.BigInteger(), nullable=False),
        sa.Column("used", sa.BigInteger(), nullable=True),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_web_passkeys")),
        comment="WebAuthn credentials.",
    )
    op.create_index(op.f("ix_web_passkeys_account"), "web_passkeys", ["account"], unique=False)


def _web_sessions() -> None:
    """Change ``web_sessions``."""
    op.create_table(
        "web_sessions",
        sa.Column(
            "token",
            sa.String(length=64),
            nullable=False,
            comment="SHA-256 of the token in the cookie",
        ),
        sa.Column("account", sa.String(length=32), nullable=False),
        sa.Column("way", sa.String(length=12), nullable=False, comment="how they signed in"),
        sa.Column("made", sa.BigInteger(), nullable=False),
        sa.Column("seen", sa.BigInteger(), nullable=False),
        sa.Column("until", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("token", name=op.f("pk_web_sessions")),
        comment="Open sessions.",
    )
    op.create_index(op.f("ix_web_sessions_account"), "web_sessions", ["account"], unique=False)


def _web_subjects() -> None:
    """Change ``web_subjects``."""
    op.create_table(
        "web_subjects",
        sa.Column(
            "code", sa.String(length=64), nullable=False, comment="keyed code of issuer and subject"
        ),
        sa.Column("account", sa.String(length=32), nullable=False),
        sa.Column("made", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("code", name=op.f("pk_web_subjects")),
        comment="Accounts of people who sign in elsewhere (OpenID Connect).",
    )
    op.create_index(op.f("ix_web_subjects_account"), "web_subjects", ["account"], unique=False)


def _web_uploads() -> None:
    """Change ``web_uploads``."""
    op.create_table(
        "web_uploads",
        sa.Column("id", sa.String(length=32), nullable=False),
        sa.Column("parcel", sa.String(length=32), nullable=False),
        sa.Column("person", sa.String(length=32), nullable=False),
        sa.Column(
            "label",
            sa.LargeBinary(),
            nullable=False,
            comment="path as given; sealed for the person",
        ),
        sa.Column("length", sa.BigInteger(), nullable=True),
        sa.Column(
            "received", sa.BigInteger(), nullable=False, comment="bytes that are stored for good"
        ),
        sa.Column("pieces", sa.Integer(), nullable=False),
        sa.Column("whole", sa.Boolean(), nullable=False),
        sa.Column("made", sa.BigInteger(), nullable=False),
        sa.Column("changed", sa.BigInteger(), nullable=False),
        sa.ForeignKeyConstraint(
            ["parcel"], ["web_parcels.id"], name=op.f("fk_web_uploads_parcel_web_parcels")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_web_uploads")),
        comment="One file of a parcel; its pieces lie in the vault.",
    )
    op.create_index(op.f("ix_web_uploads_parcel"), "web_uploads", ["parcel"], unique=False)

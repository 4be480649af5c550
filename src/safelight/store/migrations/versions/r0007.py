"""The number of a file in its series."""

import sqlalchemy as sa
from alembic import op

revision = "0007"
down_revision = "0006"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Change the tables."""
    _web_items()


def _web_items() -> None:
    """Change ``web_items``."""
    op.add_column(
        "web_items",
        sa.Column(
            "number",
            sa.Integer(),
            nullable=True,
            comment="in its series, as the header says; NULL: it does not",
        ),
    )

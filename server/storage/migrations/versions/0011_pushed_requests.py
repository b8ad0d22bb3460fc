"""Add whether an app must push its authorization requests."""

import sqlalchemy as sa
from alembic import op

revision = "0011"
down_revision = "0010"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Add the column, which is false for existing apps."""
    op.add_column(
        "apps", sa.Column("requires_par", sa.Boolean(), nullable=False, server_default=sa.false())
    )

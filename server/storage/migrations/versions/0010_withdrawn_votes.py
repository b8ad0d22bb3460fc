"""Add how often an approver withdrew their vote."""

import sqlalchemy as sa
from alembic import op

revision = "0010"
down_revision = "0009"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Add the column, which is 0 for existing votes."""
    op.add_column(
        "decisions", sa.Column("withdrawals", sa.Integer(), nullable=False, server_default="0")
    )

"""Add the client whose call an agent handles, to requests and audit entries."""

import sqlalchemy as sa
from alembic import op

revision = "0006"
down_revision = "0005"
branch_labels = None
depends_on = None

_CALLED = sa.text("state IN ('pending', 'approved') AND caller_id IS NOT NULL")


def upgrade() -> None:
    """Add the columns and the index. Existing requests and entries have no caller."""
    op.add_column("approvals", sa.Column("caller_id", sa.Text(), nullable=True))
    op.add_column("audit_entries", sa.Column("caller_id", sa.Text(), nullable=True))
    op.create_index(
        "ix_approvals_called",
        "approvals",
        ["caller_id"],
        unique=False,
        sqlite_where=_CALLED,
        postgresql_where=_CALLED,
    )

"""Store with each decision whom the approver decided for."""

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Add the column and fill it for existing decisions."""
    op.add_column("decisions", sa.Column("stands_for", sa.Text(), nullable=True))
    op.execute(
        "UPDATE decisions SET stands_for = (SELECT approvers.stands_for FROM approvers"
        " WHERE approvers.approval_id = decisions.approval_id"
        " AND approvers.user_id = decisions.user_id)"
        " WHERE EXISTS (SELECT 1 FROM approvers WHERE approvers.approval_id = decisions.approval_id"
        " AND approvers.user_id = decisions.user_id AND approvers.stands_for IS NOT NULL)"
    )

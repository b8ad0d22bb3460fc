"""Add indexes for lists and revocations, whose cost would grow with all requests and tokens."""

import sqlalchemy as sa
from alembic import op

revision = "0012"
down_revision = "0011"
branch_labels = None
depends_on = None

_OPEN = sa.text("state IN ('pending', 'approved')")


def upgrade() -> None:
    """Add the indexes of open requests and of tokens.

    Of two equally good indexes, SQLite uses the one that was created last, so `ix_approvals_open`
    is created again.
    """
    op.drop_index("ix_approvals_open", table_name="approvals")
    for name, columns in (
        ("ix_approvals_open_user", ["user_id", "state"]),
        ("ix_approvals_open_resource", ["resource"]),
        ("ix_approvals_open_made", ["created_at", "id"]),
        ("ix_approvals_open", ["agent_id", "user_id", "expires_at"]),
    ):
        op.create_index(
            name, "approvals", columns, unique=False, sqlite_where=_OPEN, postgresql_where=_OPEN
        )
    op.create_index("ix_delegations_expiry", "delegations", ["expires_at"], unique=False)
    op.create_index("ix_delegations_issued", "delegations", ["issued_at", "id"], unique=False)

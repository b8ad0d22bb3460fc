"""Add the device whose passkey was used to sign in to apps."""

import sqlalchemy as sa
from alembic import op

revision = "0013"
down_revision = "0012"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Add the column, which is empty for passwords and for existing sign-ins."""
    op.add_column("sign_ins", sa.Column("device_id", sa.Text(), nullable=True))

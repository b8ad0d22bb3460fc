"""Add the default scopes of resources."""

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """On SQLite a batch makes its table anew, so foreign keys MUST be off (`storage/open.py`)."""
    op.add_column("resources", sa.Column("default_scopes", sa.Text(), nullable=True))
    op.execute("UPDATE resources SET default_scopes = '[]'")
    with op.batch_alter_table("resources") as batch_op:
        batch_op.alter_column("default_scopes", existing_type=sa.Text(), nullable=False)

"""Add default scopes, unregistered apps, and when such apps were checked and used."""

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """On SQLite a batch recreates its table, so foreign keys MUST be off (`storage/open.py`)."""
    for table, column in (
        ("resources", sa.Column("default_scopes", sa.Text(), nullable=True)),
        ("resources", sa.Column("unknown_clients", sa.Boolean(), nullable=True)),
        ("apps", sa.Column("origin", sa.Text(), nullable=True)),
        ("apps", sa.Column("claimed_name", sa.Text(), nullable=True)),
    ):
        op.add_column(table, column)
    op.execute("UPDATE resources SET default_scopes = '[]', unknown_clients = FALSE")
    op.execute("UPDATE apps SET origin = 'administrator'")
    with op.batch_alter_table("resources") as batch_op:
        batch_op.alter_column("default_scopes", existing_type=sa.Text(), nullable=False)
        batch_op.alter_column("unknown_clients", existing_type=sa.Boolean(), nullable=False)
    with op.batch_alter_table("apps") as batch_op:
        batch_op.alter_column("origin", existing_type=sa.Text(), nullable=False)
    op.create_table(
        "app_uses",
        sa.Column("app_id", sa.Text(), nullable=False),
        sa.Column("created_at", sa.BigInteger(), nullable=False),
        sa.Column("fresh_until", sa.BigInteger(), nullable=False),
        sa.Column("checked_at", sa.BigInteger(), nullable=False),
        sa.Column("used_at", sa.BigInteger(), nullable=True),
        sa.ForeignKeyConstraint(
            ["app_id"], ["apps.id"], name=op.f("fk_app_uses_app_id"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("app_id", name=op.f("pk_app_uses")),
    )

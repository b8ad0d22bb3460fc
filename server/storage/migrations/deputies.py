"""The part of the first tables that is about deputies."""

import sqlalchemy as sa
from alembic import op


def make_table_of_deputies() -> None:
    """Who decides for whom, and until when."""
    op.create_table(
        "deputies",
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("user_id", sa.Text(), nullable=False),
        sa.Column("deputy_id", sa.Text(), nullable=False),
        sa.Column("from_at", sa.BigInteger(), nullable=False),
        sa.Column("to_at", sa.BigInteger(), nullable=False),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("device_id", sa.Text(), nullable=False),
        sa.Column("created_at", sa.BigInteger(), nullable=False),
        sa.Column("revoked_at", sa.BigInteger(), nullable=True),
        sa.ForeignKeyConstraint(["user_id"], ["users.id"], name=op.f("fk_deputies_user_id")),
        sa.ForeignKeyConstraint(["deputy_id"], ["users.id"], name=op.f("fk_deputies_deputy_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_deputies")),
    )
    with op.batch_alter_table("deputies", schema=None) as batch_op:
        for whose in ("user", "deputy"):
            batch_op.create_index(
                f"ix_deputies_{whose}",
                [f"{whose}_id", "to_at"],
                unique=False,
                sqlite_where=sa.text("state <> 'over'"),
                postgresql_where=sa.text("state <> 'over'"),
            )

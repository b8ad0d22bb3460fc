"""The part of the first tables that hangs on an agent."""

import sqlalchemy as sa
from alembic import op


def make_tables_of_agents() -> None:
    """When their keys were used, and the pictures that they have."""
    op.create_table(
        "agent_keys",
        sa.Column("agent_id", sa.Text(), nullable=False),
        sa.Column("kid", sa.Text(), nullable=False),
        sa.Column("last_used_at", sa.BigInteger(), nullable=True),
        sa.ForeignKeyConstraint(
            ["agent_id"], ["agents.id"], name=op.f("fk_agent_keys_agent_id"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("agent_id", "kid", name=op.f("pk_agent_keys")),
    )
    op.create_table(
        "icons",
        sa.Column("digest", sa.Text(), nullable=False),
        sa.Column("media_type", sa.Text(), nullable=False),
        sa.Column("body", sa.LargeBinary(), nullable=False),
        sa.PrimaryKeyConstraint("digest", name=op.f("pk_icons")),
    )

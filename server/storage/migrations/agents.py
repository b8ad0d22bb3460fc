"""The part of the first tables that hangs on an agent."""

import sqlalchemy as sa
from alembic import op


def make_tables_of_agents() -> None:
    """When their keys were used, their pictures, their former names, and the looks of all names."""
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
    op.create_table(
        "former_names",
        sa.Column("agent_id", sa.Text(), nullable=False),
        sa.Column("until", sa.BigInteger(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.ForeignKeyConstraint(
            ["agent_id"], ["agents.id"], name=op.f("fk_former_names_agent_id"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("agent_id", "until", "name", name=op.f("pk_former_names")),
    )
    op.create_table(
        "name_looks",
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("look", sa.Text(), nullable=False),
        sa.Column("bearer", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("kind", "look", name=op.f("pk_name_looks")),
        sqlite_with_rowid=False,
    )
    op.create_index(op.f("ix_name_looks_bearer"), "name_looks", ["bearer"], unique=False)

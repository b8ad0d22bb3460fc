"""The part of the first tables that is about standing grants."""

import sqlalchemy as sa
from alembic import op


def make_tables_of_standing_grants() -> None:
    """Approvals given ahead, and their uses."""
    op.create_table(
        "standing_grants",
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("user_id", sa.Text(), nullable=False),
        sa.Column("agent_id", sa.Text(), nullable=False),
        sa.Column("resource", sa.Text(), nullable=False),
        sa.Column("scopes", sa.Text(), nullable=False),
        sa.Column("details", sa.Text(), nullable=False),
        sa.Column("vary", sa.Text(), nullable=False),
        sa.Column("type", sa.Text(), nullable=True),
        sa.Column("version", sa.Integer(), nullable=True),
        sa.Column("risk", sa.Text(), nullable=False),
        sa.Column("ceremony", sa.Text(), nullable=False),
        sa.Column("uses", sa.Integer(), nullable=False),
        sa.Column("sum_minor", sa.BigInteger(), nullable=True),
        sa.Column("sum_currency", sa.Text(), nullable=True),
        sa.Column("tell", sa.Boolean(), nullable=False),
        sa.Column("used", sa.Integer(), nullable=False),
        sa.Column("spent_minor", sa.BigInteger(), nullable=False),
        sa.Column("numbered", sa.Integer(), nullable=False),
        sa.Column("approval_id", sa.Text(), nullable=False),
        sa.Column("created_at", sa.BigInteger(), nullable=False),
        sa.Column("expires_at", sa.BigInteger(), nullable=False),
        sa.Column("ended_at", sa.BigInteger(), nullable=True),
        sa.Column("ended_because", sa.Text(), nullable=True),
        sa.ForeignKeyConstraint(
            ["approval_id"], ["approvals.id"], name=op.f("fk_standing_grants_approval_id")
        ),
        sa.ForeignKeyConstraint(["user_id"], ["users.id"], name=op.f("fk_standing_grants_user_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_standing_grants")),
    )
    in_force = sa.text("ended_at IS NULL")
    with op.batch_alter_table("standing_grants", schema=None) as batch_op:
        batch_op.create_index(
            "ix_standing_grants_agent",
            ["agent_id"],
            unique=False,
            sqlite_where=in_force,
            postgresql_where=in_force,
        )
        batch_op.create_index(
            "ix_standing_grants_live",
            ["user_id", "agent_id", "resource"],
            unique=False,
            sqlite_where=in_force,
            postgresql_where=in_force,
        )
        batch_op.create_index("ix_standing_grants_made", ["created_at"], unique=False)
    op.create_table(
        "grant_uses",
        sa.Column("grant_id", sa.Text(), nullable=False),
        sa.Column("number", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("approval_id", sa.Text(), nullable=False),
        sa.Column("minor", sa.BigInteger(), nullable=False),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("at", sa.BigInteger(), nullable=False),
        sa.ForeignKeyConstraint(
            ["grant_id"], ["standing_grants.id"], name=op.f("fk_grant_uses_grant_id")
        ),
        sa.PrimaryKeyConstraint("grant_id", "number", name=op.f("pk_grant_uses")),
        sa.UniqueConstraint("approval_id", name=op.f("uq_grant_uses_approval_id")),
    )

"""The part of the first tables that is about more than one person."""

import sqlalchemy as sa
from alembic import op


def make_tables_of_approvers() -> None:
    """Groups, and who is asked besides the person a request is for."""
    op.create_table(
        "groups",
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("name_key", sa.Text(), nullable=False),
        sa.Column("created_at", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_groups")),
        sa.UniqueConstraint("name_key", name=op.f("uq_groups_name_key")),
    )
    op.create_table(
        "group_members",
        sa.Column("group_id", sa.Text(), nullable=False),
        sa.Column("user_id", sa.Text(), nullable=False),
        sa.ForeignKeyConstraint(
            ["group_id"],
            ["groups.id"],
            name=op.f("fk_group_members_group_id"),
            ondelete="CASCADE",
        ),
        sa.ForeignKeyConstraint(["user_id"], ["users.id"], name=op.f("fk_group_members_user_id")),
        sa.PrimaryKeyConstraint("group_id", "user_id", name=op.f("pk_group_members")),
    )
    op.create_table(
        "approvers",
        sa.Column("approval_id", sa.Text(), nullable=False),
        sa.Column("user_id", sa.Text(), nullable=False),
        sa.Column("why", sa.Text(), nullable=False),
        sa.Column("approves", sa.Boolean(), nullable=False),
        sa.Column("stands_for", sa.Text(), nullable=True),
        sa.Column("group_id", sa.Text(), nullable=True),
        sa.Column("added_at", sa.BigInteger(), nullable=False),
        sa.Column("ends_at", sa.BigInteger(), nullable=False),
        sa.Column("risk", sa.Text(), nullable=False),
        sa.Column("over_at", sa.BigInteger(), nullable=True),
        sa.Column("held_back", sa.Boolean(), nullable=False),
        sa.ForeignKeyConstraint(
            ["approval_id"], ["approvals.id"], name=op.f("fk_approvers_approval_id")
        ),
        sa.ForeignKeyConstraint(["user_id"], ["users.id"], name=op.f("fk_approvers_user_id")),
        sa.PrimaryKeyConstraint("approval_id", "user_id", name=op.f("pk_approvers")),
    )
    with op.batch_alter_table("approvers", schema=None) as batch_op:
        batch_op.create_index(
            "ix_approvers_over",
            ["user_id", "over_at"],
            unique=False,
            sqlite_where=sa.text("over_at IS NOT NULL"),
            postgresql_where=sa.text("over_at IS NOT NULL"),
        )
        batch_op.create_index(
            "ix_approvers_waiting",
            ["user_id", "risk", "ends_at", "approval_id"],
            unique=False,
            sqlite_where=sa.text("over_at IS NULL"),
            postgresql_where=sa.text("over_at IS NULL"),
        )

"""The part of the first tables that is about what reached which device."""

import sqlalchemy as sa
from alembic import op


def make_tables_of_deliveries() -> None:
    """When a device had a request, and when it was opened there."""
    op.create_table(
        "deliveries",
        sa.Column("approval_id", sa.Text(), nullable=False),
        sa.Column("device_id", sa.Text(), nullable=False),
        sa.Column("delivered_at", sa.BigInteger(), nullable=False),
        sa.Column("seen_at", sa.BigInteger(), nullable=True),
        sa.ForeignKeyConstraint(
            ["approval_id"], ["approvals.id"], name=op.f("fk_deliveries_approval_id")
        ),
        sa.ForeignKeyConstraint(
            ["device_id"], ["devices.id"], name=op.f("fk_deliveries_device_id")
        ),
        sa.PrimaryKeyConstraint("approval_id", "device_id", name=op.f("pk_deliveries")),
    )

"""The part of the first tables that is about passkeys."""

import sqlalchemy as sa
from alembic import op


def make_tables_of_passkeys() -> None:
    """Passkeys, and the browsers that are signed in with one."""
    op.create_table(
        "passkeys",
        sa.Column("device_id", sa.Text(), nullable=False),
        sa.Column("credential", sa.LargeBinary(), nullable=False),
        sa.Column("public_key", sa.LargeBinary(), nullable=False),
        sa.Column("signs", sa.BigInteger(), nullable=False),
        sa.Column("synced", sa.Boolean(), nullable=False),
        sa.ForeignKeyConstraint(["device_id"], ["devices.id"], name=op.f("fk_passkeys_device_id")),
        sa.PrimaryKeyConstraint("device_id", name=op.f("pk_passkeys")),
        sa.UniqueConstraint("credential", name=op.f("uq_passkeys_credential")),
    )
    op.create_table(
        "browsers",
        sa.Column("token_hash", sa.LargeBinary(), nullable=False),
        sa.Column("device_id", sa.Text(), nullable=False),
        sa.Column("signed_in_at", sa.BigInteger(), nullable=False),
        sa.Column("expires_at", sa.BigInteger(), nullable=False),
        sa.Column("ended_at", sa.BigInteger(), nullable=True),
        sa.ForeignKeyConstraint(["device_id"], ["devices.id"], name=op.f("fk_browsers_device_id")),
        sa.PrimaryKeyConstraint("token_hash", name=op.f("pk_browsers")),
    )
    for column in ("device_id", "expires_at"):
        op.create_index(op.f(f"ix_browsers_{column}"), "browsers", [column], unique=False)

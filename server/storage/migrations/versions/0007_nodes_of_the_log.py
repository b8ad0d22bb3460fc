"""Add the hashes of the complete subtrees of the audit log, and refuse changes to them.

The server fills the table for earlier entries when it signs its next checkpoint.
"""

import sqlalchemy as sa
from alembic import op

revision = "0007"
down_revision = "0006"
branch_labels = None
depends_on = None

_ON_SQLITE = (
    """CREATE TRIGGER audit_nodes_update BEFORE UPDATE ON audit_nodes
    BEGIN SELECT RAISE(ABORT, 'The audit log is never changed.'); END""",
    """CREATE TRIGGER audit_nodes_delete BEFORE DELETE ON audit_nodes
    BEGIN SELECT RAISE(ABORT, 'The audit log is never changed.'); END""",
)
_ON_POSTGRESQL = (
    """CREATE TRIGGER audit_nodes_change BEFORE UPDATE OR DELETE ON audit_nodes
    FOR EACH ROW EXECUTE FUNCTION sayso_refuse_change()""",
    """CREATE TRIGGER audit_nodes_truncate BEFORE TRUNCATE ON audit_nodes
    FOR EACH STATEMENT EXECUTE FUNCTION sayso_refuse_change()""",
)


def upgrade() -> None:
    """Add the table, which is empty at first."""
    op.create_table(
        "audit_nodes",
        sa.Column("level", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("number", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("hash", sa.LargeBinary(), nullable=False),
        sa.PrimaryKeyConstraint("level", "number", name=op.f("pk_audit_nodes")),
        sqlite_with_rowid=False,
    )
    on_sqlite = op.get_bind().dialect.name == "sqlite"
    for statement in _ON_SQLITE if on_sqlite else _ON_POSTGRESQL:
        op.execute(statement)

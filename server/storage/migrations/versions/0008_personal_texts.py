"""Add the personal texts of audit entries, which may be deleted and never changed.

Entries that were written before keep their texts in their bytes.
"""

import sqlalchemy as sa
from alembic import op

revision = "0008"
down_revision = "0007"
branch_labels = None
depends_on = None

_ON_SQLITE = (
    """CREATE TRIGGER audit_openings_update BEFORE UPDATE ON audit_openings
    BEGIN SELECT RAISE(ABORT, 'The audit log is never changed.'); END""",
)
_ON_POSTGRESQL = (
    """CREATE TRIGGER audit_openings_change BEFORE UPDATE ON audit_openings
    FOR EACH ROW EXECUTE FUNCTION sayso_refuse_change()""",
    """CREATE TRIGGER audit_openings_truncate BEFORE TRUNCATE ON audit_openings
    FOR EACH STATEMENT EXECUTE FUNCTION sayso_refuse_change()""",
)


def upgrade() -> None:
    """The table is empty at first."""
    op.create_table(
        "audit_openings",
        sa.Column("entry_id", sa.Text(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("user_id", sa.Text(), nullable=True),
        sa.Column("text", sa.Text(), nullable=False),
        sa.Column("salt", sa.LargeBinary(), nullable=False),
        sa.PrimaryKeyConstraint("entry_id", "name", name=op.f("pk_audit_openings")),
        sqlite_with_rowid=False,
    )
    op.create_index(op.f("ix_audit_openings_user_id"), "audit_openings", ["user_id"], unique=False)
    on_sqlite = op.get_bind().dialect.name == "sqlite"
    for statement in _ON_SQLITE if on_sqlite else _ON_POSTGRESQL:
        op.execute(statement)

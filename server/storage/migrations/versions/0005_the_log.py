"""Number audit entries, add checkpoints, and refuse changes to both."""

import sqlalchemy as sa
from alembic import op

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None

_PLACE = """
UPDATE audit_entries SET seq = places.place - 1
FROM (SELECT id, row_number() OVER (ORDER BY id) AS place FROM audit_entries) AS places
WHERE places.id = audit_entries.id
"""
_ON_SQLITE = (
    """CREATE TRIGGER audit_entries_update BEFORE UPDATE ON audit_entries
    BEGIN SELECT RAISE(ABORT, 'The audit log is never changed.'); END""",
    """CREATE TRIGGER audit_entries_delete BEFORE DELETE ON audit_entries
    BEGIN SELECT RAISE(ABORT, 'The audit log is never changed.'); END""",
    """CREATE TRIGGER audit_checkpoints_update BEFORE UPDATE ON audit_checkpoints
    BEGIN SELECT RAISE(ABORT, 'The audit log is never changed.'); END""",
    """CREATE TRIGGER audit_checkpoints_delete BEFORE DELETE ON audit_checkpoints
    BEGIN SELECT RAISE(ABORT, 'The audit log is never changed.'); END""",
)
_ON_POSTGRESQL = (
    """CREATE FUNCTION sayso_refuse_change() RETURNS trigger LANGUAGE plpgsql AS $$
    BEGIN
      IF TG_OP = 'UPDATE' AND TG_TABLE_NAME = 'audit_entries' THEN
        IF OLD.seq IS NULL THEN
          OLD.seq := NEW.seq;
          IF OLD IS NOT DISTINCT FROM NEW THEN RETURN NEW; END IF;
        END IF;
      END IF;
      RAISE EXCEPTION 'The audit log is never changed.';
    END $$""",
    """CREATE TRIGGER audit_entries_change BEFORE UPDATE OR DELETE ON audit_entries
    FOR EACH ROW EXECUTE FUNCTION sayso_refuse_change()""",
    """CREATE TRIGGER audit_entries_truncate BEFORE TRUNCATE ON audit_entries
    FOR EACH STATEMENT EXECUTE FUNCTION sayso_refuse_change()""",
    """CREATE TRIGGER audit_checkpoints_change BEFORE UPDATE OR DELETE ON audit_checkpoints
    FOR EACH ROW EXECUTE FUNCTION sayso_refuse_change()""",
    """CREATE TRIGGER audit_checkpoints_truncate BEFORE TRUNCATE ON audit_checkpoints
    FOR EACH STATEMENT EXECUTE FUNCTION sayso_refuse_change()""",
)
"""The sequencer may number an entry once."""


def upgrade() -> None:
    """Add the table and the triggers; number existing entries in the order of their ids."""
    op.create_table(
        "audit_checkpoints",
        sa.Column("size", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("at", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("frontier", sa.LargeBinary(), nullable=False),
        sa.Column("note", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("size", "at", name=op.f("pk_audit_checkpoints")),
    )
    op.execute(_PLACE)
    on_sqlite = op.get_bind().dialect.name == "sqlite"
    for statement in _ON_SQLITE if on_sqlite else _ON_POSTGRESQL:
        op.execute(statement)

"""Add the personal texts of audit entries, which may be deleted but never changed.

Retention may clear an entry; its hash stays. Earlier entries keep their texts in their body.
"""

import sqlalchemy as sa
from alembic import op

revision = "0008"
down_revision = "0007"
branch_labels = None
depends_on = None

_HASHES = sa.text("name IN ('auth_req_id_hash', 'login_hint_hash')")
_EMPTIED = """length(NEW.body) = 0 AND NEW.type = '' AND NEW.actor = '' AND NEW.correlation_id = ''
    AND coalesce(NEW.agent_id, NEW.subject, NEW.resource, NEW.action, NEW.decision, NEW.posture,
      NEW.cause, NEW.approval_id, NEW.caller_id) IS NULL
    AND NEW.id = OLD.id AND NEW.seq = OLD.seq AND NEW.at = OLD.at AND NEW.leaf = OLD.leaf"""
"""The only change that retention may make to a numbered entry."""
_ON_SQLITE = (
    """CREATE TRIGGER audit_openings_update BEFORE UPDATE ON audit_openings
    BEGIN SELECT RAISE(ABORT, 'The audit log is never changed.'); END""",
    "DROP TRIGGER audit_entries_update",
    f"""CREATE TRIGGER audit_entries_update BEFORE UPDATE ON audit_entries
    WHEN ({_EMPTIED}) IS NOT TRUE
    BEGIN SELECT RAISE(ABORT, 'The audit log is never changed.'); END""",
)
_ON_POSTGRESQL = (
    f"""CREATE OR REPLACE FUNCTION sayso_refuse_change() RETURNS trigger LANGUAGE plpgsql AS $$
    BEGIN
      IF TG_OP = 'UPDATE' AND TG_TABLE_NAME = 'audit_entries' THEN
        IF {_EMPTIED} THEN RETURN NEW; END IF;
        IF OLD.seq IS NULL THEN
          OLD.seq := NEW.seq;
          IF OLD IS NOT DISTINCT FROM NEW THEN RETURN NEW; END IF;
        END IF;
      END IF;
      RAISE EXCEPTION 'The audit log is never changed.';
    END $$""",
    """CREATE TRIGGER audit_openings_change BEFORE UPDATE ON audit_openings
    FOR EACH ROW EXECUTE FUNCTION sayso_refuse_change()""",
    """CREATE TRIGGER audit_openings_truncate BEFORE TRUNCATE ON audit_openings
    FOR EACH STATEMENT EXECUTE FUNCTION sayso_refuse_change()""",
)


def upgrade() -> None:
    """Add the table, which is empty at first."""
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
    op.create_index(
        "ix_audit_openings_hash",
        "audit_openings",
        ["text"],
        unique=False,
        sqlite_where=_HASHES,
        postgresql_where=_HASHES,
    )
    on_sqlite = op.get_bind().dialect.name == "sqlite"
    for statement in _ON_SQLITE if on_sqlite else _ON_POSTGRESQL:
        op.execute(statement)

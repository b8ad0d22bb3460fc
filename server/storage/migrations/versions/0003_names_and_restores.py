"""Add looks of names, former names, key ids and restore holds. History starts over.

Old rows of history cannot be used, because their keys differ and columns are missing.
"""

import json
import secrets
from typing import Final

import sqlalchemy as sa
from alembic import op

from server.protocol.confusables import name_keys

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None

_OPEN: Final = sa.text("state IN ('pending', 'approved')")
_LOOKED_UP: Final = (
    ("users", "name"),
    ("users", "email"),
    ("agents", "name"),
    ("apps", "name"),
    ("groups", "name"),
)
_LOOKS: Final = (
    ("client", (("agents", "id", "name"), ("apps", "id", "name"))),
    ("user", (("users", "id", "name"),)),
    ("group", (("groups", "id", "name"),)),
    ("resource", (("resources", "uri", "uri"),)),
)
"""Each kind with its tables and their columns of ID and name. Agents and apps are one kind."""


def upgrade() -> None:
    """Change the tables and convert the existing rows."""
    _create_tables()
    _change_columns()
    _recreate_history()
    _make_keys_ignore_case_only()
    _store_looks()
    _add_headlines_of_grants()


def _create_tables() -> None:
    op.create_table(
        "installation_keys",
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("key_id", sa.Text(), nullable=False),
        sa.Column("sealed", sa.LargeBinary(), nullable=True),
        sa.PrimaryKeyConstraint("name", name=op.f("pk_installation_keys")),
    )
    op.create_table(
        "restore_holds",
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("at", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("kind", "id", name=op.f("pk_restore_holds")),
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


def _change_columns() -> None:
    """On SQLite a batch recreates its table, so foreign keys MUST be off (`storage/open.py`)."""
    for table, column in (
        ("agents", sa.Column("named_at", sa.BigInteger(), nullable=True)),
        ("installation", sa.Column("epoch", sa.Text(), nullable=True)),
        ("installation", sa.Column("restored_at", sa.BigInteger(), nullable=True)),
        ("sessions", sa.Column("resumes", sa.Boolean(), nullable=True)),
        ("approvals", sa.Column("hint_hash", sa.LargeBinary(), nullable=True)),
        ("devices", sa.Column("alarmed_at", sa.BigInteger(), nullable=True)),
        ("passkeys", sa.Column("last_signed", sa.LargeBinary(), nullable=True)),
    ):
        op.add_column(table, column)
    op.execute("UPDATE agents SET named_at = created_at")
    op.execute("UPDATE sessions SET resumes = FALSE")
    epoch = sa.text("UPDATE installation SET epoch = :epoch")
    op.get_bind().execute(epoch, {"epoch": secrets.token_hex(16)})
    with op.batch_alter_table("agents") as batch_op:
        batch_op.alter_column("named_at", existing_type=sa.BigInteger(), nullable=False)
    with op.batch_alter_table("installation") as batch_op:
        batch_op.alter_column("epoch", existing_type=sa.Text(), nullable=False)
    with op.batch_alter_table("sessions") as batch_op:
        batch_op.alter_column("resumes", existing_type=sa.Boolean(), nullable=False)
        batch_op.drop_column("first")
    with op.batch_alter_table("enrolment_codes") as batch_op:
        batch_op.drop_column("first")
    # Of two equally good indexes, SQLite uses the one that was created last.
    op.drop_index("ix_approvals_open", table_name="approvals")
    for name, column in (("ix_approvals_hinted", "hint_hash"), ("ix_approvals_open", "user_id")):
        op.create_index(
            name,
            "approvals",
            ["agent_id", column, "expires_at"],
            unique=False,
            sqlite_where=_OPEN,
            postgresql_where=_OPEN,
        )


def _recreate_history() -> None:
    op.drop_table("history")
    op.create_table(
        "history",
        sa.Column("owner", sa.Text(), nullable=False),
        sa.Column("key", sa.Text(), nullable=False),
        sa.Column("count", sa.BigInteger(), nullable=False),
        sa.Column("total", sa.BigInteger(), nullable=False),
        sa.Column("most", sa.BigInteger(), nullable=False),
        sa.Column("since", sa.BigInteger(), nullable=False),
        sa.Column("period", sa.BigInteger(), nullable=False),
        sa.Column("period_count", sa.BigInteger(), nullable=False),
        sa.Column("period_total", sa.BigInteger(), nullable=False),
        sa.Column("periods", sa.BigInteger(), nullable=False),
        sa.Column("members", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("owner", "key", name=op.f("pk_history")),
        sqlite_with_rowid=False,
    )


def _make_keys_ignore_case_only() -> None:
    """Create lookup keys that only ignore case. Earlier keys also unified some look-alike letters.

    If several names now have the same key, the oldest name gets it. The others can only be found
    by ID.
    """
    bind = op.get_bind()
    for table_name, name in _LOOKED_UP:
        columns = [sa.column(column) for column in ("id", "created_at", name, f"{name}_key")]
        table = sa.table(table_name, *columns)
        named, keyed = table.c[name], table.c[f"{name}_key"]
        rows = sa.select(table.c.id, named, keyed).where(named.is_not(None))
        taken: set[str] = set()
        for row_id, value, before in bind.execute(
            rows.order_by(table.c.created_at, table.c.id)
        ).all():
            key = value.casefold()
            if key in taken:
                key = f"{key} {row_id}"
            taken.add(key)
            if key != before:
                bind.execute(sa.update(table).where(table.c.id == row_id).values({keyed.name: key}))


def _store_looks() -> None:
    """Store looks. If several names look alike, only the oldest one gets a row."""
    bind = op.get_bind()
    add = sa.text("INSERT INTO name_looks (kind, look, bearer) VALUES (:kind, :look, :bearer)")
    for kind, tables in _LOOKS:
        named = sa.union_all(*(_select_names(*table) for table in tables)).subquery()
        rows = sa.select(named.c.bearer, named.c.name)
        taken: set[str] = set()
        for bearer, name in bind.execute(rows.order_by(named.c.created_at, named.c.bearer)).all():
            looks = name_keys(name)
            if looks & taken:
                continue
            taken |= looks
            bind.execute(add, [{"kind": kind, "look": look, "bearer": bearer} for look in looks])


def _select_names(table_name: str, bearer: str, name: str) -> sa.Select[tuple[str, str, int]]:
    columns = (sa.column(column) for column in dict.fromkeys((bearer, name, "created_at")))
    table = sa.table(table_name, *columns)
    return sa.select(
        table.c[bearer].label("bearer"), table.c[name].label("name"), table.c.created_at
    )


def _add_headlines_of_grants() -> None:
    """Add the headline of the request to the stored facts of each narrowed grant."""
    bind = op.get_bind()
    change = sa.text("UPDATE approvals SET granted_rows = :reads WHERE id = :id")
    granted = "SELECT id, display, granted_rows FROM approvals WHERE granted IS NOT NULL"
    for row in bind.execute(sa.text(granted)).all():
        headline = str(json.loads(row.display).get("headline", ""))
        reads = {"headline": headline, "rows": json.loads(row.granted_rows)}
        text = json.dumps(reads, ensure_ascii=False)
        bind.execute(change, {"reads": text, "id": row.id})

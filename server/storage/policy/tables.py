"""The tables of policy and action types."""

from sqlalchemy import BigInteger, Column, Integer, Table, Text

from server.storage.tables import columns, metadata

action_types = Table(
    "action_types",
    metadata,
    Column("type", Text, primary_key=True),
    *columns("document version:int created_at:big"),
)

policies = Table(
    "policies",
    metadata,
    Column("version", Integer, primary_key=True, autoincrement=False),
    *columns("document agents users hash set_by set_at:big"),
)

uses = Table(
    "uses",
    metadata,
    Column("agent_id", Text, primary_key=True),
    Column("use", Text, primary_key=True),
    Column("at", BigInteger, primary_key=True),
    Column("token_id", Text, primary_key=True),
    sqlite_with_rowid=False,
)
"""One row per token and use; the primary key is the only index needed."""

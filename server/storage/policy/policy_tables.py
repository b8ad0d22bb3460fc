"""The tables of rule sets and of the uses of agents' tokens."""

from sqlalchemy import BigInteger, Column, Integer, Table, Text

from server.storage.tables import metadata

policies = Table(
    "policies",
    metadata,
    Column("version", Integer, primary_key=True, autoincrement=False),
    Column("document", Text, nullable=False),
    Column("agents", Text, nullable=False),
    Column("users", Text, nullable=False),
    Column("hash", Text, nullable=False),
    Column("set_by", Text, nullable=False),
    Column("set_at", BigInteger, nullable=False),
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
"""One row per token and use; no index beside the primary key is needed."""

"""The table of deputies; it shares the metadata of `tables.py`."""

from sqlalchemy import BigInteger, Column, ForeignKey, Index, Table, Text, text

from server.storage.tables import metadata

_LIVE = text("state <> 'over'")

deputies = Table(
    "deputies",
    metadata,
    Column("id", Text, primary_key=True),
    Column("user_id", Text, ForeignKey("users.id"), nullable=False),
    Column("deputy_id", Text, ForeignKey("users.id"), nullable=False),
    Column("from_at", BigInteger, nullable=False),
    Column("to_at", BigInteger, nullable=False),
    Column("state", Text, nullable=False),
    Column("device_id", Text, nullable=False),
    Column("created_at", BigInteger, nullable=False),
    Column("revoked_at", BigInteger),
    Index("ix_deputies_user", "user_id", "to_at", sqlite_where=_LIVE, postgresql_where=_LIVE),
    Index("ix_deputies_deputy", "deputy_id", "to_at", sqlite_where=_LIVE, postgresql_where=_LIVE),
)
"""Few are in force at a time, so due ones are found without an index of their own."""

"""The table of recent notifications; in the metadata of `tables.py`."""

from sqlalchemy import BigInteger, Column, Index, Table, Text

from server.storage.tables import Serial, metadata

notifications = Table(
    "notifications",
    metadata,
    Column("id", Serial, primary_key=True, autoincrement=True),
    Column("user_id", Text, nullable=False),
    Column("agent_id", Text, nullable=False),
    Column("types", Text, nullable=False),
    Column("lane", Text, nullable=False),
    Column("at", BigInteger, nullable=False),
    Index("ix_notifications_user", "user_id", "lane", "at"),
    Index("ix_notifications_at", "at"),
)
"""One row per notification, kept for an hour. `types` is empty for scopes only."""

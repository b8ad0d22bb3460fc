"""The tables of names; the metadata is in `tables.py`."""

from sqlalchemy import Column, ForeignKey, Table, Text

from server.storage.tables import Millis, metadata

name_looks = Table(
    "name_looks",
    metadata,
    Column("kind", Text, primary_key=True),
    Column("look", Text, primary_key=True),
    Column("bearer", Text, nullable=False, index=True),
    sqlite_with_rowid=False,
)
"""The looks of each name, unique per kind, so that two names that look alike cannot be stored."""

former_names = Table(
    "former_names",
    metadata,
    Column("agent_id", Text, ForeignKey("agents.id", ondelete="CASCADE"), primary_key=True),
    Column("until", Millis, primary_key=True),
    Column("name", Text, primary_key=True),
)
"""Former names of agents, and when each ended."""

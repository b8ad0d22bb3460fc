"""The tables of names; the same metadata as in `tables.py`."""

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
"""What a name looks like, once in each kind: two names that look alike cannot both be stored."""

former_names = Table(
    "former_names",
    metadata,
    Column("agent_id", Text, ForeignKey("agents.id", ondelete="CASCADE"), primary_key=True),
    Column("until", Millis, primary_key=True),
    Column("name", Text, primary_key=True),
)
"""What an agent was called before, and until when."""

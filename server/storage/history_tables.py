"""The table of what was approved before; the same metadata as in `tables.py`."""

from sqlalchemy import BigInteger, Column, Table, Text

from server.storage.tables import metadata

history = Table(
    "history",
    metadata,
    Column("owner", Text, primary_key=True),
    Column("key", Text, primary_key=True),
    Column("count", BigInteger, nullable=False),
    Column("total", BigInteger, nullable=False),
    sqlite_with_rowid=False,
)
"""`owner` is an agent or a user; a key tells nothing to whoever has only the database."""

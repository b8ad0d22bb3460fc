"""The table of approval history; it shares the metadata of `tables.py`."""

from sqlalchemy import BigInteger, Column, Table, Text

from server.storage.tables import metadata

history = Table(
    "history",
    metadata,
    Column("owner", Text, primary_key=True),
    Column("key", Text, primary_key=True),
    Column("count", BigInteger, nullable=False),
    Column("total", BigInteger, nullable=False),
    Column("most", BigInteger, nullable=False),
    Column("since", BigInteger, nullable=False),
    Column("period", BigInteger, nullable=False),
    Column("period_count", BigInteger, nullable=False),
    Column("period_total", BigInteger, nullable=False),
    Column("periods", BigInteger, nullable=False),
    Column("members", Text, nullable=False),
    sqlite_with_rowid=False,
)
"""`owner` is an agent, a user or the installation. Keys and members are keyed hashes, which reveal
nothing to somebody who has only the database."""

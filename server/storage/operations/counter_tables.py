"""The table of counters; in the metadata of `tables.py`."""

from sqlalchemy import BigInteger, Column, Integer, Table, Text

from server.storage.tables import metadata

counters = Table(
    "counters",
    metadata,
    Column("key", Text, primary_key=True),
    Column("window_ends_at", BigInteger, nullable=False, index=True),
    Column("count", Integer, nullable=False),
)
"""Counters in time windows, for limits across processes."""

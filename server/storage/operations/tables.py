"""The tables of counters, keys and restores."""

from sqlalchemy import BigInteger, Column, Integer, Table, Text

from server.storage.tables import Millis, columns, metadata

counters = Table(
    "counters",
    metadata,
    Column("key", Text, primary_key=True),
    Column("window_ends_at", BigInteger, nullable=False, index=True),
    Column("count", Integer, nullable=False),
)
"""Counters in time windows, for limits across processes."""

installation_keys = Table(
    "installation_keys",
    metadata,
    Column("name", Text, primary_key=True),
    *columns("key_id sealed:bytes?"),
)
"""The keys of this database. `sealed` is the encrypted key, if it is not in a file."""

restore_holds = Table(
    "restore_holds",
    metadata,
    Column("kind", Text, primary_key=True),
    Column("id", Text, primary_key=True),
    Column("at", Millis, nullable=False),
)
"""Devices, agents, apps and users that a restore disabled until an administrator enables them."""

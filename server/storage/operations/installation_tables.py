"""The tables of this installation's keys and of the holds of a restore."""

from sqlalchemy import Column, LargeBinary, Table, Text

from server.storage.tables import Millis, metadata

installation_keys = Table(
    "installation_keys",
    metadata,
    Column("name", Text, primary_key=True),
    Column("key_id", Text, nullable=False),
    Column("sealed", LargeBinary),
)
"""The keys of this database. `sealed` is a key that is not in a file."""

restore_holds = Table(
    "restore_holds",
    metadata,
    Column("kind", Text, primary_key=True),
    Column("id", Text, primary_key=True),
    Column("at", Millis, nullable=False),
)
"""Devices, agents, apps and users that a restore turned off until an administrator enables them."""

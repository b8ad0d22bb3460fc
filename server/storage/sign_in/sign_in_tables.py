"""The table of device codes; `tables.py` has the rest."""

from sqlalchemy import Column, Integer, LargeBinary, Table, Text

from server.storage.tables import Millis, metadata

device_codes = Table(
    "device_codes",
    metadata,
    Column("id", Text, primary_key=True),
    Column("device_code_hash", LargeBinary, nullable=False, unique=True),
    Column("user_code_hash", LargeBinary, nullable=False, unique=True),
    Column("client_id", Text, nullable=False),
    Column("resource", Text, nullable=False),
    Column("scope", Text, nullable=False),
    Column("jkt", Text, nullable=False),
    Column("name", Text, nullable=False),
    Column("address", Text, nullable=False),
    Column("created_at", Millis, nullable=False),
    Column("expires_at", Millis, nullable=False, index=True),
    Column("interval_ms", Integer, nullable=False),
    Column("last_poll_at", Millis),
    Column("approval_id", Text),
)

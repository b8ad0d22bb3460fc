"""The tables of passkeys and signed-in browsers; the metadata is in `tables.py`."""

from sqlalchemy import Boolean, Column, ForeignKey, LargeBinary, Table, Text

from server.storage.tables import Millis, metadata

passkeys = Table(
    "passkeys",
    metadata,
    Column("device_id", Text, ForeignKey("devices.id"), primary_key=True),
    Column("credential", LargeBinary, nullable=False, unique=True),
    Column("public_key", LargeBinary, nullable=False),
    Column("signs", Millis, nullable=False),
    Column("synced", Boolean, nullable=False),
    Column("last_signed", LargeBinary),
)
"""`signs` counts to 2^32, which needs the wide integer."""

browsers = Table(
    "browsers",
    metadata,
    Column("token_hash", LargeBinary, primary_key=True),
    Column("device_id", Text, ForeignKey("devices.id"), nullable=False, index=True),
    Column("signed_in_at", Millis, nullable=False),
    Column("expires_at", Millis, nullable=False, index=True),
    Column("ended_at", Millis),
)

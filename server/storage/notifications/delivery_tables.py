"""The table of what reached which device; the same metadata as in `tables.py`."""

from sqlalchemy import BigInteger, Column, ForeignKey, Table, Text

from server.storage.tables import metadata

deliveries = Table(
    "deliveries",
    metadata,
    Column("approval_id", Text, ForeignKey("approvals.id"), primary_key=True),
    Column("device_id", Text, ForeignKey("devices.id"), primary_key=True),
    Column("delivered_at", BigInteger, nullable=False),
    Column("seen_at", BigInteger),
)
"""The first of each is also in the approval's own row, for whoever polls."""

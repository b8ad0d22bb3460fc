"""The table of deliveries of requests to devices; in the metadata of `tables.py`."""

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
"""The time of the first delivery is also in the approval's row."""

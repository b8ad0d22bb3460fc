"""The table of ceremony attempts; it shares the metadata of `tables.py`."""

from sqlalchemy import Column, ForeignKey, Integer, Table, Text

from server.storage.tables import metadata

ceremony_tries = Table(
    "ceremony_tries",
    metadata,
    Column("approval_id", Text, ForeignKey("approvals.id"), primary_key=True),
    Column("step", Text, primary_key=True),
    Column("user_id", Text, primary_key=True),
    Column("tries", Integer, nullable=False),
)
"""`user_id` is empty for steps whose attempts count for all approvers together."""

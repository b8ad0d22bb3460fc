"""The tables of notification settings; in the metadata of `tables.py`."""

from sqlalchemy import BigInteger, Column, ForeignKey, Index, Table, Text

from server.storage.tables import metadata

quiet_hours = Table(
    "quiet_hours",
    metadata,
    Column("user_id", Text, ForeignKey("users.id"), primary_key=True),
    Column("days", Text, nullable=False),
    Column("begins", Text, nullable=False),
    Column("ends", Text, nullable=False),
    Column("zone", Text, nullable=False),
    Column("set_at", BigInteger, nullable=False),
)

mutes = Table(
    "mutes",
    metadata,
    Column("user_id", Text, ForeignKey("users.id"), primary_key=True),
    Column("agent_id", Text, ForeignKey("agents.id", ondelete="CASCADE"), primary_key=True),
    Column("since", BigInteger, nullable=False),
    Column("until", BigInteger),
)

holds = Table(
    "holds",
    metadata,
    Column("user_id", Text, ForeignKey("users.id"), primary_key=True),
    Column("approval_id", Text, ForeignKey("approvals.id"), primary_key=True),
    Column("until", BigInteger, nullable=False),
    Column("why", Text, nullable=False),
    Index("ix_holds_until", "until"),
)

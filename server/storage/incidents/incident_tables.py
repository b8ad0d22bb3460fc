"""The table of incidents; it shares the metadata of `tables.py`."""

from sqlalchemy import BigInteger, Column, ForeignKey, Index, Table, Text, text

from server.storage.tables import metadata

incidents = Table(
    "incidents",
    metadata,
    Column("id", Text, primary_key=True),
    Column("state", Text, nullable=False),
    Column("cause", Text, nullable=False),
    Column("scope", Text, nullable=False),
    Column("approval_id", Text, ForeignKey("approvals.id")),
    Column("user_id", Text, ForeignKey("users.id")),
    Column("device_id", Text),
    Column("note", Text),
    Column("evidence", Text, nullable=False),
    Column("opened_at", BigInteger, nullable=False),
    Column("closed_at", BigInteger),
    Column("closed_by", Text),
    Column("closing_note", Text),
    Index("ix_incidents_approval", "approval_id"),
    Index("ix_incidents_opened", "opened_at"),
    Index(
        "ix_incidents_user",
        "user_id",
        sqlite_where=text("state = 'open'"),
        postgresql_where=text("state = 'open'"),
    ),
)

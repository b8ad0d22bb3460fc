"""The tables of incidents."""

from sqlalchemy import Column, ForeignKey, Index, Table, Text

from server.storage.tables import columns, metadata, partial_index

incidents = Table(
    "incidents",
    metadata,
    Column("id", Text, primary_key=True),
    *columns("state cause scope"),
    Column("approval_id", Text, ForeignKey("approvals.id")),
    Column("user_id", Text, ForeignKey("users.id")),
    *columns("device_id? note? evidence opened_at:big closed_at:big? closed_by? closing_note?"),
    Index("ix_incidents_approval", "approval_id"),
    Index("ix_incidents_opened", "opened_at"),
    partial_index("ix_incidents_user", "user_id", condition="state = 'open'"),
)

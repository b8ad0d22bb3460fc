"""The tables of incidents."""

from sqlalchemy import Index

from server.storage.tables import define_table, partial_index

incidents = define_table(
    "incidents",
    "id:key state cause scope approval_id:approvals.id? user_id:users.id? device_id? "
    "note? evidence opened_at:big closed_at:big? closed_by? closing_note?",
    Index("ix_incidents_approval", "approval_id"),
    Index("ix_incidents_opened", "opened_at"),
    partial_index("ix_incidents_user", "user_id", condition="state = 'open'"),
)

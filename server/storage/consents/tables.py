"""The tables of consents."""

from sqlalchemy import Column, ForeignKey, Index, Table, Text

from server.storage.tables import columns, metadata

consents = Table(
    "consents",
    metadata,
    Column("id", Text, primary_key=True),
    Column("user_id", Text, ForeignKey("users.id"), nullable=False),
    *columns(
        "client_id app_id? resource scopes created_at:big expires_at:big "
        "revoked_at:big? approval_id?"
    ),
    Index("ix_consents_live", "user_id", "client_id", "resource"),
    Index("ix_consents_client", "client_id"),
)

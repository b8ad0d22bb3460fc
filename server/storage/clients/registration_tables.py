"""The tables of invitations and registrations; the metadata is in `tables.py`."""

from sqlalchemy import Column, ForeignKey, Integer, LargeBinary, Table, Text

from server.storage.tables import Millis, metadata

invitations = Table(
    "invitations",
    metadata,
    Column("id", Text, primary_key=True),
    Column("token_hash", LargeBinary, nullable=False, unique=True),
    Column("owner_id", Text, ForeignKey("users.id"), nullable=False),
    Column("grant_types", Text, nullable=False),
    Column("resources", Text, nullable=False),
    Column("scopes", Text, nullable=False),
    Column("action_types", Text),
    Column("asks", Text),
    Column("uses_left", Integer, nullable=False),
    Column("created_by", Text, nullable=False),
    Column("created_at", Millis, nullable=False),
    Column("expires_at", Millis, nullable=False),
    Column("revoked_at", Millis),
)

registrations = Table(
    "registrations",
    metadata,
    Column("agent_id", Text, primary_key=True),
    Column("invitation_id", Text, nullable=False),
    Column("token_hash", LargeBinary, nullable=False),
    Column("created_at", Millis, nullable=False),
)
"""Registrations outlive their agents, like the audit log; the token is then useless."""

"""The tables of standing grants; they share the metadata of `tables.py`."""

from sqlalchemy import (
    BigInteger,
    Boolean,
    Column,
    ForeignKey,
    Index,
    Integer,
    Table,
    Text,
    UniqueConstraint,
    text,
)

from server.storage.tables import Millis, metadata

_IN_FORCE = text("ended_at IS NULL")

standing_grants = Table(
    "standing_grants",
    metadata,
    Column("id", Text, primary_key=True),
    Column("user_id", Text, ForeignKey("users.id"), nullable=False),
    Column("agent_id", Text, nullable=False),
    Column("resource", Text, nullable=False),
    Column("scopes", Text, nullable=False),
    Column("details", Text, nullable=False),
    Column("vary", Text, nullable=False),
    Column("type", Text),
    Column("version", Integer),
    Column("risk", Text, nullable=False),
    Column("ceremony", Text, nullable=False),
    Column("uses", Integer, nullable=False),
    Column("sum_minor", BigInteger),
    Column("sum_currency", Text),
    Column("tell", Boolean, nullable=False),
    Column("used", Integer, nullable=False),
    Column("spent_minor", BigInteger, nullable=False),
    Column("numbered", Integer, nullable=False),
    Column("approval_id", Text, ForeignKey("approvals.id"), nullable=False),
    Column("created_at", Millis, nullable=False),
    Column("expires_at", Millis, nullable=False),
    Column("ended_at", Millis),
    Column("ended_because", Text),
    Index(
        "ix_standing_grants_live",
        "user_id",
        "agent_id",
        "resource",
        sqlite_where=_IN_FORCE,
        postgresql_where=_IN_FORCE,
    ),
    Index(
        "ix_standing_grants_agent", "agent_id", sqlite_where=_IN_FORCE, postgresql_where=_IN_FORCE
    ),
    Index("ix_standing_grants_made", "created_at"),
)

grant_uses = Table(
    "grant_uses",
    metadata,
    Column("grant_id", Text, ForeignKey("standing_grants.id"), primary_key=True),
    Column("number", Integer, primary_key=True, autoincrement=False),
    Column("approval_id", Text, nullable=False),
    Column("minor", BigInteger, nullable=False),
    Column("state", Text, nullable=False),
    Column("at", Millis, nullable=False),
    UniqueConstraint("approval_id"),
)
"""`approval_id` is the approval that the use decided; a number is never reused."""

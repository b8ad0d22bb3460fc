"""The tables of standing grants."""

from sqlalchemy import Boolean, Column, Index, Table, UniqueConstraint

from server.storage.tables import columns, define_table, metadata, partial_index

_IN_FORCE = "ended_at IS NULL"

standing_grants = Table(
    "standing_grants",
    metadata,
    *columns(
        "id:key user_id:users.id agent_id resource scopes details vary type? version:int? "
        "risk ceremony uses:int sum_minor:big? sum_currency?"
    ),
    Column("tell", Boolean, key="notify", nullable=False),
    *columns(
        "used:int spent_minor:big numbered:int approval_id:approvals.id created_at:big "
        "expires_at:big ended_at:big? ended_because?"
    ),
    partial_index(
        "ix_standing_grants_live", "user_id", "agent_id", "resource", condition=_IN_FORCE
    ),
    partial_index("ix_standing_grants_agent", "agent_id", condition=_IN_FORCE),
    Index("ix_standing_grants_made", "created_at"),
)

grant_uses = define_table(
    "grant_uses",
    "grant_id:key:standing_grants.id number:int:key approval_id minor:big state at:big",
    UniqueConstraint("approval_id"),
)
"""`approval_id` is the approval that the use decided; a number is never reused."""

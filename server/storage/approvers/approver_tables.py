"""The table of additional approvers; it shares the metadata of `tables.py`."""

from sqlalchemy import BigInteger, Boolean, Column, ForeignKey, Index, Table, Text, text

from server.storage.tables import metadata


def _where(name: str, *columns: str, those: str) -> Index:
    return Index(name, *columns, sqlite_where=text(those), postgresql_where=text(those))


approvers = Table(
    "approvers",
    metadata,
    Column("approval_id", Text, ForeignKey("approvals.id"), primary_key=True),
    Column("user_id", Text, ForeignKey("users.id"), primary_key=True),
    Column("why", Text, nullable=False),
    Column("approves", Boolean, nullable=False),
    Column("stands_for", Text),
    Column("group_id", Text),
    Column("added_at", BigInteger, nullable=False),
    Column("ends_at", BigInteger, nullable=False),
    Column("risk", Text, nullable=False),
    Column("over_at", BigInteger),
    Column("held_back", Boolean, nullable=False),
    _where(
        "ix_approvers_waiting",
        *("user_id", "risk", "ends_at", "approval_id"),
        those="over_at IS NULL",
    ),
    _where("ix_approvers_over", "user_id", "over_at", those="over_at IS NOT NULL"),
)
"""`ends_at`, `over_at` and `risk` copy the approval's `expires_at`, `decided_at` and `risk`, so
that lists need only this table.

A request that asks only the user it is for has no rows; `approvals.multi_approver` is false then.
"""

"""The tables of approvers, deputies and groups."""

from sqlalchemy import BigInteger, Column, ForeignKey, Table, Text

from server.storage.tables import columns, metadata, partial_index

_LIVE = "state <> 'over'"

approvers = Table(
    "approvers",
    metadata,
    Column("approval_id", Text, ForeignKey("approvals.id"), primary_key=True),
    Column("user_id", Text, ForeignKey("users.id"), primary_key=True),
    *columns(
        "why approves:bool stands_for? group_id? added_at:big ends_at:big risk "
        "over_at:big? held_back:bool"
    ),
    partial_index(
        "ix_approvers_waiting",
        *("user_id", "risk", "ends_at", "approval_id"),
        condition="over_at IS NULL",
    ),
    partial_index("ix_approvers_over", "user_id", "over_at", condition="over_at IS NOT NULL"),
)
"""`ends_at`, `over_at` and `risk` copy the approval's `expires_at`, `decided_at` and `risk`, so
that lists need only this table.

A request with a single approver has no rows here, and its `approvals.multi_approver` is false.
"""

deputies = Table(
    "deputies",
    metadata,
    Column("id", Text, primary_key=True),
    Column("user_id", Text, ForeignKey("users.id"), nullable=False),
    Column("deputy_id", Text, ForeignKey("users.id"), nullable=False),
    *columns("from_at:big to_at:big state device_id created_at:big revoked_at:big?"),
    partial_index("ix_deputies_user", "user_id", "to_at", condition=_LIVE),
    partial_index("ix_deputies_deputy", "deputy_id", "to_at", condition=_LIVE),
)
"""Few deputies are in force at a time, so the query for due ones does not need an index."""

groups = Table(
    "groups",
    metadata,
    Column("id", Text, primary_key=True),
    Column("name", Text, nullable=False),
    Column("name_key", Text, nullable=False, unique=True),
    Column("created_at", BigInteger, nullable=False),
)

group_members = Table(
    "group_members",
    metadata,
    Column("group_id", Text, ForeignKey("groups.id", ondelete="CASCADE"), primary_key=True),
    Column("user_id", Text, ForeignKey("users.id"), primary_key=True),
)

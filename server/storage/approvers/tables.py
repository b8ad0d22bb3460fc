"""The tables of approvers, deputies and groups."""

from server.storage.tables import define_table, partial_index

_LIVE = "state <> 'over'"

approvers = define_table(
    "approvers",
    "approval_id:key:approvals.id user_id:key:users.id why approves:bool stands_for? "
    "group_id? added_at:big ends_at:big risk over_at:big? held_back:bool",
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

deputies = define_table(
    "deputies",
    "id:key user_id:users.id deputy_id:users.id from_at:big to_at:big state device_id "
    "created_at:big revoked_at:big?",
    partial_index("ix_deputies_user", "user_id", "to_at", condition=_LIVE),
    partial_index("ix_deputies_deputy", "deputy_id", "to_at", condition=_LIVE),
)
"""Few deputies are in force at a time, so the query for due ones does not need an index."""

groups = define_table(
    "groups",
    "id:key name name_key:unique created_at:big",
)

group_members = define_table(
    "group_members",
    "group_id:key:groups.id:cascade user_id:key:users.id",
)

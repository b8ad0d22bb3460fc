"""The tables of requests, answers and outcomes."""

from sqlalchemy import Boolean, Column, Index, Table, UniqueConstraint

from server.storage.tables import columns, define_table, metadata, partial_index

_OPEN = "state IN ('pending', 'approved')"

approvals = Table(
    "approvals",
    metadata,
    *columns(
        "id:key auth_req_hash:bytes:unique agent_id user_id? resource scope openid_scope "
        "details risk ceremony action display action_digest display_digest acr_values state "
        "reason? created_at:big expires_at:big interval_ms:int last_poll_at:big? polls:int "
        "holder? seen_at:big? decided_at:big? idempotency_hash:bytes? request_hash:bytes "
        "answer:bytes? answer_key:bytes? answer_until:big? parent_id? caller_id? kind "
        "delivery notification_token:bytes? jkt? policy past granted? granted_rows "
        "held_back:bool delivered_at:big? quorum:int"
    ),
    Column("several", Boolean, key="multi_approver", nullable=False),
    *columns(
        "decided_by? life_ms:big extensions:int escalate_at:big? escalated:int supersedes? "
        "retry_asked_at:big? hint_hash:bytes?"
    ),
    UniqueConstraint("agent_id", "idempotency_hash"),
    partial_index(
        "ix_approvals_waiting",
        *("user_id", "risk", "expires_at", "id"),
        condition="state = 'pending'",
    ),
    partial_index("ix_approvals_open", "agent_id", "user_id", "expires_at", condition=_OPEN),
    partial_index(
        "ix_approvals_called", "caller_id", condition=f"{_OPEN} AND caller_id IS NOT NULL"
    ),
    partial_index("ix_approvals_hinted", "agent_id", "hint_hash", "expires_at", condition=_OPEN),
    partial_index("ix_approvals_open_user", "user_id", "state", condition=_OPEN),
    partial_index("ix_approvals_open_resource", "resource", condition=_OPEN),
    partial_index("ix_approvals_open_made", "created_at", "id", condition=_OPEN),
    partial_index("ix_approvals_escalate", "escalate_at", condition="state = 'pending'"),
    partial_index("ix_approvals_due", "expires_at", condition=_OPEN),
    partial_index(
        "ix_approvals_denied", "agent_id", "decided_at", "user_id", condition="state = 'denied'"
    ),
    Index("ix_approvals_asked", "agent_id", "user_id", "created_at"),
    Index("ix_approvals_of_agent", "agent_id", "created_at"),
    Index("ix_approvals_decided", "user_id", "decided_at"),
    Index("ix_approvals_made", "created_at"),
)

decisions = define_table(
    "decisions",
    "approval_id:key:approvals.id user_id:key:users.id device_id decision code? note? "
    "ceremony channel jws at:big voided_at:big? reason? retry_at:big? ask_user? "
    "private_note? stands_for? withdrawals:int",
)

ceremony_tries = define_table(
    "ceremony_tries",
    "approval_id:key:approvals.id step:key user_id:key tries:int",
)
"""`user_id` is empty for steps whose attempts are counted for all approvers together."""

history = define_table(
    "history",
    "owner:key key:key count:big total:big most:big since:big period:big period_count:big "
    "period_total:big periods:big members",
    sqlite_with_rowid=False,
)
"""`owner` is an agent, a user or the installation. Keys and members are keyed hashes, which reveal
nothing to someone who has only the database."""

consumptions = define_table(
    "consumptions",
    "approval_id:key:approvals.id execution_id token_id resource at:big",
)

outcomes = define_table(
    "outcomes",
    "approval_id:key:consumptions.approval_id result text? executed_digest? at:big",
)

"""The metadata of all tables, and the tables of requests, answers, policy and operations.

Times are milliseconds; lists and maps are JSON text.
"""

from collections.abc import Iterator
from typing import Any

from sqlalchemy import (
    BigInteger,
    Boolean,
    Column,
    ForeignKey,
    Index,
    Integer,
    LargeBinary,
    MetaData,
    Table,
    Text,
    UniqueConstraint,
)
from sqlalchemy.types import TypeEngine

metadata = MetaData(
    naming_convention={
        "pk": "pk_%(table_name)s",
        "uq": "uq_%(table_name)s_%(column_0_N_name)s",
        "ix": "ix_%(table_name)s_%(column_0_N_name)s",
        "fk": "fk_%(table_name)s_%(column_0_N_name)s",
    }
)

Millis = BigInteger

Serial = BigInteger().with_variant(Integer, "sqlite")  # SQLite only autoincrements INTEGER keys

ONE_TIME = {"one_time": True}
"""The `info` of a table with short-lived rows that are used once; a restore deletes the rows."""

_OPEN = "state IN ('pending', 'approved')"


_TYPES: dict[str, TypeEngine[Any]] = {
    "": Text(),
    "int": Integer(),
    "big": BigInteger(),
    "bytes": LargeBinary(),
    "bool": Boolean(),
}


def columns(words: str) -> Iterator[Column[Any]]:
    """Columns from `name:type`; text if there is no type, and `?` if NULL is allowed."""
    for word in words.split():
        name, _, kind = word.rstrip("?").partition(":")
        yield Column(name, _TYPES[kind], nullable=word.endswith("?"))


def partial_index(name: str, *columns: str, condition: str) -> Index:
    """A partial index, which adds no cost to changes of other rows.

    The condition is only informative. The migrations create the index, and a real condition would
    load both dialects.
    """
    return Index(name, *columns, info={"where": condition})


installation = Table(
    "installation",
    metadata,
    Column("id", Integer, primary_key=True),
    *columns("admin_version:big created_at:big epoch restored_at:big?"),
)
"""A table with one row. It is empty in a backup, which is unusable before `sayso db restore`."""

action_types = Table(
    "action_types",
    metadata,
    Column("type", Text, primary_key=True),
    *columns("document version:int created_at:big"),
)

approvals = Table(
    "approvals",
    metadata,
    Column("id", Text, primary_key=True),
    Column("auth_req_hash", LargeBinary, nullable=False, unique=True),
    *columns(
        "agent_id user_id? resource scope openid_scope details risk ceremony action "
        "display action_digest display_digest acr_values state reason? created_at:big "
        "expires_at:big interval_ms:int last_poll_at:big? polls:int holder? "
        "seen_at:big? decided_at:big? idempotency_hash:bytes? request_hash:bytes "
        "answer:bytes? answer_key:bytes? answer_until:big? parent_id? caller_id? kind "
        "delivery notification_token:bytes? jkt? policy past granted? granted_rows "
        "held_back:bool delivered_at:big? quorum:int"
    ),
    Column("several", Boolean, key="multi_approver", nullable=False),
    *columns(
        "decided_by? life_ms:big extensions:int escalate_at:big? escalated:int "
        "supersedes? retry_asked_at:big? hint_hash:bytes?"
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

decisions = Table(
    "decisions",
    metadata,
    Column("approval_id", Text, ForeignKey("approvals.id"), primary_key=True),
    Column("user_id", Text, ForeignKey("users.id"), primary_key=True),
    *columns(
        "device_id decision code? note? ceremony channel jws at:big voided_at:big? "
        "reason? retry_at:big? ask_user? private_note? stands_for? withdrawals:int"
    ),
)

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

delegations = Table(
    "delegations",
    metadata,
    Column("id", Text, primary_key=True),
    Column("approval_id", Text, unique=True),
    *columns(
        "parent_id? consent_id? client_id user_id? resource scope details chain "
        "depth:int jkt? issued_at:big expires_at:big last_used_at:big? revoked_at:big?"
    ),
    Index("ix_delegations_live", "client_id", "expires_at"),
    Index("ix_delegations_user", "user_id", "expires_at"),
    partial_index("ix_delegations_parent", "parent_id", condition="parent_id IS NOT NULL"),
    partial_index("ix_delegations_consent", "consent_id", condition="consent_id IS NOT NULL"),
)
"""One row per issued access token; `client_id` is an agent or an app."""

feed_events = Table(
    "feed_events",
    metadata,
    Column("id", Serial, primary_key=True, autoincrement=True),
    Column("seq", BigInteger, unique=True),
    *columns("user_id event at:big approval_id? device_id? held? agent_id? incident_id?"),
    Index("ix_feed_events_user", "user_id", "seq"),
    sqlite_autoincrement=True,
)

outbox = Table(
    "outbox",
    metadata,
    Column("id", Serial, primary_key=True, autoincrement=True),
    *columns(
        "channel target body state attempts:int not_before:big lease_until:big? "
        "lease_by? created_at:big last_error?"
    ),
    Index("ix_outbox_due", "state", "not_before"),
    Index("ix_outbox_next", "state", "channel", "target", "not_before", "id"),
    Index("ix_outbox_trouble", "channel", "target", "last_error", "state"),
    sqlite_autoincrement=True,
)

replays = Table(
    "replays",
    metadata,
    Column("kind", Text, primary_key=True),
    Column("key", LargeBinary, primary_key=True),
    Column("expires_at", Millis, nullable=False, index=True),
)
"""Values that may be used only once, such as the ids of assertions and proofs."""

ceremony_tries = Table(
    "ceremony_tries",
    metadata,
    Column("approval_id", Text, ForeignKey("approvals.id"), primary_key=True),
    Column("step", Text, primary_key=True),
    Column("user_id", Text, primary_key=True),
    Column("tries", Integer, nullable=False),
)
"""`user_id` is empty for steps whose attempts count for all approvers together."""

history = Table(
    "history",
    metadata,
    Column("owner", Text, primary_key=True),
    Column("key", Text, primary_key=True),
    *columns(
        "count:big total:big most:big since:big period:big period_count:big "
        "period_total:big periods:big members"
    ),
    sqlite_with_rowid=False,
)
"""`owner` is an agent, a user or the installation. Keys and members are keyed hashes, which reveal
nothing to a person who has only the database."""


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

_LIVE = "state <> 'over'"

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
"""Few deputies are in force at a time, so the query for due ones needs no index."""

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

quiet_hours = Table(
    "quiet_hours",
    metadata,
    Column("user_id", Text, ForeignKey("users.id"), primary_key=True),
    *columns("days begins ends zone set_at:big"),
)

mutes = Table(
    "mutes",
    metadata,
    Column("user_id", Text, ForeignKey("users.id"), primary_key=True),
    Column("agent_id", Text, ForeignKey("agents.id", ondelete="CASCADE"), primary_key=True),
    *columns("since:big until:big?"),
)

holds = Table(
    "holds",
    metadata,
    Column("user_id", Text, ForeignKey("users.id"), primary_key=True),
    Column("approval_id", Text, ForeignKey("approvals.id"), primary_key=True),
    *columns("until:big why"),
    Index("ix_holds_until", "until"),
)

deliveries = Table(
    "deliveries",
    metadata,
    Column("approval_id", Text, ForeignKey("approvals.id"), primary_key=True),
    Column("device_id", Text, ForeignKey("devices.id"), primary_key=True),
    *columns("delivered_at:big seen_at:big?"),
)
"""The time of the first delivery is also in the approval's row."""

notifications = Table(
    "notifications",
    metadata,
    Column("id", Serial, primary_key=True, autoincrement=True),
    *columns("user_id agent_id types lane at:big"),
    Index("ix_notifications_user", "user_id", "lane", "at"),
    Index("ix_notifications_at", "at"),
)
"""One row per notification, kept for an hour. `types` is empty for scopes only."""

push_subscriptions = Table(
    "push_subscriptions",
    metadata,
    Column("id", Text, primary_key=True),
    Column("user_id", Text, ForeignKey("users.id"), nullable=False, index=True),
    Column("device_id", Text, ForeignKey("devices.id"), nullable=False),
    Column("endpoint_hash", LargeBinary, nullable=False, unique=True),
    *columns("origin sealed:bytes created_at:big"),
    Column("opened_at", BigInteger, nullable=False, index=True),
    *columns("delivered_at:big? warned_at:big? checked_at:big? problem?"),
)
"""Endpoint and keys are sealed, because with them anyone can send messages to the browser."""

push_losses = Table(
    "push_losses",
    metadata,
    Column("id", Text, primary_key=True),
    Column("user_id", Text, ForeignKey("users.id"), nullable=False, index=True),
    Column("device_id", Text, ForeignKey("devices.id"), nullable=False),
    *columns("origin lost_at:big"),
)
"""Subscriptions that were lost, kept until the device subscribes again."""

counters = Table(
    "counters",
    metadata,
    Column("key", Text, primary_key=True),
    Column("window_ends_at", BigInteger, nullable=False, index=True),
    Column("count", Integer, nullable=False),
)
"""Counters in time windows, for limits across processes."""

installation_keys = Table(
    "installation_keys",
    metadata,
    Column("name", Text, primary_key=True),
    *columns("key_id sealed:bytes?"),
)
"""The keys of this database. `sealed` is the encrypted key, if it is not in a file."""

restore_holds = Table(
    "restore_holds",
    metadata,
    Column("kind", Text, primary_key=True),
    Column("id", Text, primary_key=True),
    Column("at", Millis, nullable=False),
)
"""Devices, agents, apps and users that a restore turned off until an administrator enables them."""

policies = Table(
    "policies",
    metadata,
    Column("version", Integer, primary_key=True, autoincrement=False),
    *columns("document agents users hash set_by set_at:big"),
)

uses = Table(
    "uses",
    metadata,
    Column("agent_id", Text, primary_key=True),
    Column("use", Text, primary_key=True),
    Column("at", BigInteger, primary_key=True),
    Column("token_id", Text, primary_key=True),
    sqlite_with_rowid=False,
)
"""One row per token and use; no index besides the primary key is needed."""

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

_IN_FORCE = "ended_at IS NULL"

standing_grants = Table(
    "standing_grants",
    metadata,
    Column("id", Text, primary_key=True),
    Column("user_id", Text, ForeignKey("users.id"), nullable=False),
    *columns(
        "agent_id resource scopes details vary type? version:int? risk ceremony "
        "uses:int sum_minor:big? sum_currency?"
    ),
    Column("tell", Boolean, key="notify", nullable=False),
    *columns("used:int spent_minor:big numbered:int"),
    Column("approval_id", Text, ForeignKey("approvals.id"), nullable=False),
    *columns("created_at:big expires_at:big ended_at:big? ended_because?"),
    partial_index(
        "ix_standing_grants_live", "user_id", "agent_id", "resource", condition=_IN_FORCE
    ),
    partial_index("ix_standing_grants_agent", "agent_id", condition=_IN_FORCE),
    Index("ix_standing_grants_made", "created_at"),
)

grant_uses = Table(
    "grant_uses",
    metadata,
    Column("grant_id", Text, ForeignKey("standing_grants.id"), primary_key=True),
    Column("number", Integer, primary_key=True, autoincrement=False),
    *columns("approval_id minor:big state at:big"),
    UniqueConstraint("approval_id"),
)
"""`approval_id` is the approval that the use decided; a number is never reused."""

consumptions = Table(
    "consumptions",
    metadata,
    Column("approval_id", Text, ForeignKey("approvals.id"), primary_key=True),
    *columns("execution_id token_id resource at:big"),
)

outcomes = Table(
    "outcomes",
    metadata,
    Column("approval_id", Text, ForeignKey("consumptions.approval_id"), primary_key=True),
    *columns("result text? executed_digest? at:big"),
)

security_events = Table(
    "security_events",
    metadata,
    Column("id", Text, primary_key=True),
    Column("resource", Text, ForeignKey("resources.uri", ondelete="CASCADE"), nullable=False),
    *columns("subject initiator reason at:big"),
    Index("ix_security_events_waiting", "resource", "id"),
)
"""Events that an API has not acknowledged. `subject` is an agent, an app or a user."""

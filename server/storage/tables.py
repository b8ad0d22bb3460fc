"""The metadata of all tables, and the tables of requests, answers, policy and operations.

Times are milliseconds; lists and maps are JSON text.
"""

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
"""The `info` of a table whose rows are used once, soon; a restore deletes them."""

_OPEN = "state IN ('pending', 'approved')"


def partial_index(name: str, *columns: str, those: str) -> Index:
    """A partial index, which costs nothing for changes of other rows.

    Its condition is a note: the migrations create it, and as an option it would load both dialects.
    """
    return Index(name, *columns, info={"where": those})


installation = Table(
    "installation",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("admin_version", BigInteger, nullable=False),
    Column("created_at", Millis, nullable=False),
    Column("epoch", Text, nullable=False),
    Column("restored_at", Millis),
)
"""One row. A backup has none, so it cannot be used before `sayso db restore`."""

action_types = Table(
    "action_types",
    metadata,
    Column("type", Text, primary_key=True),
    Column("document", Text, nullable=False),
    Column("version", Integer, nullable=False),
    Column("created_at", Millis, nullable=False),
)

approvals = Table(
    "approvals",
    metadata,
    Column("id", Text, primary_key=True),
    Column("auth_req_hash", LargeBinary, nullable=False, unique=True),
    Column("agent_id", Text, nullable=False),
    Column("user_id", Text),
    Column("resource", Text, nullable=False),
    Column("scope", Text, nullable=False),
    Column("openid_scope", Text, nullable=False),
    Column("details", Text, nullable=False),
    Column("risk", Text, nullable=False),
    Column("ceremony", Text, nullable=False),
    Column("action", Text, nullable=False),
    Column("display", Text, nullable=False),
    Column("action_digest", Text, nullable=False),
    Column("display_digest", Text, nullable=False),
    Column("acr_values", Text, nullable=False),
    Column("state", Text, nullable=False),
    Column("reason", Text),
    Column("created_at", Millis, nullable=False),
    Column("expires_at", Millis, nullable=False),
    Column("interval_ms", Integer, nullable=False),
    Column("last_poll_at", Millis),
    Column("polls", Integer, nullable=False),
    Column("holder", Text),
    Column("seen_at", Millis),
    Column("decided_at", Millis),
    Column("idempotency_hash", LargeBinary),
    Column("request_hash", LargeBinary, nullable=False),
    Column("answer", LargeBinary),
    Column("answer_key", LargeBinary),
    Column("answer_until", Millis),
    Column("parent_id", Text),
    Column("caller_id", Text),
    Column("kind", Text, nullable=False),
    Column("delivery", Text, nullable=False),
    Column("notification_token", LargeBinary),
    Column("jkt", Text),
    Column("policy", Text, nullable=False),
    Column("past", Text, nullable=False),
    Column("granted", Text),
    Column("granted_rows", Text, nullable=False),
    Column("held_back", Boolean, nullable=False),
    Column("delivered_at", Millis),
    Column("quorum", Integer, nullable=False),
    Column("several", Boolean, key="multi_approver", nullable=False),
    Column("decided_by", Text),
    Column("life_ms", BigInteger, nullable=False),
    Column("extensions", Integer, nullable=False),
    Column("escalate_at", Millis),
    Column("escalated", Integer, nullable=False),
    Column("supersedes", Text),
    Column("retry_asked_at", Millis),
    Column("hint_hash", LargeBinary),
    UniqueConstraint("agent_id", "idempotency_hash"),
    partial_index(
        "ix_approvals_waiting", *("user_id", "risk", "expires_at", "id"), those="state = 'pending'"
    ),
    partial_index("ix_approvals_open", "agent_id", "user_id", "expires_at", those=_OPEN),
    partial_index("ix_approvals_called", "caller_id", those=f"{_OPEN} AND caller_id IS NOT NULL"),
    partial_index("ix_approvals_hinted", "agent_id", "hint_hash", "expires_at", those=_OPEN),
    partial_index("ix_approvals_escalate", "escalate_at", those="state = 'pending'"),
    partial_index("ix_approvals_due", "expires_at", those=_OPEN),
    partial_index(
        "ix_approvals_denied", "agent_id", "decided_at", "user_id", those="state = 'denied'"
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
    Column("device_id", Text, nullable=False),
    Column("decision", Text, nullable=False),
    Column("code", Text),
    Column("note", Text),
    Column("ceremony", Text, nullable=False),
    Column("channel", Text, nullable=False),
    Column("jws", Text, nullable=False),
    Column("at", Millis, nullable=False),
    Column("voided_at", Millis),
    Column("reason", Text),
    Column("retry_at", Millis),
    Column("ask_user", Text),
    Column("private_note", Text),
    Column("stands_for", Text),
)

consents = Table(
    "consents",
    metadata,
    Column("id", Text, primary_key=True),
    Column("user_id", Text, ForeignKey("users.id"), nullable=False),
    Column("client_id", Text, nullable=False),
    Column("app_id", Text),
    Column("resource", Text, nullable=False),
    Column("scopes", Text, nullable=False),
    Column("created_at", Millis, nullable=False),
    Column("expires_at", Millis, nullable=False),
    Column("revoked_at", Millis),
    Column("approval_id", Text),
    Index("ix_consents_live", "user_id", "client_id", "resource"),
    Index("ix_consents_client", "client_id"),
)

delegations = Table(
    "delegations",
    metadata,
    Column("id", Text, primary_key=True),
    Column("approval_id", Text, unique=True),
    Column("parent_id", Text),
    Column("consent_id", Text),
    Column("client_id", Text, nullable=False),
    Column("user_id", Text),
    Column("resource", Text, nullable=False),
    Column("scope", Text, nullable=False),
    Column("details", Text, nullable=False),
    Column("chain", Text, nullable=False),
    Column("depth", Integer, nullable=False),
    Column("jkt", Text),
    Column("issued_at", Millis, nullable=False),
    Column("expires_at", Millis, nullable=False),
    Column("last_used_at", Millis),
    Column("revoked_at", Millis),
    Index("ix_delegations_live", "client_id", "expires_at"),
    Index("ix_delegations_user", "user_id", "expires_at"),
    partial_index("ix_delegations_parent", "parent_id", those="parent_id IS NOT NULL"),
    partial_index("ix_delegations_consent", "consent_id", those="consent_id IS NOT NULL"),
)
"""One row per issued access token; `client_id` is an agent or an app."""

feed_events = Table(
    "feed_events",
    metadata,
    Column("id", Serial, primary_key=True, autoincrement=True),
    Column("seq", BigInteger, unique=True),
    Column("user_id", Text, nullable=False),
    Column("event", Text, nullable=False),
    Column("at", Millis, nullable=False),
    Column("approval_id", Text),
    Column("device_id", Text),
    Column("held", Text),
    Column("agent_id", Text),
    Column("incident_id", Text),
    Index("ix_feed_events_user", "user_id", "seq"),
    sqlite_autoincrement=True,
)

outbox = Table(
    "outbox",
    metadata,
    Column("id", Serial, primary_key=True, autoincrement=True),
    Column("channel", Text, nullable=False),
    Column("target", Text, nullable=False),
    Column("body", Text, nullable=False),
    Column("state", Text, nullable=False),
    Column("attempts", Integer, nullable=False),
    Column("not_before", Millis, nullable=False),
    Column("lease_until", Millis),
    Column("lease_by", Text),
    Column("created_at", Millis, nullable=False),
    Column("last_error", Text),
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
    Column("count", BigInteger, nullable=False),
    Column("total", BigInteger, nullable=False),
    Column("most", BigInteger, nullable=False),
    Column("since", BigInteger, nullable=False),
    Column("period", BigInteger, nullable=False),
    Column("period_count", BigInteger, nullable=False),
    Column("period_total", BigInteger, nullable=False),
    Column("periods", BigInteger, nullable=False),
    Column("members", Text, nullable=False),
    sqlite_with_rowid=False,
)
"""`owner` is an agent, a user or the installation. Keys and members are keyed hashes, which reveal
nothing to someone who has only the database."""


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
    partial_index(
        "ix_approvers_waiting",
        *("user_id", "risk", "ends_at", "approval_id"),
        those="over_at IS NULL",
    ),
    partial_index("ix_approvers_over", "user_id", "over_at", those="over_at IS NOT NULL"),
)
"""`ends_at`, `over_at` and `risk` copy the approval's `expires_at`, `decided_at` and `risk`, so
that lists need only this table.

A request that asks only the user it is for has no rows; `approvals.multi_approver` is false then.
"""

_LIVE = "state <> 'over'"

deputies = Table(
    "deputies",
    metadata,
    Column("id", Text, primary_key=True),
    Column("user_id", Text, ForeignKey("users.id"), nullable=False),
    Column("deputy_id", Text, ForeignKey("users.id"), nullable=False),
    Column("from_at", BigInteger, nullable=False),
    Column("to_at", BigInteger, nullable=False),
    Column("state", Text, nullable=False),
    Column("device_id", Text, nullable=False),
    Column("created_at", BigInteger, nullable=False),
    Column("revoked_at", BigInteger),
    partial_index("ix_deputies_user", "user_id", "to_at", those=_LIVE),
    partial_index("ix_deputies_deputy", "deputy_id", "to_at", those=_LIVE),
)
"""Few are in force at a time, so due ones are found without an index of their own."""

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
    Column("days", Text, nullable=False),
    Column("begins", Text, nullable=False),
    Column("ends", Text, nullable=False),
    Column("zone", Text, nullable=False),
    Column("set_at", BigInteger, nullable=False),
)

mutes = Table(
    "mutes",
    metadata,
    Column("user_id", Text, ForeignKey("users.id"), primary_key=True),
    Column("agent_id", Text, ForeignKey("agents.id", ondelete="CASCADE"), primary_key=True),
    Column("since", BigInteger, nullable=False),
    Column("until", BigInteger),
)

holds = Table(
    "holds",
    metadata,
    Column("user_id", Text, ForeignKey("users.id"), primary_key=True),
    Column("approval_id", Text, ForeignKey("approvals.id"), primary_key=True),
    Column("until", BigInteger, nullable=False),
    Column("why", Text, nullable=False),
    Index("ix_holds_until", "until"),
)

deliveries = Table(
    "deliveries",
    metadata,
    Column("approval_id", Text, ForeignKey("approvals.id"), primary_key=True),
    Column("device_id", Text, ForeignKey("devices.id"), primary_key=True),
    Column("delivered_at", BigInteger, nullable=False),
    Column("seen_at", BigInteger),
)
"""The time of the first delivery is also in the approval's row."""

notifications = Table(
    "notifications",
    metadata,
    Column("id", Serial, primary_key=True, autoincrement=True),
    Column("user_id", Text, nullable=False),
    Column("agent_id", Text, nullable=False),
    Column("types", Text, nullable=False),
    Column("lane", Text, nullable=False),
    Column("at", BigInteger, nullable=False),
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
    Column("origin", Text, nullable=False),
    Column("sealed", LargeBinary, nullable=False),
    Column("created_at", BigInteger, nullable=False),
    Column("opened_at", BigInteger, nullable=False, index=True),
    Column("delivered_at", BigInteger),
    Column("warned_at", BigInteger),
    Column("checked_at", BigInteger),
    Column("problem", Text),
)
"""Address and keys are sealed, because they allow sending to the browser."""

push_losses = Table(
    "push_losses",
    metadata,
    Column("id", Text, primary_key=True),
    Column("user_id", Text, ForeignKey("users.id"), nullable=False, index=True),
    Column("device_id", Text, ForeignKey("devices.id"), nullable=False),
    Column("origin", Text, nullable=False),
    Column("lost_at", BigInteger, nullable=False),
)
"""Lost subscriptions, until the device subscribes again."""

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
    Column("key_id", Text, nullable=False),
    Column("sealed", LargeBinary),
)
"""The keys of this database. `sealed` is a key that is not in a file."""

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
    Column("document", Text, nullable=False),
    Column("agents", Text, nullable=False),
    Column("users", Text, nullable=False),
    Column("hash", Text, nullable=False),
    Column("set_by", Text, nullable=False),
    Column("set_at", BigInteger, nullable=False),
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
    Column("state", Text, nullable=False),
    Column("cause", Text, nullable=False),
    Column("scope", Text, nullable=False),
    Column("approval_id", Text, ForeignKey("approvals.id")),
    Column("user_id", Text, ForeignKey("users.id")),
    Column("device_id", Text),
    Column("note", Text),
    Column("evidence", Text, nullable=False),
    Column("opened_at", BigInteger, nullable=False),
    Column("closed_at", BigInteger),
    Column("closed_by", Text),
    Column("closing_note", Text),
    Index("ix_incidents_approval", "approval_id"),
    Index("ix_incidents_opened", "opened_at"),
    partial_index("ix_incidents_user", "user_id", those="state = 'open'"),
)

_IN_FORCE = "ended_at IS NULL"

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
    Column("tell", Boolean, key="notify", nullable=False),
    Column("used", Integer, nullable=False),
    Column("spent_minor", BigInteger, nullable=False),
    Column("numbered", Integer, nullable=False),
    Column("approval_id", Text, ForeignKey("approvals.id"), nullable=False),
    Column("created_at", Millis, nullable=False),
    Column("expires_at", Millis, nullable=False),
    Column("ended_at", Millis),
    Column("ended_because", Text),
    partial_index("ix_standing_grants_live", "user_id", "agent_id", "resource", those=_IN_FORCE),
    partial_index("ix_standing_grants_agent", "agent_id", those=_IN_FORCE),
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

consumptions = Table(
    "consumptions",
    metadata,
    Column("approval_id", Text, ForeignKey("approvals.id"), primary_key=True),
    Column("execution_id", Text, nullable=False),
    Column("token_id", Text, nullable=False),
    Column("resource", Text, nullable=False),
    Column("at", Millis, nullable=False),
)

outcomes = Table(
    "outcomes",
    metadata,
    Column("approval_id", Text, ForeignKey("consumptions.approval_id"), primary_key=True),
    Column("result", Text, nullable=False),
    Column("text", Text),
    Column("executed_digest", Text),
    Column("at", Millis, nullable=False),
)

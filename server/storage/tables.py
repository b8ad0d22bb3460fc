"""Every table, in one sitting. Times are milliseconds; lists and maps are JSON text."""

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
    text,
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
Serial = BigInteger().with_variant(Integer, "sqlite")
"""SQLite numbers rows by itself only in an INTEGER PRIMARY KEY."""
_OPEN = "state IN ('pending', 'approved')"


def _where(name: str, *columns: str, those: str) -> Index:
    """An index of some rows: the others cost it nothing when they change."""
    return Index(name, *columns, sqlite_where=text(those), postgresql_where=text(those))


installation = Table(
    "installation",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("admin_version", BigInteger, nullable=False),
    Column("created_at", Millis, nullable=False),
)

users = Table(
    "users",
    metadata,
    Column("id", Text, primary_key=True),
    Column("name", Text, nullable=False),
    Column("name_key", Text, nullable=False, unique=True),
    Column("email", Text),
    Column("email_key", Text, unique=True),
    Column("roles", Text, nullable=False),
    Column("state", Text, nullable=False),
    Column("created_at", Millis, nullable=False),
)

agents = Table(
    "agents",
    metadata,
    Column("id", Text, primary_key=True),
    Column("name", Text, nullable=False),
    Column("name_key", Text, nullable=False, unique=True),
    Column("description", Text, nullable=False),
    Column("auth_method", Text, nullable=False),
    Column("jwks", Text, nullable=False),
    Column("grant_types", Text, nullable=False),
    Column("delivery", Text, nullable=False),
    Column("resources", Text, nullable=False),
    Column("scopes", Text, nullable=False),
    Column("only", Text, nullable=False),
    Column("serves", Text, nullable=False),
    Column("labels", Text, nullable=False),
    Column("token_seconds", Integer),
    Column("action_types", Text),
    Column("asks", Text),
    Column("id_token_alg", Text, nullable=False),
    Column("state", Text, nullable=False),
    Column("expires_at", Millis),
    Column("created_at", Millis, nullable=False),
    Column("dpop_bound", Boolean, nullable=False),
    Column("request_alg", Text),
    Column("notification_endpoint", Text),
    Column("takes_user_code", Boolean, nullable=False),
)

agent_owners = Table(
    "agent_owners",
    metadata,
    Column("agent_id", Text, ForeignKey("agents.id", ondelete="CASCADE"), primary_key=True),
    Column("user_id", Text, ForeignKey("users.id"), primary_key=True),
    Column("since", Millis, nullable=False),
)

agent_secrets = Table(
    "agent_secrets",
    metadata,
    Column("id", Text, primary_key=True),
    Column(
        "agent_id", Text, ForeignKey("agents.id", ondelete="CASCADE"), nullable=False, index=True
    ),
    Column("hash", LargeBinary, nullable=False, unique=True),
    Column("hint", Text, nullable=False),
    Column("created_at", Millis, nullable=False),
    Column("expires_at", Millis),
    Column("last_used_at", Millis),
)

resources = Table(
    "resources",
    metadata,
    Column("uri", Text, primary_key=True),
    Column("client_id", Text, nullable=False, unique=True),
    Column("scopes", Text, nullable=False),
    Column("requires", Text, nullable=False),
    Column("token_seconds", Integer),
    Column("created_at", Millis, nullable=False),
)

action_types = Table(
    "action_types",
    metadata,
    Column("type", Text, primary_key=True),
    Column("document", Text, nullable=False),
    Column("version", Integer, nullable=False),
    Column("created_at", Millis, nullable=False),
)

signing_keys = Table(
    "signing_keys",
    metadata,
    Column("kid", Text, primary_key=True),
    Column("alg", Text, nullable=False),
    Column("public_jwk", Text, nullable=False),
    Column("sealed", LargeBinary, nullable=False),
    Column("state", Text, nullable=False),
    Column("created_at", Millis, nullable=False),
    Column("retires_at", Millis),
)

enrolment_codes = Table(
    "enrolment_codes",
    metadata,
    Column("id", Text, primary_key=True),
    Column("user_id", Text, ForeignKey("users.id"), nullable=False, index=True),
    Column("secret_hash", LargeBinary, nullable=False),
    Column("created_by", Text, nullable=False),
    Column("created_at", Millis, nullable=False),
    Column("expires_at", Millis, nullable=False),
    Column("used_at", Millis),
    Column("tries", Integer, nullable=False),
    Column("first", Boolean, nullable=False),
)

sessions = Table(
    "sessions",
    metadata,
    Column("id", Text, primary_key=True),
    Column("user_id", Text, ForeignKey("users.id"), nullable=False, index=True),
    Column("code_id", Text, nullable=False),
    Column("jkt", Text, nullable=False),
    Column("public_jwk", Text, nullable=False),
    Column("refresh_hash", LargeBinary, nullable=False, unique=True),
    Column("previous_hash", LargeBinary, index=True),
    Column("rotated_at", Millis, nullable=False),
    Column("created_at", Millis, nullable=False),
    Column("expires_at", Millis, nullable=False),
    Column("revoked_at", Millis),
    Column("device_id", Text),
    Column("first", Boolean, nullable=False),
    Column("admitted_as", Text),
)

devices = Table(
    "devices",
    metadata,
    Column("id", Text, primary_key=True),
    Column("user_id", Text, ForeignKey("users.id"), nullable=False, index=True),
    Column("session_id", Text, nullable=False, unique=True),
    Column("name", Text, nullable=False),
    Column("kind", Text, nullable=False),
    Column("state", Text, nullable=False),
    Column("created_at", Millis, nullable=False),
    Column("last_seen_at", Millis),
    Column("high_from", Millis, nullable=False),
    Column("keys", Text, nullable=False),
    Column("kids", Text, nullable=False),
    Column("pin_tries", Integer, nullable=False),
    Column("pin_calls", Integer, nullable=False),
    Column("pin_unconfirmed", Integer, nullable=False),
    Column("pin_epoch", Integer, nullable=False),
    Column("pin_for", Text),
    Column("pin_for_at", Millis),
    Column("statements", Integer, nullable=False),
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
    Column("kind", Text, nullable=False),
    Column("delivery", Text, nullable=False),
    Column("notification_token", LargeBinary),
    Column("jkt", Text),
    Column("policy", Text, nullable=False),
    Column("past", Text, nullable=False),
    Column("granted", Text),
    Column("granted_rows", Text, nullable=False),
    UniqueConstraint("agent_id", "idempotency_hash"),
    _where("ix_approvals_waiting", "user_id", "expires_at", "id", those="state = 'pending'"),
    _where("ix_approvals_open", "agent_id", "user_id", "expires_at", those=_OPEN),
    _where("ix_approvals_due", "expires_at", those=_OPEN),
    _where("ix_approvals_denied", "agent_id", "user_id", "decided_at", those="state = 'denied'"),
    Index("ix_approvals_asked", "agent_id", "user_id"),
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
    Index(
        "ix_delegations_parent",
        "parent_id",
        sqlite_where=text("parent_id IS NOT NULL"),
        postgresql_where=text("parent_id IS NOT NULL"),
    ),
    Index(
        "ix_delegations_consent",
        "consent_id",
        sqlite_where=text("consent_id IS NOT NULL"),
        postgresql_where=text("consent_id IS NOT NULL"),
    ),
)
"""One row per issued access token; `client_id` is an agent or an app."""

audit_entries = Table(
    "audit_entries",
    metadata,
    Column("id", Text, primary_key=True),
    Column("seq", BigInteger, unique=True),
    Column("at", Millis, nullable=False),
    Column("type", Text, nullable=False),
    Column("actor", Text, nullable=False),
    Column("agent_id", Text),
    Column("subject", Text),
    Column("resource", Text),
    Column("action", Text),
    Column("decision", Text),
    Column("correlation_id", Text, nullable=False),
    Column("posture", Text),
    Column("cause", Text),
    Column("approval_id", Text, index=True),
    Column("body", LargeBinary, nullable=False),
    Column("leaf", LargeBinary, nullable=False),
    Index("ix_audit_entries_at", "at"),
)
"""`seq` is the entry's place in the tree over the log; it stays empty until there is one."""

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
    sqlite_autoincrement=True,
)

replays = Table(
    "replays",
    metadata,
    Column("kind", Text, primary_key=True),
    Column("key", LargeBinary, primary_key=True),
    Column("expires_at", Millis, nullable=False, index=True),
)
"""What may be used once: assertion and proof ids."""

counters = Table(
    "counters",
    metadata,
    Column("key", Text, primary_key=True),
    Column("window_ends_at", Millis, nullable=False, index=True),
    Column("count", Integer, nullable=False),
)
"""Tries per window, for limits that must hold across processes."""

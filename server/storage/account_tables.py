"""The tables of users, devices, sign-in, clients and resources."""

from sqlalchemy import Boolean, Column, ForeignKey, Index, Integer, LargeBinary, Table, Text

from server.storage.tables import ONE_TIME, Millis, metadata

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
    Column("backup", Text, ForeignKey("users.id")),
    Column("disabled_at", Millis),
)

agents = Table(
    "agents",
    metadata,
    Column("id", Text, primary_key=True),
    Column("name", Text, nullable=False),
    Column("name_key", Text, nullable=False, unique=True),
    Column("description", Text, nullable=False),
    Column("auth_method", Text, nullable=False),
    Column("auth_before", Text),
    Column("auth_before_until", Millis),
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
    Column("high_grants", Boolean, nullable=False),
    Column("interactive", Boolean, nullable=False),
    Column("external_id", Text),
    Column("review_at", Millis),
    Column("icon", Text),
    Column("named_at", Millis, nullable=False),
)

resources = Table(
    "resources",
    metadata,
    Column("uri", Text, primary_key=True),
    Column("client_id", Text, nullable=False, unique=True),
    Column("scopes", Text, nullable=False),
    Column("requires", Text, nullable=False),
    Column("token_seconds", Integer),
    Column("default_scopes", Text, nullable=False),
    Column("unknown_clients", Boolean, nullable=False),
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

enrollment_codes = Table(
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
    Column("admitted_as", Text),
    Column("resumes", Boolean, nullable=False),
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
    Column("alarmed_at", Millis),
)

resource_secrets = Table(
    "resource_secrets",
    metadata,
    Column("id", Text, primary_key=True),
    Column(
        "resource",
        Text,
        ForeignKey("resources.uri", ondelete="CASCADE"),
        nullable=False,
        index=True,
    ),
    Column("hash", LargeBinary, nullable=False, unique=True),
    Column("hint", Text, nullable=False),
    Column("created_at", Millis, nullable=False),
    Column("expires_at", Millis),
    Column("last_used_at", Millis),
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

agent_keys = Table(
    "agent_keys",
    metadata,
    Column("agent_id", Text, ForeignKey("agents.id", ondelete="CASCADE"), primary_key=True),
    Column("kid", Text, primary_key=True),
    Column("last_used_at", Millis),
)
"""One row for each key of `agents.jwks`, so that recording a use is one UPDATE."""

icons = Table(
    "icons",
    metadata,
    Column("digest", Text, primary_key=True),
    Column("media_type", Text, nullable=False),
    Column("body", LargeBinary, nullable=False),
)
"""Icons of agents; `agents.icon` is the digest."""

name_looks = Table(
    "name_looks",
    metadata,
    Column("kind", Text, primary_key=True),
    Column("look", Text, primary_key=True),
    Column("bearer", Text, nullable=False, index=True),
    sqlite_with_rowid=False,
)
"""The looks of each name, unique per kind, so that two names that look alike cannot be stored."""

former_names = Table(
    "former_names",
    metadata,
    Column("agent_id", Text, ForeignKey("agents.id", ondelete="CASCADE"), primary_key=True),
    Column("until", Millis, primary_key=True),
    Column("name", Text, primary_key=True),
)
"""Former names of agents, and when each ended."""

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

passkeys = Table(
    "passkeys",
    metadata,
    Column("device_id", Text, ForeignKey("devices.id"), primary_key=True),
    Column("credential", LargeBinary, nullable=False, unique=True),
    Column("public_key", LargeBinary, nullable=False),
    Column("signs", Millis, nullable=False),
    Column("synced", Boolean, nullable=False),
    Column("last_signed", LargeBinary),
)
"""`signs` counts to 2^32, which needs the wide integer."""

browsers = Table(
    "browsers",
    metadata,
    Column("token_hash", LargeBinary, primary_key=True),
    Column("device_id", Text, ForeignKey("devices.id"), nullable=False, index=True),
    Column("signed_in_at", Millis, nullable=False),
    Column("expires_at", Millis, nullable=False, index=True),
    Column("ended_at", Millis),
)

device_codes = Table(
    "device_codes",
    metadata,
    Column("id", Text, primary_key=True),
    Column("device_code_hash", LargeBinary, nullable=False, unique=True),
    Column("user_code_hash", LargeBinary, nullable=False, unique=True),
    Column("client_id", Text, nullable=False),
    Column("resource", Text, nullable=False),
    Column("scope", Text, nullable=False),
    Column("jkt", Text, nullable=False),
    Column("name", Text, nullable=False),
    Column("address", Text, nullable=False),
    Column("created_at", Millis, nullable=False),
    Column("expires_at", Millis, nullable=False, index=True),
    Column("interval_ms", Integer, nullable=False),
    Column("last_poll_at", Millis),
    Column("approval_id", Text),
    info=ONE_TIME,
)

apps = Table(
    "apps",
    metadata,
    Column("id", Text, primary_key=True),
    Column("name", Text, nullable=False),
    Column("name_key", Text, nullable=False, unique=True),
    Column("auth_method", Text, nullable=False),
    Column("jwks", Text, nullable=False),
    Column("redirect_uris", Text, nullable=False),
    Column("post_logout_redirect_uris", Text, nullable=False),
    Column("grant_types", Text, nullable=False),
    Column("resources", Text, nullable=False),
    Column("scopes", Text, nullable=False),
    Column("action_types", Text),
    Column("id_token_alg", Text, nullable=False),
    Column("dpop_bound", Boolean, nullable=False),
    Column("state", Text, nullable=False),
    Column("created_at", Millis, nullable=False),
    Column("origin", Text, nullable=False),
    Column("claimed_name", Text),
)

app_uses = Table(
    "app_uses",
    metadata,
    Column("app_id", Text, ForeignKey("apps.id", ondelete="CASCADE"), primary_key=True),
    Column("created_at", Millis, nullable=False),
    Column("fresh_until", Millis, nullable=False),
    Column("checked_at", Millis, nullable=False),
    Column("used_at", Millis),
)

app_secrets = Table(
    "app_secrets",
    metadata,
    Column("id", Text, primary_key=True),
    Column("app_id", Text, ForeignKey("apps.id", ondelete="CASCADE"), nullable=False, index=True),
    Column("hash", LargeBinary, nullable=False, unique=True),
    Column("hint", Text, nullable=False),
    Column("created_at", Millis, nullable=False),
    Column("expires_at", Millis),
    Column("last_used_at", Millis),
)

passwords = Table(
    "passwords",
    metadata,
    Column("user_id", Text, ForeignKey("users.id"), primary_key=True),
    Column("hash", Text, nullable=False),
    Column("changed_at", Millis, nullable=False),
    Column("used_at", Millis),
)

password_tries = Table(
    "password_tries",
    metadata,
    Column("key", LargeBinary, primary_key=True),
    Column("tries", Integer, nullable=False),
    Column("not_before", Millis, nullable=False),
    Column("forget_at", Millis, nullable=False, index=True),
)
"""`key` is the hash of an account and an address, or of an address."""

sign_ins = Table(
    "sign_ins",
    metadata,
    Column("id", Text, primary_key=True),
    Column("token_hash", LargeBinary, nullable=False, unique=True),
    Column("user_id", Text, ForeignKey("users.id"), nullable=False, index=True),
    Column("auth_time", Millis, nullable=False),
    Column("expires_at", Millis, nullable=False, index=True),
    Column("ended_at", Millis),
    Column("acr", Text, nullable=False),
)

flows = Table(
    "flows",
    metadata,
    Column("hash", LargeBinary, primary_key=True),
    Column("app_id", Text, nullable=False),
    Column("parameters", Text, nullable=False),
    Column("created_at", Millis, nullable=False),
    Column("expires_at", Millis, nullable=False, index=True),
    Column("sign_in_id", Text),
    Column("allowed_at", Millis),
    Column("approvals", Text, nullable=False),
    Column("done_at", Millis),
    info=ONE_TIME,
)

pushed_requests = Table(
    "pushed_requests",
    metadata,
    Column("hash", LargeBinary, primary_key=True),
    Column("app_id", Text, nullable=False),
    Column("parameters", Text, nullable=False),
    Column("expires_at", Millis, nullable=False, index=True),
    Column("used_at", Millis),
    info=ONE_TIME,
)

codes = Table(
    "authorization_codes",
    metadata,
    Column("hash", LargeBinary, primary_key=True),
    Column("grant", Text, nullable=False),
    Column("challenge", Text, nullable=False),
    Column("expires_at", Millis, nullable=False, index=True),
    Column("used_at", Millis),
    Column("jti", Text),
    Column("family_id", Text),
    info=ONE_TIME,
)

families = Table(
    "refresh_families",
    metadata,
    Column("id", Text, primary_key=True),
    Column("app_id", Text, nullable=False, index=True),
    Column("user_id", Text, nullable=False, index=True),
    Column("sign_in_id", Text, nullable=False, index=True),
    Column("grant", Text, nullable=False),
    Column("created_at", Millis, nullable=False),
    Column("expires_at", Millis, nullable=False, index=True),
    Column("ended_at", Millis),
)

refresh_tokens = Table(
    "refresh_tokens",
    metadata,
    Column("hash", LargeBinary, primary_key=True),
    Column(
        "family_id", Text, ForeignKey("refresh_families.id", ondelete="CASCADE"), nullable=False
    ),
    Column("created_at", Millis, nullable=False),
    Column("used_at", Millis),
    Index("ix_refresh_tokens_family_id", "family_id"),
)

family_tokens = Table(
    "family_tokens",
    metadata,
    Column("jti", Text, primary_key=True),
    Column(
        "family_id", Text, ForeignKey("refresh_families.id", ondelete="CASCADE"), nullable=False
    ),
    Column("created_at", Millis, nullable=False),
    Index("ix_family_tokens_family_id", "family_id"),
)
"""Access tokens that were issued with refresh tokens."""

user_codes = Table(
    "user_codes",
    metadata,
    Column("user_id", Text, ForeignKey("users.id"), primary_key=True),
    Column("hash", LargeBinary, nullable=False),
    Column("set_at", Millis, nullable=False),
)
"""The code that a user requires of agents that support user codes."""

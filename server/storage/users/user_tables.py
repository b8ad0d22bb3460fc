"""The tables of apps and of signing in to them; the metadata is in `tables.py`."""

from sqlalchemy import Boolean, Column, ForeignKey, Index, Integer, LargeBinary, Table, Text

from server.storage.tables import Millis, metadata

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
)

pushed_requests = Table(
    "pushed_requests",
    metadata,
    Column("hash", LargeBinary, primary_key=True),
    Column("app_id", Text, nullable=False),
    Column("parameters", Text, nullable=False),
    Column("expires_at", Millis, nullable=False, index=True),
    Column("used_at", Millis),
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

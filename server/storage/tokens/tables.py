"""The tables of tokens, signing keys and apps' codes."""

from sqlalchemy import Column, ForeignKey, Index, LargeBinary, Table, Text

from server.storage.tables import ONE_TIME, Millis, columns, metadata, partial_index

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
    Index("ix_delegations_expiry", "expires_at"),
    Index("ix_delegations_issued", "issued_at", "id"),
    partial_index("ix_delegations_parent", "parent_id", condition="parent_id IS NOT NULL"),
    partial_index("ix_delegations_consent", "consent_id", condition="consent_id IS NOT NULL"),
)
"""One row per issued access token; `client_id` is an agent or an app."""

replays = Table(
    "replays",
    metadata,
    Column("kind", Text, primary_key=True),
    Column("key", LargeBinary, primary_key=True),
    Column("expires_at", Millis, nullable=False, index=True),
)
"""Values that may be used only once, such as the IDs of assertions and proofs."""

security_events = Table(
    "security_events",
    metadata,
    Column("id", Text, primary_key=True),
    Column("resource", Text, ForeignKey("resources.uri", ondelete="CASCADE"), nullable=False),
    *columns("subject initiator reason at:big"),
    Index("ix_security_events_waiting", "resource", "id"),
)
"""Events that an API has not acknowledged. `subject` is an agent, an app or a user."""

signing_keys = Table(
    "signing_keys",
    metadata,
    Column("kid", Text, primary_key=True),
    *columns("alg public_jwk sealed:bytes state created_at:big retires_at:big?"),
)

codes = Table(
    "authorization_codes",
    metadata,
    Column("hash", LargeBinary, primary_key=True),
    *columns("grant challenge"),
    Column("expires_at", Millis, nullable=False, index=True),
    *columns("used_at:big? jti? family_id?"),
    info=ONE_TIME,
)

families = Table(
    "refresh_families",
    metadata,
    Column("id", Text, primary_key=True),
    Column("app_id", Text, nullable=False, index=True),
    Column("user_id", Text, nullable=False, index=True),
    Column("sign_in_id", Text, nullable=False, index=True),
    *columns("grant created_at:big"),
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
    *columns("created_at:big used_at:big?"),
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

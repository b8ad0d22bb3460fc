"""The tables of tokens, signing keys and apps' codes."""

from sqlalchemy import Index

from server.storage.tables import ONE_TIME, define_table, partial_index

delegations = define_table(
    "delegations",
    "id:key approval_id:unique? parent_id? consent_id? client_id user_id? resource scope "
    "details chain depth:int jkt? issued_at:big expires_at:big last_used_at:big? "
    "revoked_at:big?",
    Index("ix_delegations_live", "client_id", "expires_at"),
    Index("ix_delegations_user", "user_id", "expires_at"),
    Index("ix_delegations_expiry", "expires_at"),
    Index("ix_delegations_issued", "issued_at", "id"),
    partial_index("ix_delegations_parent", "parent_id", condition="parent_id IS NOT NULL"),
    partial_index("ix_delegations_consent", "consent_id", condition="consent_id IS NOT NULL"),
)
"""One row per issued access token; `client_id` is an agent or an app."""

replays = define_table(
    "replays",
    "kind:key key:bytes:key expires_at:big:index",
)
"""Values that may be used only once, such as the IDs of assertions and proofs."""

security_events = define_table(
    "security_events",
    "id:key resource:resources.uri:cascade subject initiator reason at:big",
    Index("ix_security_events_waiting", "resource", "id"),
)
"""Events that an API has not acknowledged. `subject` is an agent, an app or a user."""

signing_keys = define_table(
    "signing_keys",
    "kid:key alg public_jwk sealed:bytes state created_at:big retires_at:big?",
)

codes = define_table(
    "authorization_codes",
    "hash:bytes:key grant challenge expires_at:big:index used_at:big? jti? family_id?",
    info=ONE_TIME,
)

families = define_table(
    "refresh_families",
    "id:key app_id:index user_id:index sign_in_id:index grant created_at:big "
    "expires_at:big:index ended_at:big?",
)

refresh_tokens = define_table(
    "refresh_tokens",
    "hash:bytes:key family_id:refresh_families.id:cascade created_at:big used_at:big?",
    Index("ix_refresh_tokens_family_id", "family_id"),
)

family_tokens = define_table(
    "family_tokens",
    "jti:key family_id:refresh_families.id:cascade created_at:big",
    Index("ix_family_tokens_family_id", "family_id"),
)
"""Access tokens that were issued with refresh tokens."""

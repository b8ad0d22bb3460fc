"""The tables of agents and apps."""

from sqlalchemy import Column, ForeignKey, LargeBinary, Table, Text

from server.storage.tables import Millis, columns, metadata

agents = Table(
    "agents",
    metadata,
    Column("id", Text, primary_key=True),
    Column("name", Text, nullable=False),
    Column("name_key", Text, nullable=False, unique=True),
    *columns(
        "description auth_method auth_before? auth_before_until:big? jwks grant_types "
        "delivery resources scopes only serves labels token_seconds:int? action_types? "
        "asks? id_token_alg state expires_at:big? created_at:big dpop_bound:bool "
        "request_alg? notification_endpoint? takes_user_code:bool high_grants:bool "
        "interactive:bool external_id? review_at:big? icon? named_at:big"
    ),
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
    *columns("hint created_at:big expires_at:big? last_used_at:big?"),
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
    *columns("media_type body:bytes"),
)
"""Agents' icons; `agents.icon` is the digest."""

name_looks = Table(
    "name_looks",
    metadata,
    Column("kind", Text, primary_key=True),
    Column("look", Text, primary_key=True),
    Column("bearer", Text, nullable=False, index=True),
    sqlite_with_rowid=False,
)
"""What each name looks like, unique per kind, so that look-alike names cannot both be stored."""

former_names = Table(
    "former_names",
    metadata,
    Column("agent_id", Text, ForeignKey("agents.id", ondelete="CASCADE"), primary_key=True),
    Column("until", Millis, primary_key=True),
    Column("name", Text, primary_key=True),
)
"""Agents' former names, and when each agent stopped using the name."""

invitations = Table(
    "invitations",
    metadata,
    Column("id", Text, primary_key=True),
    Column("token_hash", LargeBinary, nullable=False, unique=True),
    Column("owner_id", Text, ForeignKey("users.id"), nullable=False),
    *columns(
        "grant_types resources scopes action_types? asks? uses_left:int created_by "
        "created_at:big expires_at:big revoked_at:big?"
    ),
)

registrations = Table(
    "registrations",
    metadata,
    Column("agent_id", Text, primary_key=True),
    *columns("invitation_id token_hash:bytes created_at:big"),
)
"""A registration is kept when its agent is deleted, but its token no longer works."""

apps = Table(
    "apps",
    metadata,
    Column("id", Text, primary_key=True),
    Column("name", Text, nullable=False),
    Column("name_key", Text, nullable=False, unique=True),
    *columns(
        "auth_method jwks redirect_uris post_logout_redirect_uris grant_types resources "
        "scopes action_types? id_token_alg dpop_bound:bool state created_at:big origin "
        "claimed_name? requires_par:bool"
    ),
)

app_uses = Table(
    "app_uses",
    metadata,
    Column("app_id", Text, ForeignKey("apps.id", ondelete="CASCADE"), primary_key=True),
    *columns("created_at:big fresh_until:big checked_at:big used_at:big?"),
)

app_secrets = Table(
    "app_secrets",
    metadata,
    Column("id", Text, primary_key=True),
    Column("app_id", Text, ForeignKey("apps.id", ondelete="CASCADE"), nullable=False, index=True),
    Column("hash", LargeBinary, nullable=False, unique=True),
    *columns("hint created_at:big expires_at:big? last_used_at:big?"),
)

"""The tables of users, devices, sign-in, clients and resources."""

from sqlalchemy import Column, ForeignKey, Index, LargeBinary, Table, Text

from server.storage.tables import ONE_TIME, Millis, columns, metadata

users = Table(
    "users",
    metadata,
    Column("id", Text, primary_key=True),
    Column("name", Text, nullable=False),
    Column("name_key", Text, nullable=False, unique=True),
    Column("email", Text),
    Column("email_key", Text, unique=True),
    *columns("roles state created_at:big"),
    Column("backup", Text, ForeignKey("users.id")),
    Column("disabled_at", Millis),
)

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

resources = Table(
    "resources",
    metadata,
    Column("uri", Text, primary_key=True),
    Column("client_id", Text, nullable=False, unique=True),
    *columns(
        "scopes requires token_seconds:int? default_scopes unknown_clients:bool created_at:big"
    ),
)

signing_keys = Table(
    "signing_keys",
    metadata,
    Column("kid", Text, primary_key=True),
    *columns("alg public_jwk sealed:bytes state created_at:big retires_at:big?"),
)

enrollment_codes = Table(
    "enrolment_codes",
    metadata,
    Column("id", Text, primary_key=True),
    Column("user_id", Text, ForeignKey("users.id"), nullable=False, index=True),
    *columns("secret_hash:bytes created_by created_at:big expires_at:big used_at:big? tries:int"),
)

sessions = Table(
    "sessions",
    metadata,
    Column("id", Text, primary_key=True),
    Column("user_id", Text, ForeignKey("users.id"), nullable=False, index=True),
    *columns("code_id jkt public_jwk"),
    Column("refresh_hash", LargeBinary, nullable=False, unique=True),
    Column("previous_hash", LargeBinary, index=True),
    *columns(
        "rotated_at:big created_at:big expires_at:big revoked_at:big? device_id? "
        "admitted_as? resumes:bool"
    ),
)

devices = Table(
    "devices",
    metadata,
    Column("id", Text, primary_key=True),
    Column("user_id", Text, ForeignKey("users.id"), nullable=False, index=True),
    Column("session_id", Text, nullable=False, unique=True),
    *columns(
        "name kind state created_at:big last_seen_at:big? high_from:big keys kids "
        "pin_tries:int pin_calls:int pin_unconfirmed:int pin_epoch:int pin_for? "
        "pin_for_at:big? statements:int alarmed_at:big?"
    ),
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
    *columns("hint created_at:big expires_at:big? last_used_at:big?"),
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
"""Icons of agents; `agents.icon` is the digest."""

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
"""Former names of agents, and until when each was used."""

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

passkeys = Table(
    "passkeys",
    metadata,
    Column("device_id", Text, ForeignKey("devices.id"), primary_key=True),
    Column("credential", LargeBinary, nullable=False, unique=True),
    *columns("public_key:bytes signs:big synced:bool last_signed:bytes?"),
)
"""`signs` is a counter that can reach 2^32, so it needs a 64-bit integer."""

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
    *columns("client_id resource scope jkt name address created_at:big"),
    Column("expires_at", Millis, nullable=False, index=True),
    *columns("interval_ms:int last_poll_at:big? approval_id?"),
    info=ONE_TIME,
)

apps = Table(
    "apps",
    metadata,
    Column("id", Text, primary_key=True),
    Column("name", Text, nullable=False),
    Column("name_key", Text, nullable=False, unique=True),
    *columns(
        "auth_method jwks redirect_uris post_logout_redirect_uris grant_types resources "
        "scopes action_types? id_token_alg dpop_bound:bool state created_at:big origin "
        "claimed_name?"
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

passwords = Table(
    "passwords",
    metadata,
    Column("user_id", Text, ForeignKey("users.id"), primary_key=True),
    *columns("hash changed_at:big used_at:big?"),
)

password_tries = Table(
    "password_tries",
    metadata,
    Column("key", LargeBinary, primary_key=True),
    *columns("tries:int not_before:big"),
    Column("forget_at", Millis, nullable=False, index=True),
)
"""`key` is the hash of an account and an IP address, or of an IP address alone."""

sign_ins = Table(
    "sign_ins",
    metadata,
    Column("id", Text, primary_key=True),
    Column("token_hash", LargeBinary, nullable=False, unique=True),
    Column("user_id", Text, ForeignKey("users.id"), nullable=False, index=True),
    Column("auth_time", Millis, nullable=False),
    Column("expires_at", Millis, nullable=False, index=True),
    *columns("ended_at:big? acr"),
)

flows = Table(
    "flows",
    metadata,
    Column("hash", LargeBinary, primary_key=True),
    *columns("app_id parameters created_at:big"),
    Column("expires_at", Millis, nullable=False, index=True),
    *columns("sign_in_id? allowed_at:big? approvals done_at:big?"),
    info=ONE_TIME,
)

pushed_requests = Table(
    "pushed_requests",
    metadata,
    Column("hash", LargeBinary, primary_key=True),
    *columns("app_id parameters"),
    Column("expires_at", Millis, nullable=False, index=True),
    Column("used_at", Millis),
    info=ONE_TIME,
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

user_codes = Table(
    "user_codes",
    metadata,
    Column("user_id", Text, ForeignKey("users.id"), primary_key=True),
    *columns("hash:bytes set_at:big"),
)
"""The code that agents must send to reach this user, if they support user codes."""

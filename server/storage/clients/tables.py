"""The tables of agents and apps."""

from server.storage.tables import define_table

agents = define_table(
    "agents",
    "id:key name name_key:unique description auth_method auth_before? "
    "auth_before_until:big? jwks grant_types delivery resources scopes only serves labels "
    "token_seconds:int? action_types? asks? id_token_alg state expires_at:big? "
    "created_at:big dpop_bound:bool request_alg? notification_endpoint? "
    "takes_user_code:bool high_grants:bool interactive:bool external_id? review_at:big? "
    "icon? named_at:big",
)

agent_owners = define_table(
    "agent_owners",
    "agent_id:key:agents.id:cascade user_id:key:users.id since:big",
)

agent_secrets = define_table(
    "agent_secrets",
    "id:key agent_id:agents.id:cascade:index hash:bytes:unique hint created_at:big "
    "expires_at:big? last_used_at:big?",
)

agent_keys = define_table(
    "agent_keys",
    "agent_id:key:agents.id:cascade kid:key last_used_at:big?",
)
"""One row for each key of `agents.jwks`, so that recording a use is one UPDATE."""

icons = define_table(
    "icons",
    "digest:key media_type body:bytes",
)
"""Agents' icons; `agents.icon` is the digest."""

name_looks = define_table(
    "name_looks",
    "kind:key look:key bearer:index",
    sqlite_with_rowid=False,
)
"""Each name's lookalike keys, unique per kind, so that lookalike names cannot both be stored."""

former_names = define_table(
    "former_names",
    "agent_id:key:agents.id:cascade until:big:key name:key",
)
"""Agents' former names, and when each agent stopped using the name."""

invitations = define_table(
    "invitations",
    "id:key token_hash:bytes:unique owner_id:users.id grant_types resources scopes "
    "action_types? asks? uses_left:int created_by created_at:big expires_at:big "
    "revoked_at:big?",
)

registrations = define_table(
    "registrations",
    "agent_id:key invitation_id token_hash:bytes created_at:big",
)
"""A registration is kept when its agent is deleted, but its token no longer works."""

apps = define_table(
    "apps",
    "id:key name name_key:unique auth_method jwks redirect_uris post_logout_redirect_uris "
    "grant_types resources scopes action_types? id_token_alg dpop_bound:bool state "
    "created_at:big origin claimed_name? requires_par:bool",
)

app_uses = define_table(
    "app_uses",
    "app_id:key:apps.id:cascade created_at:big fresh_until:big checked_at:big used_at:big?",
)

app_secrets = define_table(
    "app_secrets",
    "id:key app_id:apps.id:cascade:index hash:bytes:unique hint created_at:big "
    "expires_at:big? last_used_at:big?",
)

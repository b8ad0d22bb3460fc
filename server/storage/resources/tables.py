"""The tables of resources."""

from server.storage.tables import define_table

resources = define_table(
    "resources",
    "uri:key client_id:unique scopes requires token_seconds:int? default_scopes "
    "unknown_clients:bool created_at:big",
)

resource_secrets = define_table(
    "resource_secrets",
    "id:key resource:resources.uri:cascade:index hash:bytes:unique hint created_at:big "
    "expires_at:big? last_used_at:big?",
)

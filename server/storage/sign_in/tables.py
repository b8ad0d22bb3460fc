"""The tables of sign-ins."""

from server.storage.tables import ONE_TIME, define_table

sign_ins = define_table(
    "sign_ins",
    "id:key token_hash:bytes:unique user_id:users.id:index auth_time:big "
    "expires_at:big:index ended_at:big? acr device_id?",
)

flows = define_table(
    "flows",
    "hash:bytes:key app_id parameters created_at:big expires_at:big:index sign_in_id? "
    "allowed_at:big? approvals done_at:big?",
    info=ONE_TIME,
)

pushed_requests = define_table(
    "pushed_requests",
    "hash:bytes:key app_id parameters expires_at:big:index used_at:big?",
    info=ONE_TIME,
)

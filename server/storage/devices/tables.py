"""The tables of devices and their sessions."""

from server.storage.tables import ONE_TIME, define_table

enrollment_codes = define_table(
    "enrolment_codes",
    "id:key user_id:users.id:index secret_hash:bytes created_by created_at:big "
    "expires_at:big used_at:big? tries:int",
)

sessions = define_table(
    "sessions",
    "id:key user_id:users.id:index code_id jkt public_jwk refresh_hash:bytes:unique "
    "previous_hash:bytes:index? rotated_at:big created_at:big expires_at:big "
    "revoked_at:big? device_id? admitted_as? resumes:bool",
)

devices = define_table(
    "devices",
    "id:key user_id:users.id:index session_id:unique name kind state created_at:big "
    "last_seen_at:big? high_from:big keys kids pin_tries:int pin_calls:int "
    "pin_unconfirmed:int pin_epoch:int pin_for? pin_for_at:big? statements:int "
    "alarmed_at:big?",
)

passkeys = define_table(
    "passkeys",
    "device_id:key:devices.id credential:bytes:unique public_key:bytes signs:big "
    "synced:bool last_signed:bytes?",
)
"""`signs` is a counter that can reach 2^32, so it needs a 64-bit integer."""

browsers = define_table(
    "browsers",
    "token_hash:bytes:key device_id:devices.id:index signed_in_at:big "
    "expires_at:big:index ended_at:big?",
)

device_codes = define_table(
    "device_codes",
    "id:key device_code_hash:bytes:unique user_code_hash:bytes:unique client_id resource "
    "scope jkt name address created_at:big expires_at:big:index interval_ms:int "
    "last_poll_at:big? approval_id?",
    info=ONE_TIME,
)

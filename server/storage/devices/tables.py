"""The tables of devices and their sessions."""

from sqlalchemy import Column, ForeignKey, LargeBinary, Table, Text

from server.storage.tables import ONE_TIME, Millis, columns, metadata

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

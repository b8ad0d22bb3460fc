"""The tables of signing in."""

from sqlalchemy import Column, ForeignKey, LargeBinary, Table, Text

from server.storage.tables import ONE_TIME, Millis, columns, metadata

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

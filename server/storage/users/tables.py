"""The tables of users."""

from sqlalchemy import Column, ForeignKey, LargeBinary, Table, Text

from server.storage.tables import Millis, columns, metadata

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

user_codes = Table(
    "user_codes",
    metadata,
    Column("user_id", Text, ForeignKey("users.id"), primary_key=True),
    *columns("hash:bytes set_at:big"),
)
"""The code that agents must send to reach this user, if they support user codes."""

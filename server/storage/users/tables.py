"""The tables of users."""

from server.storage.tables import define_table

users = define_table(
    "users",
    "id:key name name_key:unique email? email_key:unique? roles state created_at:big "
    "backup:users.id? disabled_at:big?",
)

passwords = define_table(
    "passwords",
    "user_id:key:users.id hash changed_at:big used_at:big?",
)

password_tries = define_table(
    "password_tries",
    "key:bytes:key tries:int not_before:big forget_at:big:index",
)
"""`key` is the hash of an account and an IP address, or of an IP address alone."""

user_codes = define_table(
    "user_codes",
    "user_id:key:users.id hash:bytes set_at:big",
)
"""The code that agents must send to reach this user, if they support user codes."""

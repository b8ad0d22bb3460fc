"""The tables of people's apps. They belong to the same metadata as those in `tables.py`."""

from sqlalchemy import Boolean, Column, ForeignKey, LargeBinary, Table, Text

from server.storage.tables import Millis, metadata

apps = Table(
    "apps",
    metadata,
    Column("id", Text, primary_key=True),
    Column("name", Text, nullable=False),
    Column("name_key", Text, nullable=False, unique=True),
    Column("auth_method", Text, nullable=False),
    Column("jwks", Text, nullable=False),
    Column("redirect_uris", Text, nullable=False),
    Column("post_logout_redirect_uris", Text, nullable=False),
    Column("grant_types", Text, nullable=False),
    Column("resources", Text, nullable=False),
    Column("scopes", Text, nullable=False),
    Column("id_token_alg", Text, nullable=False),
    Column("dpop_bound", Boolean, nullable=False),
    Column("state", Text, nullable=False),
    Column("created_at", Millis, nullable=False),
)

app_secrets = Table(
    "app_secrets",
    metadata,
    Column("id", Text, primary_key=True),
    Column("app_id", Text, ForeignKey("apps.id", ondelete="CASCADE"), nullable=False, index=True),
    Column("hash", LargeBinary, nullable=False, unique=True),
    Column("hint", Text, nullable=False),
    Column("created_at", Millis, nullable=False),
    Column("expires_at", Millis),
    Column("last_used_at", Millis),
)

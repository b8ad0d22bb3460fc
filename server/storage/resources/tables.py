"""The tables of resources."""

from sqlalchemy import Column, ForeignKey, LargeBinary, Table, Text

from server.storage.tables import columns, metadata

resources = Table(
    "resources",
    metadata,
    Column("uri", Text, primary_key=True),
    Column("client_id", Text, nullable=False, unique=True),
    *columns(
        "scopes requires token_seconds:int? default_scopes unknown_clients:bool created_at:big"
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

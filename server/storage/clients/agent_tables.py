"""The tables of an agent's owners, secrets, keys and icon; the metadata is in `tables.py`."""

from sqlalchemy import Column, ForeignKey, LargeBinary, Table, Text

from server.storage.tables import Millis, metadata

agent_owners = Table(
    "agent_owners",
    metadata,
    Column("agent_id", Text, ForeignKey("agents.id", ondelete="CASCADE"), primary_key=True),
    Column("user_id", Text, ForeignKey("users.id"), primary_key=True),
    Column("since", Millis, nullable=False),
)

agent_secrets = Table(
    "agent_secrets",
    metadata,
    Column("id", Text, primary_key=True),
    Column(
        "agent_id", Text, ForeignKey("agents.id", ondelete="CASCADE"), nullable=False, index=True
    ),
    Column("hash", LargeBinary, nullable=False, unique=True),
    Column("hint", Text, nullable=False),
    Column("created_at", Millis, nullable=False),
    Column("expires_at", Millis),
    Column("last_used_at", Millis),
)

agent_keys = Table(
    "agent_keys",
    metadata,
    Column("agent_id", Text, ForeignKey("agents.id", ondelete="CASCADE"), primary_key=True),
    Column("kid", Text, primary_key=True),
    Column("last_used_at", Millis),
)
"""One row for each key of `agents.jwks`, so that recording a use is one UPDATE."""

icons = Table(
    "icons",
    metadata,
    Column("digest", Text, primary_key=True),
    Column("media_type", Text, nullable=False),
    Column("body", LargeBinary, nullable=False),
)
"""Icons of agents; `agents.icon` is the digest."""

"""The tables of resource secrets, consumptions and outcomes; the metadata is in `tables.py`."""

from sqlalchemy import Column, ForeignKey, LargeBinary, Table, Text

from server.storage.tables import Millis, metadata

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
    Column("hint", Text, nullable=False),
    Column("created_at", Millis, nullable=False),
    Column("expires_at", Millis),
    Column("last_used_at", Millis),
)

consumptions = Table(
    "consumptions",
    metadata,
    Column("approval_id", Text, ForeignKey("approvals.id"), primary_key=True),
    Column("execution_id", Text, nullable=False),
    Column("token_id", Text, nullable=False),
    Column("resource", Text, nullable=False),
    Column("at", Millis, nullable=False),
)

outcomes = Table(
    "outcomes",
    metadata,
    Column("approval_id", Text, ForeignKey("consumptions.approval_id"), primary_key=True),
    Column("result", Text, nullable=False),
    Column("text", Text),
    Column("executed_digest", Text),
    Column("at", Millis, nullable=False),
)

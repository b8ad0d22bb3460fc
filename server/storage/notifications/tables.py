"""The tables of the feed, the outbox and notifications."""

from sqlalchemy import BigInteger, Column, ForeignKey, Index, LargeBinary, Table, Text

from server.storage.tables import Serial, columns, metadata

feed_events = Table(
    "feed_events",
    metadata,
    Column("id", Serial, primary_key=True, autoincrement=True),
    Column("seq", BigInteger, unique=True),
    *columns("user_id event at:big approval_id? device_id? held? agent_id? incident_id?"),
    Index("ix_feed_events_user", "user_id", "seq"),
    sqlite_autoincrement=True,
)

outbox = Table(
    "outbox",
    metadata,
    Column("id", Serial, primary_key=True, autoincrement=True),
    *columns(
        "channel target body state attempts:int not_before:big lease_until:big? "
        "lease_by? created_at:big last_error?"
    ),
    Index("ix_outbox_due", "state", "not_before"),
    Index("ix_outbox_next", "state", "channel", "target", "not_before", "id"),
    Index("ix_outbox_trouble", "channel", "target", "last_error", "state"),
    sqlite_autoincrement=True,
)

quiet_hours = Table(
    "quiet_hours",
    metadata,
    Column("user_id", Text, ForeignKey("users.id"), primary_key=True),
    *columns("days begins ends zone set_at:big"),
)

mutes = Table(
    "mutes",
    metadata,
    Column("user_id", Text, ForeignKey("users.id"), primary_key=True),
    Column("agent_id", Text, ForeignKey("agents.id", ondelete="CASCADE"), primary_key=True),
    *columns("since:big until:big?"),
)

holds = Table(
    "holds",
    metadata,
    Column("user_id", Text, ForeignKey("users.id"), primary_key=True),
    Column("approval_id", Text, ForeignKey("approvals.id"), primary_key=True),
    *columns("until:big why"),
    Index("ix_holds_until", "until"),
)

deliveries = Table(
    "deliveries",
    metadata,
    Column("approval_id", Text, ForeignKey("approvals.id"), primary_key=True),
    Column("device_id", Text, ForeignKey("devices.id"), primary_key=True),
    *columns("delivered_at:big seen_at:big?"),
)
"""The time of the first delivery is also in the approval's row."""

notifications = Table(
    "notifications",
    metadata,
    Column("id", Serial, primary_key=True, autoincrement=True),
    *columns("user_id agent_id types lane at:big"),
    Index("ix_notifications_user", "user_id", "lane", "at"),
    Index("ix_notifications_at", "at"),
)
"""One row per notification, kept for an hour. `types` is empty for scopes only."""

push_subscriptions = Table(
    "push_subscriptions",
    metadata,
    Column("id", Text, primary_key=True),
    Column("user_id", Text, ForeignKey("users.id"), nullable=False, index=True),
    Column("device_id", Text, ForeignKey("devices.id"), nullable=False),
    Column("endpoint_hash", LargeBinary, nullable=False, unique=True),
    *columns("origin sealed:bytes created_at:big"),
    Column("opened_at", BigInteger, nullable=False, index=True),
    *columns("delivered_at:big? warned_at:big? checked_at:big? problem?"),
)
"""Endpoint and keys are sealed, because with them anyone can send messages to the browser."""

push_losses = Table(
    "push_losses",
    metadata,
    Column("id", Text, primary_key=True),
    Column("user_id", Text, ForeignKey("users.id"), nullable=False, index=True),
    Column("device_id", Text, ForeignKey("devices.id"), nullable=False),
    *columns("origin lost_at:big"),
)
"""Subscriptions that were lost, kept until the device subscribes again."""

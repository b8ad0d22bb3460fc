"""The tables of the feed, the outbox and notifications."""

from sqlalchemy import Index

from server.storage.tables import define_table

feed_events = define_table(
    "feed_events",
    "id:serial seq:big:unique? user_id event at:big approval_id? device_id? held? "
    "agent_id? incident_id?",
    Index("ix_feed_events_user", "user_id", "seq"),
    sqlite_autoincrement=True,
)

outbox = define_table(
    "outbox",
    "id:serial channel target body state attempts:int not_before:big lease_until:big? "
    "lease_by? created_at:big last_error?",
    Index("ix_outbox_due", "state", "not_before"),
    Index("ix_outbox_next", "state", "channel", "target", "not_before", "id"),
    Index("ix_outbox_trouble", "channel", "target", "last_error", "state"),
    sqlite_autoincrement=True,
)

quiet_hours = define_table(
    "quiet_hours",
    "user_id:key:users.id days begins ends zone set_at:big",
)

mutes = define_table(
    "mutes",
    "user_id:key:users.id agent_id:key:agents.id:cascade since:big until:big?",
)

holds = define_table(
    "holds",
    "user_id:key:users.id approval_id:key:approvals.id until:big why",
    Index("ix_holds_until", "until"),
)

deliveries = define_table(
    "deliveries",
    "approval_id:key:approvals.id device_id:key:devices.id delivered_at:big seen_at:big?",
)
"""The time of the first delivery is also in the approval's row."""

notifications = define_table(
    "notifications",
    "id:serial user_id agent_id types lane at:big",
    Index("ix_notifications_user", "user_id", "lane", "at"),
    Index("ix_notifications_at", "at"),
)
"""One row per notification, kept for an hour. `types` is empty for scopes only."""

push_subscriptions = define_table(
    "push_subscriptions",
    "id:key user_id:users.id:index device_id:devices.id endpoint_hash:bytes:unique origin "
    "sealed:bytes created_at:big opened_at:big:index delivered_at:big? warned_at:big? "
    "checked_at:big? problem?",
)
"""Endpoint and keys are sealed, because with them anyone can send messages to the browser."""

push_losses = define_table(
    "push_losses",
    "id:key user_id:users.id:index device_id:devices.id origin lost_at:big",
)
"""Subscriptions that were lost, kept until the device subscribes again."""

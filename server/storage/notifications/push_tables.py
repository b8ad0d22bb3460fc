"""The tables of push subscriptions; in the metadata of `tables.py`."""

from sqlalchemy import BigInteger, Column, ForeignKey, LargeBinary, Table, Text

from server.storage.tables import metadata

push_subscriptions = Table(
    "push_subscriptions",
    metadata,
    Column("id", Text, primary_key=True),
    Column("user_id", Text, ForeignKey("users.id"), nullable=False, index=True),
    Column("device_id", Text, ForeignKey("devices.id"), nullable=False),
    Column("endpoint_hash", LargeBinary, nullable=False, unique=True),
    Column("origin", Text, nullable=False),
    Column("sealed", LargeBinary, nullable=False),
    Column("created_at", BigInteger, nullable=False),
    Column("opened_at", BigInteger, nullable=False, index=True),
    Column("delivered_at", BigInteger),
    Column("warned_at", BigInteger),
    Column("checked_at", BigInteger),
    Column("problem", Text),
)
"""Address and keys are sealed, because they allow sending to the browser."""

push_losses = Table(
    "push_losses",
    metadata,
    Column("id", Text, primary_key=True),
    Column("user_id", Text, ForeignKey("users.id"), nullable=False, index=True),
    Column("device_id", Text, ForeignKey("devices.id"), nullable=False),
    Column("origin", Text, nullable=False),
    Column("lost_at", BigInteger, nullable=False),
)
"""Lost subscriptions, until the device subscribes again."""

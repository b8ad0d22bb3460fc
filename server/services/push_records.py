"""What we remember of browsers that want to be called, and one call on its way.

Times are milliseconds since the epoch (`*_at`).
"""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class PushSubscription:
    """One browser of a person, and how it is reached."""

    id: str
    user_id: str
    device_id: str
    """The passkey with which the browser was signed in when it was last heard of."""
    endpoint_hash: bytes
    """SHA-256 of the address, which is a secret: whoever knows it can send there."""
    origin: str
    """The push service; it is told apart from others by it."""
    sealed: bytes
    """Address and keys."""
    created_at: int
    opened_at: int
    """When a page of ours was last open there."""
    delivered_at: int | None = None
    """When its push service last took a message."""
    warned_at: int | None = None
    """When it was told that nobody has opened it for long; nothing since it was opened again."""
    checked_at: int | None = None
    """When we last wrote to it of our own accord."""
    problem: str | None = None
    """Why its push service took the last message of all not, if it says that more are no use."""


@dataclass(frozen=True, slots=True)
class PushLoss:
    """A browser that its push service forgot."""

    id: str
    """That of its subscription, which is gone."""
    user_id: str
    device_id: str
    origin: str
    lost_at: int


@dataclass(frozen=True, slots=True)
class Address:
    """Where a browser is reached, in the open."""

    endpoint: str
    p256dh: str
    auth: str


@dataclass(frozen=True, slots=True)
class Push:
    """One message on its way, with its secrets in the open."""

    address: Address
    payload: bytes
    ttl: int
    """Seconds after which nobody needs it any more; more than 0."""
    urgency: str
    topic: str


@dataclass(frozen=True, slots=True)
class PushService:
    """A push service as this installation knows it."""

    origin: str
    browsers: int
    """How many are called through it."""
    delivered_at: int | None
    """When it last took a message."""
    problem: str | None
    """Why it does not take those of some browser; None where all is well."""

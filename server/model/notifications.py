"""Feed events, outbox messages, notification settings, push subscriptions."""

from dataclasses import dataclass
from typing import Final, Literal, TypeAlias

from server.model.policy import Hours

WEBHOOK: Final = "webhook"
"""The outbox channel of the webhook. The worker drops its messages if none is configured."""


@dataclass(frozen=True, slots=True)
class FeedEvent:
    """An event for one user's screens. `seq` is the cursor."""

    seq: int
    user_id: str
    event: str
    at: int
    approval_id: str | None
    device_id: str | None
    not_notified_because: str | None = None
    """Why it does not notify the user; None if it does, or if it is not about a request."""
    agent_id: str | None = None
    """The agent of an alarm."""
    incident_id: str | None = None


Lane = Literal["low", "medium", "urgent", "digest"]
"""The risks whose notifications are counted together. `urgent` is high and critical.

Digests have their own lane, whatever their risks.
"""


@dataclass(frozen=True, slots=True)
class RecentNotifications:
    """How many notifications a person recently got in one lane."""

    minute: int
    hour: int
    agent_minute: int
    agent_hour: int
    """Only those of this agent."""
    type_hour: int
    """Only those of these action types."""
    reported: bool
    """There is an open incident because the person reported this agent."""


@dataclass(frozen=True, slots=True)
class OutboxMessage:
    """A message to deliver to another system."""

    id: int
    channel: str
    target: str
    body: str
    state: Literal["waiting", "leased", "sent", "dead"]
    attempts: int
    not_before: int
    created_at: int
    last_error: str | None


@dataclass(frozen=True, slots=True)
class DeliveryFailure:
    """The recent undelivered messages to one target."""

    channel: str
    target: str
    messages: int
    last_error: str | None
    recovered: bool
    """A later message was delivered at its first attempt."""


Why: TypeAlias = Literal["muted", "snoozed", "quiet_hours", "reported", "held_back", "digest"]
"""Why a person is not notified of a request."""


@dataclass(frozen=True, slots=True)
class Mute:
    """A person muted an agent. `until` None means until they unmute it."""

    user_id: str
    agent_id: str
    since: int
    until: int | None


@dataclass(frozen=True, slots=True)
class Hold:
    """A notification to a person about a request that is held back and sent at `until`."""

    approval_id: str
    user_id: str
    until: int
    why: Why


@dataclass(frozen=True, slots=True)
class NotificationPreferences:
    """The preferences of one person that apply to one request."""

    muted: bool
    hold: Hold | None
    """The current hold."""
    quiet: Hours | None


@dataclass(frozen=True, slots=True)
class PushSubscription:
    """The web push subscription of a person's browser."""

    id: str
    user_id: str
    device_id: str
    """The passkey that was signed in when the subscription was last refreshed."""
    endpoint_hash: bytes
    """SHA-256 of the address, which is a secret, because it allows sending."""
    origin: str
    """The push service."""
    sealed: bytes
    """The encrypted address and keys."""
    created_at: int
    opened_at: int
    """When one of our pages was last open in this browser."""
    delivered_at: int | None = None
    """When its push service last accepted a message."""
    warned_at: int | None = None
    """When it was warned that it is dormant; None after a page was opened there again."""
    checked_at: int | None = None
    """When it last got a check message or warning."""
    problem: str | None = None
    """Why its push service permanently rejected the last message."""


@dataclass(frozen=True, slots=True)
class PushLoss:
    """A subscription that its push service reported as gone."""

    id: str
    """The ID of the removed subscription."""
    user_id: str
    device_id: str
    origin: str
    lost_at: int


@dataclass(frozen=True, slots=True)
class PushAddress:
    """The unsealed address and keys of a subscription."""

    endpoint: str
    p256dh: str
    auth: str


@dataclass(frozen=True, slots=True)
class Push:
    """A web push message to send."""

    address: PushAddress
    payload: bytes
    ttl: int
    """In seconds; more than 0."""
    urgency: str
    topic: str


@dataclass(frozen=True, slots=True)
class PushService:
    """The state of a push service."""

    origin: str
    browsers: int
    """The number of its subscriptions."""
    delivered_at: int | None
    """When it last accepted a message."""
    problem: str | None
    """Why it rejects messages to a browser; None if it accepts all messages."""

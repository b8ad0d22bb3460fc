"""Feed events, outbox messages, notification settings, push subscriptions; their row protocols."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal, Protocol, TypeAlias

from server.model.policy import Hours


@dataclass(frozen=True, slots=True)
class FeedEvent:
    """An event for one user's screens. `seq` is the cursor."""

    seq: int
    user_id: str
    event: str
    at: int
    approval_id: str | None
    device_id: str | None
    held: str | None = None
    """Why it does not notify; None if it does or is not about a request."""
    agent_id: str | None = None
    """The agent of an alarm."""
    incident_id: str | None = None


Lane = Literal["low", "medium", "urgent", "digest"]
"""The risks whose notifications are counted together. `urgent` is high and critical.

Digests have their own lane, whatever their risks.
"""


@dataclass(frozen=True, slots=True)
class RecentNotifications:
    """The numbers of recent notifications of a person in one lane."""

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


class FeedRows(Protocol):
    """Events for people's screens."""

    def add(  # noqa: PLR0913  # what an event may be about
        self,
        user_id: str,
        event: str,
        *,
        approval_id: str | None = None,
        device_id: str | None = None,
        held: str | None = None,
        agent_id: str | None = None,
        incident_id: str | None = None,
    ) -> None: ...
    def head(self) -> int:
        """The newest cursor; 0 if there are no events."""

    def floor(self) -> int:
        """The oldest cursor; a client with a cursor below it minus one needs a resync."""

    def after(self, cursor: int, user_id: str | None, limit: int) -> list[FeedEvent]: ...
    def prune(self, before: int) -> int: ...


class NotificationRows(Protocol):
    """Recent notifications, for rate limits."""

    def add(self, user_id: str, agent_id: str, types: str, lane: Lane) -> None: ...
    def recent(self, user_id: str, agent_id: str, types: str, lane: Lane) -> RecentNotifications:
        """The numbers of the last minute and hour; MUST be one statement."""

    def prune(self) -> int:
        """Delete notifications that are no longer counted."""


class OutboxRows(Protocol):
    """The outbox."""

    def add(self, channel: str, target: str, body: str, *, after_ms: int = 0) -> None: ...
    def due(self) -> bool:
        """Return whether there is a message to deliver now."""

    def discard(self, channel: str) -> int:
        """Mark the waiting messages of an unused channel as sent; returns their number."""

    def lease(self, holder: str, limit: int, seconds: int) -> list[OutboxMessage]: ...
    def sent(self, message_id: int, holder: str) -> bool: ...
    def failed(self, message_id: int, holder: str, error: str, not_before: int | None) -> bool:
        """Retry at `not_before`; None gives the message up."""

    def counts(self) -> Mapping[str, int]: ...
    def dead(self, limit: int) -> list[OutboxMessage]: ...
    def retry(self, message_id: int) -> OutboxMessage | None:
        """Queue a given-up message again; None if there is none."""

    def failures(self, since: int) -> list[DeliveryFailure]:
        """The messages given up since then, by target."""

    def prune(self, before: int, *, dead_before: int) -> int: ...


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
    """A held notification of one person about one request; it is sent at `until`."""

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
    """Address and keys."""
    created_at: int
    opened_at: int
    """When a page of ours was last open there."""
    delivered_at: int | None = None
    """When its push service last accepted a message."""
    warned_at: int | None = None
    """When it got the warning that it is dormant; None since it was opened again."""
    checked_at: int | None = None
    """When it last got a check message or warning."""
    problem: str | None = None
    """Why its push service refused the last message for good."""


@dataclass(frozen=True, slots=True)
class PushLoss:
    """A subscription that its push service no longer knows."""

    id: str
    """The id of the removed subscription."""
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
    """Why it refuses messages to some browser; None if it does not."""


class AttentionRows(Protocol):
    """Quiet hours, mutes and holds."""

    def preferences(
        self, user_id: str, agent_id: str, approval_id: str, now: int
    ) -> NotificationPreferences:
        """The person's preferences for this request; MUST be one statement."""

    def quiet_hours(self, user_id: str) -> Hours | None: ...
    def set_quiet_hours(self, user_id: str, hours: Hours, now: int) -> None:
        """Set or replace the quiet hours."""

    def clear_quiet_hours(self, user_id: str) -> bool:
        """Remove the quiet hours; returns whether there were any."""

    def mute(self, mute: Mute) -> None:
        """Add or replace a mute."""

    def unmute(self, user_id: str, agent_id: str) -> bool:
        """Remove a mute; returns whether there was one."""

    def mutes(self, user_id: str, now: int) -> list[Mute]:
        """The current mutes, by agent."""

    def hold(self, hold: Hold) -> None:
        """Add or replace a hold."""

    def unhold(self, user_id: str, approval_id: str) -> bool:
        """Remove a hold; returns whether there was one."""

    def holds(self, user_id: str, now: int) -> list[Hold]:
        """The current holds, the first to end first."""

    def end_quiet(self, user_id: str, now: int) -> None:
        """End the holds because of quiet hours now."""

    def due(self, now: int) -> bool:
        """Return whether any hold has ended."""

    def release(self, now: int, limit: int) -> list[Hold]:
        """Remove and return ended holds; each is returned by only one call."""


class PushRows(Protocol):
    """Push subscriptions. Endpoints MUST be unique."""

    def add(self, subscription: PushSubscription) -> None: ...
    def get(self, subscription_id: str) -> PushSubscription | None: ...
    def by_endpoint(self, endpoint_hash: bytes) -> PushSubscription | None: ...
    def of_user(self, user_id: str) -> list[PushSubscription]:
        """The subscriptions of active devices."""

    def targets(self, user_id: str) -> list[tuple[str, str]]:
        """The ids and origins of the subscriptions of active devices."""

    def refresh(self, subscription: PushSubscription) -> None:
        """Update user, device, address and `opened_at`; clear warnings and checks."""

    def delivered(self, subscription_id: str, now: int) -> None: ...
    def add_problem(self, subscription_id: str, problem: str) -> bool:
        """Record a problem; returns whether there was none before."""

    def remove(self, subscription_id: str) -> bool: ...
    def dormant(self, before: int, limit: int) -> list[PushSubscription]:
        """The subscriptions that were not opened since then, and not warned."""

    def mark_warned(self, subscription_id: str, now: int) -> None: ...
    def silent(self, before: int, limit: int) -> list[PushSubscription]:
        """The subscriptions that were not opened, reached or checked since then."""

    def mark_checked(self, subscription_id: str, now: int) -> None: ...
    def add_loss(self, loss: PushLoss) -> None: ...
    def losses(self, user_id: str) -> list[PushLoss]:
        """The lost subscriptions of active devices, newest first."""

    def remove_losses(self, device_id: str) -> None:
        """Remove the losses of a device that has subscribed again."""

    def dismiss_loss(self, user_id: str, subscription_id: str) -> bool:
        """Remove a loss; returns whether it was this person's."""

    def services(self) -> list[PushService]:
        """The state of every push service, by origin."""

    def problems(self) -> list[tuple[str, str, int]]:
        """The origins of push services that refuse messages: reason, number of browsers."""

    def prune(self) -> None:
        """Delete the subscriptions and losses of devices that are no longer active."""

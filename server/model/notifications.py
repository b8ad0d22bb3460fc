"""Feed events, outbox messages, quiet hours and push subscriptions, and what their rows promise."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal, Protocol, TypeAlias

from server.model.policy import Hours


@dataclass(frozen=True, slots=True)
class FeedEvent:
    """Something one user's screens should know. `seq` is the cursor."""

    seq: int
    user_id: str
    event: str
    at: int
    approval_id: str | None
    device_id: str | None
    held: str | None = None
    """Why it notifies nobody and only changes what is on the screen."""
    agent_id: str | None = None
    """What an alarm is about."""
    incident_id: str | None = None


Lane = Literal["low", "medium", "urgent", "digest"]
"""Risks whose notifications are counted together; urgent are high and critical.

A digest is for all that was held back, whatever its risk.
"""


@dataclass(frozen=True, slots=True)
class Spent:
    """How often a person was called lately by risks of one lane."""

    minute: int
    hour: int
    agent_minute: int
    agent_hour: int
    """By this agent alone."""
    type_hour: int
    """For such types alone."""
    reported: bool
    """The person reported this agent, and the incident is open."""


@dataclass(frozen=True, slots=True)
class OutboxMessage:
    """Something that leaves the installation, until it was delivered or given up."""

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
class Loss:
    """What was given up lately on its way to one target."""

    channel: str
    target: str
    messages: int
    last_error: str | None
    over: bool
    """A later message arrived there at once; one that came to need no call after a try is none."""


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
        """The newest cursor; 0 when nothing ever happened."""

    def floor(self) -> int:
        """The oldest event that is still there; a cursor below it minus one needs a resync."""

    def after(self, cursor: int, user_id: str | None, limit: int) -> list[FeedEvent]: ...
    def prune(self, before: int) -> int: ...


class NotificationRows(Protocol):
    """Every time that somebody was called, for as long as it is counted."""

    def add(self, user_id: str, agent_id: str, types: str, lane: Lane) -> None: ...
    def spent(self, user_id: str, agent_id: str, types: str, lane: Lane) -> Spent:
        """How often this person was called in the last minute and hour; MUST be one statement."""

    def prune(self) -> int:
        """Drop what is not counted any more."""


class OutboxRows(Protocol):
    """What leaves the installation."""

    def add(self, channel: str, target: str, body: str, *, after_ms: int = 0) -> None: ...
    def due(self) -> bool:
        """Reports whether there is anything to deliver now."""

    def settle(self, channel: str) -> int:
        """Nothing leaves by this channel: what waits for it is done; returns how many."""

    def lease(self, holder: str, limit: int, seconds: int) -> list[OutboxMessage]: ...
    def sent(self, message_id: int, holder: str) -> bool: ...
    def failed(self, message_id: int, holder: str, error: str, not_before: int | None) -> bool:
        """Try again at `not_before`; None means never: it is dead."""

    def counts(self) -> Mapping[str, int]: ...
    def dead(self, limit: int) -> list[OutboxMessage]: ...
    def again(self, message_id: int) -> OutboxMessage | None:
        """Let one that is dead wait to leave, now, as if new; None where none is dead."""

    def losses(self, since: int) -> list[Loss]:
        """What was given up since then, by target."""

    def prune(self, before: int, *, dead_before: int) -> int: ...


Why: TypeAlias = Literal["muted", "snoozed", "quiet_hours", "reported", "held_back", "digest"]
"""Why somebody is not notified of a request that is listed for them."""


@dataclass(frozen=True, slots=True)
class Mute:
    """A person wants no notifications of an agent; `until` None means until they say otherwise."""

    user_id: str
    agent_id: str
    since: int
    until: int | None


@dataclass(frozen=True, slots=True)
class Hold:
    """Notifications to one person about one request wait until then; then it rings once."""

    approval_id: str
    user_id: str
    until: int
    why: Why


@dataclass(frozen=True, slots=True)
class NotificationPreferences:
    """What one person wants about one request."""

    muted: bool
    hold: Hold | None
    """One that is not over yet."""
    quiet: Hours | None


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


class AttentionRows(Protocol):
    """Quiet hours, mutes and holds."""

    def wishes(
        self, user_id: str, agent_id: str, approval_id: str, now: int
    ) -> NotificationPreferences:
        """What this person wants about this request; MUST be one statement."""

    def quiet_hours(self, user_id: str) -> Hours | None: ...
    def set_quiet_hours(self, user_id: str, hours: Hours, now: int) -> None:
        """In the place of those before."""

    def clear_quiet_hours(self, user_id: str) -> bool:
        """Reports whether there were any."""

    def mute(self, mute: Mute) -> None:
        """In the place of the one before."""

    def unmute(self, user_id: str, agent_id: str) -> bool:
        """Reports whether the agent was muted."""

    def mutes(self, user_id: str, now: int) -> list[Mute]:
        """Those that are not over, by agent."""

    def hold(self, hold: Hold) -> None:
        """In the place of the one before."""

    def unhold(self, user_id: str, approval_id: str) -> bool:
        """Reports whether there was one."""

    def holds(self, user_id: str, now: int) -> list[Hold]:
        """Those that are not over, the first to end first."""

    def end_quiet(self, user_id: str, now: int) -> None:
        """What was held because of quiet hours ends now."""

    def due(self, now: int) -> bool:
        """Reports whether a hold is over."""

    def release(self, now: int, limit: int) -> list[Hold]:
        """Take away holds that are over; each is ever returned by one call only."""


class PushRows(Protocol):
    """Push subscriptions. An endpoint MUST be there once."""

    def add(self, subscription: PushSubscription) -> None: ...
    def get(self, subscription_id: str) -> PushSubscription | None: ...
    def by_endpoint(self, endpoint_hash: bytes) -> PushSubscription | None: ...
    def of_user(self, user_id: str) -> list[PushSubscription]:
        """Those of devices that are active."""

    def targets(self, user_id: str) -> list[tuple[str, str]]:
        """Ids and origins of the same."""

    def opened(self, subscription: PushSubscription) -> None:
        """Its browser was heard of: keep device, address and moment; warnings are over."""

    def delivered(self, subscription_id: str, now: int) -> None: ...
    def faulty(self, subscription_id: str, problem: str) -> bool:
        """Reports whether it had no problem before."""

    def remove(self, subscription_id: str) -> bool: ...
    def dormant(self, before: int, limit: int) -> list[PushSubscription]:
        """Those that nobody has opened since, and that were not warned."""

    def warned(self, subscription_id: str, now: int) -> None: ...
    def silent(self, before: int, limit: int) -> list[PushSubscription]:
        """Those that were neither opened nor reached since, nor checked."""

    def checked(self, subscription_id: str, now: int) -> None: ...
    def lose(self, loss: PushLoss) -> None: ...
    def losses(self, user_id: str) -> list[PushLoss]:
        """Those of devices that are active, the latest first."""

    def found(self, device_id: str) -> None:
        """It is called again: nothing of it is lost."""

    def seen(self, user_id: str, subscription_id: str) -> bool:
        """The person wants to hear no more of a loss; reports whether it was theirs."""

    def services(self) -> list[PushService]:
        """Every push service with how it stands, by its origin."""

    def faults(self) -> list[tuple[str, str, int]]:
        """Origins whose push service refuses: the newest reason, and how many browsers."""

    def prune(self) -> None:
        """Drop those, and losses, of devices that are not active any more."""

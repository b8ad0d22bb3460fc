"""Every limit, who is close to it now, and who reached it in the last day.

Owns: the table of limits, and their counts for display. Never: enforcing a limit; the code that a
limit protects does that.

It reads a limited number of rows of each kind, so its cost does not grow with the database.
"""

import json
from collections import Counter, defaultdict
from collections.abc import Callable, Collection, Iterable, Mapping
from dataclasses import dataclass
from typing import Final, NamedTuple

from server.model import display_names
from server.model.notifications import Lane
from server.model.operations import CountedLimit, LimitRefusal, OpenRequest, SentNotification
from server.model.store import Store, View
from server.services.audit import audit
from server.services.ciba import user_codes
from server.services.clients import registration
from server.services.devices import wiring as devices
from server.services.notifications import push_subscriptions, request_limits
from server.services.server_policy import ServerPolicy
from server.services.sign_in import authorize
from server.services.users.user_checks import name_of

MAX_ROWS: Final = 2_000
"""The maximum number of rows of each kind that are read."""
MAX_NEAR: Final = 20
"""The maximum number of subjects that are listed per limit, nearest first."""
NEAR_SHARE: Final = 0.8
"""A subject is near a limit once it has used this share of it."""
DAY_MS: Final = 24 * 60 * 60 * 1000
_MINUTE_MS: Final = 60_000
_HOUR_MS: Final = 60 * _MINUTE_MS
_MEDIUM: Final[tuple[Lane, ...]] = ("medium",)
_NOT_LOW: Final[tuple[Lane, ...]] = ("medium", "urgent", "digest")
_BELOW_HIGH: Final = "Notifications below high risk"


class LimitSubject(NamedTuple):
    """The subject of a limit: an agent or app, a user, something else, or a combination."""

    agent_id: str | None = None
    user_id: str | None = None
    other: str = ""
    """An address or action types, as received; callers must escape it."""


@dataclass(frozen=True, slots=True)
class Limit:
    """One limit, and how its current counts are read."""

    name: str
    counted_per: str
    what: str
    counts: "_Counts"
    within_ms: int | None = None
    """The window in which it is counted; None if it counts open requests."""
    fixed: int | None = None
    """Its value; None if the setting with the same name defines it."""
    cause: str | None = None
    """The cause of its refusals in the audit log."""

    @property
    def setting(self) -> str | None:
        """The environment variable that changes it, if one does."""
        return f"SAYSO_{self.name.upper()}" if self.fixed is None else None

    def value(self, policy: ServerPolicy) -> int:
        """Its current value."""
        return self.fixed or int(getattr(policy, self.name))


@dataclass(frozen=True, slots=True)
class NearLimit:
    """A subject that is near a limit, or over it."""

    who: LimitSubject
    count: int
    reached: bool


@dataclass(frozen=True, slots=True)
class LimitStatus:
    """The current state of one limit."""

    limit: Limit
    value: int
    near: tuple[NearLimit, ...]
    """Nearest first."""
    refusals: tuple[tuple[LimitSubject, int], ...]
    """The subjects that it refused in the last day, with counts, highest count first."""


@dataclass(frozen=True, slots=True)
class LimitsOverview:
    """All limits, with the names of agents and users."""

    limits: tuple[LimitStatus, ...]
    held_back: tuple[tuple[LimitSubject, int], ...]
    """Users, with the number of requests in the last day that they were not notified of."""
    complete: bool
    """Whether all rows were counted."""
    names: Mapping[str, str]
    """ID → name."""


@dataclass(frozen=True, slots=True)
class Limits:
    """Reads the state of limits."""

    store: Store
    server_policy: ServerPolicy

    def overview(self) -> LimitsOverview:
        """Return the current state of all limits."""
        with self.store.read() as view:
            rows = _CountedRows(view)
            refused = _refusals_by_limit(rows.refused)
            limits = tuple(self._status(limit, rows, refused) for limit in LIMITS)
            counter = Counter(LimitSubject(user_id=user_id) for user_id in rows.held_back)
            names = _names(view, [*_subjects(limits), *counter])
        most = tuple(counter.most_common(MAX_NEAR))
        return LimitsOverview(limits, most, rows.complete, names)

    def _status(
        self, limit: Limit, rows: "_CountedRows", refused: Mapping[str, Mapping[LimitSubject, int]]
    ) -> LimitStatus:
        value = limit.value(self.server_policy)
        refusals = {} if limit.cause is None else refused.get(limit.cause, {})
        return LimitStatus(limit, value, _near(limit, value, rows), tuple(refusals.items()))


class _CountedRows:
    """The rows for counting limits, read once."""

    def __init__(self, view: View) -> None:
        self.view = view
        self.now = view.now
        self.open = view.limits.open(MAX_ROWS)
        self.notifications = view.limits.notifications(view.now - _HOUR_MS, MAX_ROWS)
        self.refused = view.limits.list_refusals(view.now - DAY_MS, MAX_ROWS)
        self.held_back = view.limits.held_back(view.now - DAY_MS, MAX_ROWS)

    @property
    def complete(self) -> bool:
        """Whether all rows were read."""
        return max(len(self.open), len(self.notifications), len(self.refused)) < MAX_ROWS


_Counts = Callable[[_CountedRows], Mapping[LimitSubject, int]]


def _count_open(subject: Callable[[OpenRequest], LimitSubject], *kinds: str) -> _Counts:
    """Count the open requests of these kinds, by default those of agents."""
    counted = kinds or ("action",)
    return lambda rows: Counter(subject(row) for row in rows.open if row.kind in counted)


def _notification_limit(
    name: str,
    counted_per: str,
    what: str,
    within_ms: int,
    lanes: Collection[Lane],
    subject: Callable[[SentNotification], LimitSubject],
) -> Limit:
    """Return a limit that counts the notifications about requests in these lanes."""

    def count(rows: _CountedRows) -> Mapping[LimitSubject, int]:
        since = rows.now - within_ms
        recent = (row for row in rows.notifications if row.at > since and row.lane in lanes)
        return Counter(map(subject, recent))

    return Limit(name, counted_per, what, count, within_ms)


def _count_windows(prefix: str, subject: Callable[[str], LimitSubject]) -> _Counts:
    """Read the counters whose keys have this prefix."""

    def count(rows: _CountedRows) -> Mapping[LimitSubject, int]:
        windows = rows.view.limits.list_windows(prefix, MAX_ROWS)
        return {subject(window.key.removeprefix(prefix)): window.count for window in windows}

    return count


def _count_pauses(rows: _CountedRows) -> Mapping[LimitSubject, int]:
    """Count the current pauses."""
    pauses = (refusal for refusal in rows.refused if refusal.type == audit.Type.AGENT_PAUSED)
    return Counter(
        LimitSubject(refusal.agent_id, refusal.subject)
        for refusal in pauses
        if int(_facts(refusal)["until"]) > rows.now
    )


def _by_user(row: OpenRequest | SentNotification) -> LimitSubject:
    return LimitSubject(user_id=row.user_id)


def _by_user_and_kind(request: OpenRequest) -> LimitSubject:
    return LimitSubject(user_id=request.user_id, other=request.kind)


def _by_minute(notification: SentNotification) -> LimitSubject:
    """Return the subject: per agent for high and critical risk."""
    is_urgent = notification.lane == "urgent"
    return LimitSubject(notification.agent_id if is_urgent else None, notification.user_id)


def _by_agent(notification: SentNotification) -> LimitSubject:
    return LimitSubject(notification.agent_id, notification.user_id, notification.lane)


def _by_type(notification: SentNotification) -> LimitSubject:
    types = notification.types or "scopes only"
    return LimitSubject(user_id=notification.user_id, other=types)


def _count_nobody(_rows: _CountedRows) -> Mapping[LimitSubject, int]:
    """Return nothing: for low risk, one notification covers all requests, so nobody is near it."""
    return {}


_SUBJECTS: Final[Mapping[str, Callable[[str], LimitSubject]]] = {
    "agent": LimitSubject,
    "app": LimitSubject,
    "person": lambda user_id: LimitSubject(user_id=user_id),
    "address": lambda address: LimitSubject(other=address),
    "agent and person": lambda pair: LimitSubject(*pair.split(":")),
}
"""`counted_per` → a function that converts a counter's key to a subject."""


def _counted_limit(limit: CountedLimit) -> Limit:
    return Limit(
        limit.name,
        limit.counted_per,
        limit.what,
        _count_windows(limit.prefix, _SUBJECTS[limit.counted_per]),
        limit.within_ms,
        limit.value,
    )


LIMITS: Final = (
    Limit(
        "open_per_agent",
        "agent and person",
        "Unanswered requests",
        _count_open(lambda row: LimitSubject(row.agent_id, row.user_id)),
        cause="open_per_agent",
    ),
    Limit(
        "open_per_user",
        "person",
        "Unanswered requests of all agents",
        _count_open(_by_user),
        cause="open_per_user",
    ),
    Limit(
        "open_in_all",
        "agent",
        "Unanswered requests to all people",
        _count_open(lambda row: LimitSubject(row.agent_id)),
        cause="open_in_all",
    ),
    Limit(
        "denials_before_pause",
        "agent, person and type",
        "Denials before a pause of half an hour",
        _count_pauses,
        request_limits.PAUSE_WITHIN_MS,
        cause=request_limits.PAUSED,
    ),
    _notification_limit(
        "notify_per_minute",
        "person; agent and person for high and critical risk",
        "Notifications",
        _MINUTE_MS,
        _NOT_LOW,
        _by_minute,
    ),
    _notification_limit("notify_per_hour", "person", _BELOW_HIGH, _HOUR_MS, _MEDIUM, _by_user),
    _notification_limit(
        "notify_per_agent", "agent and person", "Notifications", _HOUR_MS, _NOT_LOW, _by_agent
    ),
    _notification_limit(
        "notify_per_type", "action type and person", _BELOW_HIGH, _HOUR_MS, _MEDIUM, _by_type
    ),
    Limit("notify_low_per_hour", "person", "Notifications for low risk", _count_nobody, _HOUR_MS),
    Limit(
        "open_consents",
        "person",
        "Pending consents",
        _count_open(_by_user, "consent"),
        fixed=request_limits.OPEN_CONSENTS,
    ),
    Limit(
        "open_devices",
        "person",
        "Pending devices",
        _count_open(_by_user_and_kind, "device", "app_device"),
        fixed=request_limits.OPEN_DEVICES,
    ),
    *map(
        _counted_limit,
        (
            request_limits.UNKNOWN_USERS,
            user_codes.WRONG,
            authorize.REQUESTS,
            *devices.LIMITS,
            registration.UNKNOWN_TOKENS,
            push_subscriptions.TESTS,
        ),
    ),
)
"""The table of limits: first those with a setting, then the fixed ones."""


def _near(limit: Limit, value: int, rows: _CountedRows) -> tuple[NearLimit, ...]:
    """Return the subjects near the limit, nearest first. A paused subject is over its limit."""
    is_pause = limit.name == "denials_before_pause"
    threshold = 1 if is_pause else NEAR_SHARE * value
    counts = Counter(dict(limit.counts(rows)))
    subjects = [(who, count) for who, count in counts.most_common() if count >= threshold]
    return tuple(
        NearLimit(who, value if is_pause else count, is_pause or count >= value)
        for who, count in subjects[:MAX_NEAR]
    )


def _refusals_by_limit(refused: Iterable[LimitRefusal]) -> Mapping[str, Counter[LimitSubject]]:
    """Return the number of refusals by cause and subject, including those that are only counted."""
    by_cause: defaultdict[str, Counter[LimitSubject]] = defaultdict(Counter)
    for refusal in refused:
        times = int(_facts(refusal)["count"]) if refusal.type == audit.Type.REFUSALS_COUNTED else 1
        by_cause[refusal.cause or ""][LimitSubject(refusal.agent_id, refusal.subject)] += times
    return {cause: Counter(dict(who.most_common(MAX_NEAR))) for cause, who in by_cause.items()}


def _facts(limit_refusal: LimitRefusal) -> Mapping[str, str]:
    facts: Mapping[str, str] = json.loads(limit_refusal.body)["facts"]
    return facts


def _subjects(limits: Iterable[LimitStatus]) -> Iterable[LimitSubject]:
    for limit in limits:
        yield from (near.who for near in limit.near)
        yield from (who for who, _ in limit.refusals)


def _names(view: View, limit_subjects: Iterable[LimitSubject]) -> Mapping[str, str]:
    names: dict[str, str] = {}
    for who in set(limit_subjects):
        if who.agent_id is not None:
            names[who.agent_id] = display_names.name_of(view.directory, who.agent_id)
        if who.user_id is not None:
            names[who.user_id] = name_of(view, who.user_id)
    return names

"""Every limit in force, who is at it or near it now, and who reached it in the last day.

Owns: the table of limits, and how each is counted for people to look at. Never: refusing anybody;
each limit is kept where it is met, and nothing follows of a number here.

So many rows of each kind are looked at, up to a fixed number, so that it costs the same however
many there have ever been.
"""

import json
from collections import Counter
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Final, NamedTuple

from server.model import display_names
from server.model.operations import CallRecord, LimitRefusal, OpenRequest
from server.model.store import Store, View
from server.services.audit import audit
from server.services.ciba import user_codes
from server.services.clients.registration import UNKNOWN_TOKENS, UNKNOWN_WINDOW_MS
from server.services.devices import device_grant, enrolment
from server.services.notifications import pauses, request_limits
from server.services.notifications.push_subscriptions import TESTS, TESTS_MS
from server.services.server_policy import ServerPolicy
from server.services.sign_in.authorize import MOST_PER_MINUTE

MOST_ROWS: Final = 2_000
"""So many of each kind are looked at."""
MOST_NEAR: Final = 20
"""So many who are near a limit are told, the nearest first."""
NEAR: Final = 0.8
"""From this part of a limit on somebody is near it."""
DAY_MS: Final = 24 * 60 * 60 * 1000
_MINUTE_MS: Final = 60_000
_HOUR_MS: Final = 60 * _MINUTE_MS


class LimitSubject(NamedTuple):
    """For whom something is counted: an agent or app, a person, or something else; or some."""

    agent_id: str | None = None
    user_id: str | None = None
    other: str = ""
    """An address, or action types; as it was sent, so harmful text perhaps."""


@dataclass(frozen=True, slots=True)
class Limit:
    """One limit."""

    name: str
    per: str
    what: str
    value: int
    within_ms: int | None = None
    """The window in which it is counted; None where what is open counts."""
    set: bool = True
    """A setting of the same name changes it; others are fixed."""


@dataclass(frozen=True, slots=True)
class NearLimit:
    """Somebody who has used up most of a limit, or all of it."""

    who: LimitSubject
    count: int
    over: bool


@dataclass(frozen=True, slots=True)
class LimitStatus:
    """One limit as it stands."""

    limit: Limit
    near: tuple[NearLimit, ...]
    """The nearest first."""
    lately: tuple[tuple[LimitSubject, int], ...]
    """Who was refused by it in the last day, and how often; most often first."""


@dataclass(frozen=True, slots=True)
class LimitsOverview:
    """All limits, with the names that the ids stand for."""

    limits: tuple[LimitStatus, ...]
    held_back: tuple[tuple[LimitSubject, int], ...]
    """Whom the newest requests of the last day did not call, and how many of them."""
    whole: bool
    """Nothing more was there to look at."""
    names: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class Limits:
    """Counts; changes nothing."""

    store: Store
    rules: ServerPolicy

    def picture(self) -> LimitsOverview:
        """As it is now."""
        with self.store.read() as view:
            seen = _Seen(view)
            refused = _lately(seen.refused)
            limits = tuple(
                LimitStatus(one, _near(one, seen), tuple(refused.get(one.name, Counter()).items()))
                for one in limits_of(self.rules)
            )
            held = Counter(LimitSubject(user_id=user_id) for user_id in seen.held_back)
            found = [*_who(limits), *held]
            names = _names(view, found)
        most = tuple(held.most_common(MOST_NEAR))
        return LimitsOverview(limits, most, seen.whole, names)


def limits_of(rules: ServerPolicy) -> tuple[Limit, ...]:
    """The table: what an installation sets first, then what is fixed."""
    return (
        Limit("open_per_agent", "agent and person", "Unanswered requests", rules.open_per_agent),
        Limit("open_per_user", "person", "Unanswered requests of everybody", rules.open_per_user),
        Limit("open_in_all", "agent", "Unanswered requests to everybody", rules.open_in_all),
        Limit(
            "denials_before_pause",
            "agent, person and type",
            "Denials before the agent must wait half an hour",
            rules.denials_before_pause,
            pauses.WITHIN_MS,
        ),
        Limit(
            "notify_per_minute",
            "person; agent and person from high risk on",
            "Calls",
            rules.notify_per_minute,
            _MINUTE_MS,
        ),
        Limit(
            "notify_per_hour", "person", "Calls below high risk", rules.notify_per_hour, _HOUR_MS
        ),
        Limit("notify_per_agent", "agent and person", "Calls", rules.notify_per_agent, _HOUR_MS),
        Limit(
            "notify_per_type",
            "action type and person",
            "Calls below high risk",
            rules.notify_per_type,
            _HOUR_MS,
        ),
        Limit(
            "notify_low_per_hour",
            "person",
            "Calls for low risk",
            rules.notify_low_per_hour,
            _HOUR_MS,
        ),
        Limit(
            "open_consents", "person", "Consents that wait", request_limits.OPEN_CONSENTS, set=False
        ),
        Limit(
            "open_devices", "person", "Devices that wait", request_limits.OPEN_DEVICES, set=False
        ),
        Limit(
            "unknown_users",
            "agent",
            "Hints that name nobody",
            request_limits.UNKNOWN_USERS,
            request_limits.UNKNOWN_USERS_WINDOW_MS,
            set=False,
        ),
        Limit(
            "wrong_user_codes",
            "agent and person",
            "Wrong user codes of an agent",
            user_codes.MOST_WRONG,
            user_codes.WRONG_WINDOW_MS,
            set=False,
        ),
        Limit(
            "authorize", "address", "Requests to sign in", MOST_PER_MINUTE, _MINUTE_MS, set=False
        ),
        Limit(
            "device_codes",
            "address",
            "Device codes",
            device_grant.REQUESTS,
            device_grant.WINDOW_MS,
            set=False,
        ),
        Limit(
            "device_codes_of_app",
            "app",
            "Device codes",
            device_grant.REQUESTS_OF_APP,
            device_grant.WINDOW_MS,
            set=False,
        ),
        Limit(
            "wrong_device_codes",
            "address",
            "Wrong codes of devices",
            device_grant.WRONG_CODES,
            device_grant.WINDOW_MS,
            set=False,
        ),
        Limit(
            "unknown_codes",
            "address",
            "Enrolment codes that are none",
            enrolment.UNKNOWN_CODES,
            enrolment.UNKNOWN_WINDOW_MS,
            set=False,
        ),
        Limit(
            "unknown_registrations",
            "address",
            "Registration tokens that are none",
            UNKNOWN_TOKENS,
            UNKNOWN_WINDOW_MS,
            set=False,
        ),
        Limit("push_tests", "person", "Test notifications", TESTS, TESTS_MS, set=False),
    )


class _Seen:
    """The rows that all limits are counted in, read once."""

    def __init__(self, view: View) -> None:
        self.view = view
        self.now = view.now
        self.open = view.limits.open(MOST_ROWS)
        self.calls = view.limits.calls(view.now - _HOUR_MS, MOST_ROWS)
        self.refused = view.limits.refused(view.now - DAY_MS, MOST_ROWS)
        self.held_back = view.limits.held_back(view.now - DAY_MS, MOST_ROWS)

    @property
    def whole(self) -> bool:
        """Whether there were fewer rows of each kind than are looked at."""
        counts = (len(self.open), len(self.calls), len(self.refused))
        return max(counts) < MOST_ROWS


_Count = Callable[[_Seen], Mapping[LimitSubject, int]]


def _open(kinds: Iterable[str], who: Callable[[OpenRequest], LimitSubject]) -> _Count:
    """What waits, of some kinds."""
    some = frozenset(kinds)
    return lambda seen: Counter(who(one) for one in seen.open if one.kind in some)


def _calls(within_ms: int, who: Callable[[CallRecord], LimitSubject | None]) -> _Count:
    """How often people were called within a time."""

    def count(seen: _Seen) -> Mapping[LimitSubject, int]:
        late = (one for one in seen.calls if one.at > seen.now - within_ms)
        return Counter(found for one in late if (found := who(one)) is not None)

    return count


def _counted(prefix: str, who: Callable[[str], LimitSubject]) -> _Count:
    """Tries that are counted by a key."""

    def count(seen: _Seen) -> Mapping[LimitSubject, int]:
        windows = seen.view.limits.counted(prefix, MOST_ROWS)
        return {who(one.key.removeprefix(prefix)): one.count for one in windows}

    return count


def _paused(seen: _Seen) -> Mapping[LimitSubject, int]:
    """Who may not ask whom now."""
    begun = (one for one in seen.refused if one.type == audit.Type.AGENT_PAUSED)
    return Counter(
        LimitSubject(one.agent_id, one.subject)
        for one in begun
        if int(_facts(one)["until"]) > seen.now
    )


def _minutely(call: CallRecord) -> LimitSubject | None:
    """From high risk on each agent has a room of its own; low risk is counted apart."""
    if call.lane == "low":
        return None
    return LimitSubject(call.agent_id if call.lane == "urgent" else None, call.user_id)


def _of_agent(call: CallRecord) -> LimitSubject | None:
    return None if call.lane == "low" else LimitSubject(call.agent_id, call.user_id, call.lane)


def _medium(call: CallRecord) -> LimitSubject | None:
    return LimitSubject(user_id=call.user_id) if call.lane == "medium" else None


def _medium_type(call: CallRecord) -> LimitSubject | None:
    other = call.types or "scopes alone"
    return LimitSubject(user_id=call.user_id, other=other) if call.lane == "medium" else None


def _pace(_seen: _Seen) -> Mapping[LimitSubject, int]:
    """One call tells of all that waits at low risk: whoever was called as usual is near nothing."""
    return {}


def _agent(one: str) -> LimitSubject:
    return LimitSubject(one)


def _user(one: str) -> LimitSubject:
    return LimitSubject(user_id=one)


def _address(one: str) -> LimitSubject:
    return LimitSubject(other=one)


def _both(one: str) -> LimitSubject:
    agent, _, user = one.partition(":")
    return LimitSubject(agent, user)


_COUNTS: Final[Mapping[str, _Count]] = {
    "open_per_agent": _open(["action"], lambda one: LimitSubject(one.agent_id, one.user_id)),
    "open_per_user": _open(["action"], lambda one: LimitSubject(user_id=one.user_id)),
    "open_in_all": _open(["action"], lambda one: LimitSubject(one.agent_id)),
    "open_consents": _open(["consent"], lambda one: LimitSubject(user_id=one.user_id)),
    "open_devices": _open(
        ["device", "app_device"], lambda one: LimitSubject(user_id=one.user_id, other=one.kind)
    ),
    "denials_before_pause": _paused,
    "notify_per_minute": _calls(_MINUTE_MS, _minutely),
    "notify_per_hour": _calls(_HOUR_MS, _medium),
    "notify_per_agent": _calls(_HOUR_MS, _of_agent),
    "notify_per_type": _calls(_HOUR_MS, _medium_type),
    "notify_low_per_hour": _pace,
    "unknown_users": _counted("unknown user:", _agent),
    "wrong_user_codes": _counted("user code:", _both),
    "authorize": _counted("authorize:", _address),
    "device_codes": _counted("device codes:", _address),
    "device_codes_of_app": _counted("device codes of:", _agent),
    "wrong_device_codes": _counted("wrong user codes:", _address),
    "unknown_codes": _counted("unknown code:", _address),
    "unknown_registrations": _counted("unknown registration:", _address),
    "push_tests": _counted("push tests:", _user),
}
_CAUSES: Final[Mapping[str, str]] = {
    "open_per_agent": "open_per_agent",
    "open_per_user": "open_per_user",
    "open_in_all": "open_in_all",
    request_limits.PAUSED: "denials_before_pause",
}
"""Which limit a refusal in the log names."""


def _near(limit: Limit, seen: _Seen) -> tuple[NearLimit, ...]:
    """Who has used up most of it, the nearest first. A pause is nothing but its end."""
    least = 1 if limit.name == "denials_before_pause" else NEAR * limit.value
    counts = Counter(dict(_COUNTS[limit.name](seen)))
    found = [(who, count) for who, count in counts.most_common() if count >= least]
    pause = limit.name == "denials_before_pause"
    return tuple(
        NearLimit(who, limit.value if pause else count, pause or count >= limit.value)
        for who, count in found[:MOST_NEAR]
    )


def _lately(refused: Iterable[LimitRefusal]) -> Mapping[str, Counter[LimitSubject]]:
    """How often whom each limit refused; what the log only counted is counted too."""
    found: dict[str, Counter[LimitSubject]] = {}
    for one in refused:
        name = _CAUSES.get(one.cause or "")
        if name is None:
            continue
        times = int(_facts(one)["count"]) if one.type == audit.Type.REFUSALS_COUNTED else 1
        found.setdefault(name, Counter())[LimitSubject(one.agent_id, one.subject)] += times
    return {name: Counter(dict(who.most_common(MOST_NEAR))) for name, who in found.items()}


def _facts(one: LimitRefusal) -> Mapping[str, str]:
    facts: Mapping[str, str] = json.loads(one.body)["facts"]
    return facts


def _who(limits: Iterable[LimitStatus]) -> Iterable[LimitSubject]:
    for one in limits:
        yield from (near.who for near in one.near)
        yield from (who for who, _ in one.lately)


def _names(view: View, found: Iterable[LimitSubject]) -> Mapping[str, str]:
    names: dict[str, str] = {}
    for who in set(found):
        if who.agent_id is not None:
            names[who.agent_id] = display_names.name_of(view.directory, who.agent_id)
        if who.user_id is not None:
            user = view.directory.user(who.user_id)
            names[who.user_id] = who.user_id if user is None else user.name
    return names

"""How asking and answering went of late: for pictures, and to see whose yes means nothing.

Owns: what is counted, over which time and how much of it. Never: a decision; nothing follows of a
number but that somebody looks.

The newest requests are looked at, up to a fixed number, so that it costs the same however many
there have ever been.
"""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import groupby
from statistics import median
from typing import Final

from server.model import display_names
from server.model.operations import Trace, WaitingRequest
from server.model.store import Store
from server.protocol.approvals.states import State
from server.protocol.policy.risks import Risk
from server.services.clients import agent_names
from server.services.users import device_auth as people
from server.services.users.device_auth import Person

DAY_MS: Final = 24 * 60 * 60 * 1000
MOST_DAYS: Final = 90
ENDS_WITHIN_MS: Final = (60_000, 300_000, 900_000, 3_600_000, 6 * 3_600_000, None)
"""Those that wait are counted by how soon they end."""
MOST_TRACES: Final = 2_000
"""The newest requests, which are all that is looked at."""
QUICK_MS: Final = 3_000
"""Nobody has read a request in less."""
MUCH_AGREEMENT: Final = 0.95
FEW: Final = 10
"""Fewer answers than this say nothing about anybody."""
MANY_A_DAY: Final = 30
"""More requests than this in a day, and people stop reading them."""


@dataclass(frozen=True, slots=True)
class Counts:
    """What became of some requests. `median_ms`: from the request to its answer."""

    asked: int
    approved: int
    denied: int
    expired: int
    cancelled: int
    waiting: int
    median_ms: int | None


@dataclass(frozen=True, slots=True)
class DayCounts:
    """Of one day of UTC, which begins `at`."""

    at: int
    counts: Counts


@dataclass(frozen=True, slots=True)
class AgentCounts:
    """Of one agent."""

    id: str
    name: str
    counts: Counts
    agreement: float | None
    """Which part of the answers of people were yes; None without answers."""
    read_ms: int | None
    """Half of the answers took no longer, from being seen."""
    unread: bool
    """Nearly everything is approved, faster than anybody reads."""


@dataclass(frozen=True, slots=True)
class PersonCounts:
    """Of one person who is asked."""

    id: str
    name: str
    counts: Counts
    busiest: int
    """The most requests of one day."""
    too_much: bool


@dataclass(frozen=True, slots=True)
class Ending:
    """How many of those that wait end within a time, and not within the one before."""

    within_ms: int | None
    """None for however long."""
    by_risk: Mapping[Risk, int]


@dataclass(frozen=True, slots=True)
class Summary:
    """All of it, over the same time."""

    since: int
    now: int
    whole: bool
    """There were no more requests in this time than are looked at."""
    pending: int
    """How many wait now, however old."""
    counts: Counts
    days: tuple[DayCounts, ...]
    agents: tuple[AgentCounts, ...]
    """Whoever asked most, first."""
    people: tuple[PersonCounts, ...]
    """Whoever is asked most, first."""
    ending: tuple[Ending, ...]
    """Those that wait; the first `MOST_TRACES` to end."""


@dataclass(frozen=True, slots=True)
class AgentHistory:
    """How it went with one agent."""

    since: int
    whole: bool
    counts: Counts
    days: tuple[DayCounts, ...]


@dataclass(frozen=True, slots=True)
class AskedPersonCounts:
    """What one agent asked of one person."""

    ever: bool
    """It asked them something, however long ago."""
    counts: Counts
    days: tuple[DayCounts, ...]


@dataclass(frozen=True, slots=True)
class Statistics:
    """Counts; changes nothing."""

    store: Store

    def summary(self, days: int) -> Summary:
        """The last days, today among them; at most `MOST_DAYS`."""
        with self.store.read() as view:
            since = _first(view.now, days)
            found = view.traces.since(since, MOST_TRACES + 1)
            traces, whole = found[:MOST_TRACES], len(found) <= MOST_TRACES
            pending = view.traces.pending(view.now)
            waiting = view.traces.waiting(view.now, MOST_TRACES)
            agents = {
                one.agent_id: display_names.name_of(view.directory, one.agent_id) for one in traces
            }
            users = {one.user_id: view.directory.user(one.user_id) for one in traces}
        asked = {key: key if user is None else user.name for key, user in users.items()}
        return Summary(
            since,
            view.now,
            whole,
            pending,
            _counts(traces),
            tuple(_days(traces, since, days)),
            tuple(_by_agent(traces, agents)),
            tuple(_by_person(traces, asked)),
            tuple(_ending(waiting, view.now)),
        )

    def of_agent(self, called: str, days: int) -> AgentHistory:
        """What one agent asked of everybody. Raises `NotFound`."""
        with self.store.read() as view:
            agent, since = agent_names.find(view, called), _first(view.now, days)
            found = view.traces.of_agent(agent.id, since, MOST_TRACES + 1)
        traces, whole = found[:MOST_TRACES], len(found) <= MOST_TRACES
        return AgentHistory(since, whole, _counts(traces), tuple(_days(traces, since, days)))

    def asked_of(self, person: Person, agent_id: str, days: int) -> AskedPersonCounts:
        """What this agent asked of this person in the last days. Raises errors.Problem."""
        with self.store.read() as view:
            people.current_device(view, person)
            since = _first(view.now, days)
            found = view.traces.asked(agent_id, person.user.id, since, MOST_TRACES)
            ever = bool(found) or view.approvals.asked_before(agent_id, person.user.id)
        return AskedPersonCounts(ever, _counts(found), tuple(_days(found, since, days)))


def _first(now: int, days: int) -> int:
    """When the first of so many days of UTC begins, of which today is the last."""
    return now - now % DAY_MS - (days - 1) * DAY_MS


def _counts(traces: Iterable[Trace]) -> Counts:
    found = list(traces)
    ends = Counter(_end(one) for one in found)
    took = [one.decided_at - one.created_at for one in found if _answered(one) and one.decided_at]
    return Counts(
        len(found),
        ends["approved"],
        ends["denied"],
        ends["expired"],
        ends["cancelled"],
        ends["pending"],
        _middle(took),
    )


def _end(trace: Trace) -> str:
    """What a person would call it: an approved one stays one, whatever became of it."""
    if trace.approved:
        return str(State.APPROVED)
    return str(trace.state)


def _answered(trace: Trace) -> bool:
    """Reports whether a person said yes or no."""
    return not trace.by_rule and (trace.approved or trace.state is State.DENIED)


def _middle(values: Sequence[int]) -> int | None:
    return round(median(values)) if values else None


def _days(traces: Iterable[Trace], since: int, days: int) -> Iterable[DayCounts]:
    of_day: dict[int, list[Trace]] = {since + n * DAY_MS: [] for n in range(days)}
    for one in traces:
        of_day[one.created_at - one.created_at % DAY_MS].append(one)
    return (DayCounts(at, _counts(some)) for at, some in of_day.items())


def _ending(waiting: Iterable[WaitingRequest], now: int) -> Iterable[Ending]:
    """By the shortest of the times that is long enough."""
    found: dict[int | None, Counter[Risk]] = {within: Counter() for within in ENDS_WITHIN_MS}
    for one in waiting:
        left = one.expires_at - now
        within = next(most for most in ENDS_WITHIN_MS if most is None or left <= most)
        found[within][one.risk] += 1
    return (Ending(within, dict(risks)) for within, risks in found.items())


def _by_agent(traces: Iterable[Trace], names: dict[str, str]) -> list[AgentCounts]:
    def key(one: Trace) -> str:
        return one.agent_id

    groups = groupby(sorted(traces, key=key), key)
    made = [_agent(agent_id, names[agent_id], list(some)) for agent_id, some in groups]
    return sorted(made, key=lambda one: (-one.counts.asked, one.name))


def _agent(agent_id: str, name: str, traces: Sequence[Trace]) -> AgentCounts:
    answered = [one for one in traces if _answered(one)]
    agreed = sum(one.approved for one in answered)
    agreement = agreed / len(answered) if answered else None
    read = [one.decided_at - (one.seen_at or one.created_at) for one in answered if one.decided_at]
    middle = _middle(read)
    unread = (
        len(answered) >= FEW
        and agreed > MUCH_AGREEMENT * len(answered)
        and middle is not None
        and middle < QUICK_MS
    )
    return AgentCounts(agent_id, name, _counts(traces), agreement, middle, unread)


def _by_person(traces: Iterable[Trace], names: dict[str, str]) -> list[PersonCounts]:
    def key(one: Trace) -> str:
        return one.user_id

    groups = groupby(sorted((one for one in traces if not one.by_rule), key=key), key)
    made = [_person(user_id, names[user_id], list(some)) for user_id, some in groups]
    return sorted(made, key=lambda one: (-one.counts.asked, one.name))


def _person(user_id: str, name: str, traces: Sequence[Trace]) -> PersonCounts:
    busiest = max(Counter(one.created_at // DAY_MS for one in traces).values())
    return PersonCounts(user_id, name, _counts(traces), busiest, busiest > MANY_A_DAY)

"""Statistics of recent requests and answers, including approvals without reading.

Owns: the counts for a period, and marking agents whose requests are not read, and overloaded
people. Never: acting on these marks.

It reads a limited number of the newest requests, so its cost does not grow with the database.
"""

from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from dataclasses import asdict, dataclass
from itertools import groupby
from statistics import median
from typing import Final

from server.model import display_names
from server.model.operations import ApprovalSummary, PendingRange
from server.model.store import Store
from server.protocol.approvals.states import State
from server.protocol.times import rfc3339
from server.services.clients import client_names
from server.services.users import device_auth, user_checks
from server.services.users.device_auth import Person

DAY_MS: Final = 24 * 60 * 60 * 1000
MAX_DAYS: Final = 90
MAX_REQUESTS: Final = 2_000
"""The maximum number of requests to count, newest first."""
MAX_PENDING: Final = 500
"""The maximum number of pending requests to count, soonest expiry first."""
QUICK_MS: Final = 3_000
"""A faster answer suggests that the request was not read."""
UNREAD_AGREEMENT: Final = 0.95
MIN_ANSWERS: Final = 10
"""An agent with fewer answers than this is not marked as unread."""
OVERLOAD_PER_DAY: Final = 30
"""A person with more requests in a day than this is marked as overloaded."""


@dataclass(frozen=True, slots=True)
class Counts:
    """The results of some requests. `median_ms` is the time from a request to its answer."""

    asked: int
    approved: int
    denied: int
    expired: int
    cancelled: int
    waiting: int
    median_ms: int | None


@dataclass(frozen=True, slots=True)
class DayCounts:
    """The counts of one UTC day, which begins at `at`."""

    at: int
    counts: Counts


@dataclass(frozen=True, slots=True)
class AgentCounts:
    """The counts of one agent."""

    id: str
    name: str
    counts: Counts
    agreement: float | None
    """The share of people's answers that are approvals; None if there are no answers."""
    read_ms: int | None
    """The median time from seeing a request to the answer."""
    unread: bool
    """Whether nearly all requests are approved faster than anyone can read them."""


@dataclass(frozen=True, slots=True)
class PersonCounts:
    """The counts of one approver."""

    id: str
    name: str
    counts: Counts
    busiest: int
    """The highest number of requests in one day."""
    too_much: bool


@dataclass(frozen=True, slots=True)
class Summary:
    """The statistics of one period."""

    since: int
    now: int
    complete: bool
    """Whether all requests in the period were counted."""
    pending: int
    """The number of pending requests, regardless of age; at most `MAX_PENDING`."""
    pending_complete: bool
    """Whether all pending requests were counted."""
    counts: Counts
    days: tuple[DayCounts, ...]
    agents: tuple[AgentCounts, ...]
    """Sorted by the number of requests, highest first."""
    people: tuple[PersonCounts, ...]
    """Sorted by the number of requests, highest first."""
    ending: tuple[PendingRange, ...]
    """The counted pending requests by time left."""


@dataclass(frozen=True, slots=True)
class AgentHistory:
    """The statistics of one agent."""

    since: int
    complete: bool
    counts: Counts
    days: tuple[DayCounts, ...]


@dataclass(frozen=True, slots=True)
class AskedPersonCounts:
    """One agent's requests to one person."""

    has_asked: bool
    """Whether the agent has ever asked the person."""
    counts: Counts
    days: tuple[DayCounts, ...]


@dataclass(frozen=True, slots=True)
class Statistics:
    """Reads statistics."""

    store: Store

    def summary(self, days: int) -> Summary:
        """Return the statistics for the last days, including today; at most `MAX_DAYS`."""
        with self.store.read() as view:
            since = _start_of_period(view.now, days)
            statistics = view.approval_statistics
            requests, complete = _newest(statistics.since(since, MAX_REQUESTS + 1))
            ending = statistics.ending(view.now, MAX_PENDING)
            agents = {
                request.agent_id: display_names.name_of(view.directory, request.agent_id)
                for request in requests
            }
            users = {
                request.user_id: user_checks.name_of(view, request.user_id) for request in requests
            }
        pending = sum(count for group in ending for count in group.by_risk.values())
        return Summary(
            since,
            view.now,
            complete,
            pending,
            pending < MAX_PENDING,
            _counts(requests),
            tuple(_days(requests, since, days)),
            tuple(_by_agent(requests, agents)),
            tuple(_by_person(requests, users)),
            tuple(ending),
        )

    def of_agent(self, name_or_id: str, days: int) -> AgentHistory:
        """Return the statistics for one agent. Raises `NotFound`."""
        with self.store.read() as view:
            agent = client_names.find_agent(view, name_or_id)
            since = _start_of_period(view.now, days)
            statistics = view.approval_statistics
            requests, complete = _newest(statistics.of_agent(agent.id, since, MAX_REQUESTS + 1))
        return AgentHistory(since, complete, _counts(requests), tuple(_days(requests, since, days)))

    def asked_of(self, person: Person, agent_id: str, days: int) -> AskedPersonCounts:
        """Return this agent's requests to this person in the last days. Raises errors.Problem."""
        with self.store.read() as view:
            device_auth.current_device(view, person)
            since, user_id = _start_of_period(view.now, days), person.user.id
            requests = view.approval_statistics.recent_requests(
                agent_id, user_id, since, MAX_REQUESTS
            )
            has_asked = bool(requests) or view.approvals.asked_before(agent_id, user_id)
        return AskedPersonCounts(has_asked, _counts(requests), tuple(_days(requests, since, days)))


def _start_of_period(now: int, days: int) -> int:
    """Return the start of a period of UTC days that ends today."""
    return now - now % DAY_MS - (days - 1) * DAY_MS


def _newest(requests: Sequence[ApprovalSummary]) -> tuple[Sequence[ApprovalSummary], bool]:
    """Return the requests to count, and whether these are all."""
    return requests[:MAX_REQUESTS], len(requests) <= MAX_REQUESTS


def _counts(requests: Sequence[ApprovalSummary]) -> Counts:
    results = Counter(_result(request) for request in requests)
    answer_times = [
        row.decided_at - row.created_at for row in requests if _is_answered(row) and row.decided_at
    ]
    return Counts(
        len(requests),
        results["approved"],
        results["denied"],
        results["expired"],
        results["cancelled"],
        results["pending"],
        _median(answer_times),
    )


def _result(request: ApprovalSummary) -> str:
    """Return a request's result; an approved request is `approved` even if it expired later."""
    return str(State.APPROVED if request.approved else request.state)


def _is_answered(request: ApprovalSummary) -> bool:
    """Return whether a person approved or denied it."""
    return not request.by_rule and (request.approved or request.state is State.DENIED)


def _median(values: Sequence[int]) -> int | None:
    return round(median(values)) if values else None


def _days(requests: Iterable[ApprovalSummary], since: int, days: int) -> Iterable[DayCounts]:
    by_day: dict[int, list[ApprovalSummary]] = {since + n * DAY_MS: [] for n in range(days)}
    for request in requests:
        by_day[request.created_at - request.created_at % DAY_MS].append(request)
    return (DayCounts(at, _counts(day_requests)) for at, day_requests in by_day.items())


def _grouped(
    requests: Iterable[ApprovalSummary], key: Callable[[ApprovalSummary], str]
) -> dict[str, list[ApprovalSummary]]:
    """Return the requests by key, sorted by key."""
    groups = groupby(sorted(requests, key=key), key)
    return {group_key: list(rows) for group_key, rows in groups}


def _by_agent(requests: Iterable[ApprovalSummary], names: dict[str, str]) -> list[AgentCounts]:
    groups = _grouped(requests, lambda request: request.agent_id)
    agent_counts = [_agent(agent_id, names[agent_id], rows) for agent_id, rows in groups.items()]
    return sorted(agent_counts, key=lambda row: (-row.counts.asked, row.name))


def _agent(agent_id: str, name: str, requests: Sequence[ApprovalSummary]) -> AgentCounts:
    answered = [request for request in requests if _is_answered(request)]
    agreed = sum(request.approved for request in answered)
    agreement = agreed / len(answered) if answered else None
    times = [row.decided_at - (row.seen_at or row.created_at) for row in answered if row.decided_at]
    read_ms = _median(times)
    unread = (
        len(answered) >= MIN_ANSWERS
        and agreed > UNREAD_AGREEMENT * len(answered)
        and read_ms is not None
        and read_ms < QUICK_MS
    )
    return AgentCounts(agent_id, name, _counts(requests), agreement, read_ms, unread)


def _by_person(requests: Iterable[ApprovalSummary], names: dict[str, str]) -> list[PersonCounts]:
    asked = [request for request in requests if not request.by_rule]
    groups = _grouped(asked, lambda request: request.user_id)
    person_counts = [_person(user_id, names[user_id], rows) for user_id, rows in groups.items()]
    return sorted(person_counts, key=lambda row: (-row.counts.asked, row.name))


def _person(user_id: str, name: str, requests: Sequence[ApprovalSummary]) -> PersonCounts:
    busiest = max(Counter(request.created_at // DAY_MS for request in requests).values())
    return PersonCounts(user_id, name, _counts(requests), busiest, busiest > OVERLOAD_PER_DAY)


def days_json(day_counts: Iterable[DayCounts]) -> list[dict[str, object]]:
    """Return the counts for each day."""
    return [{"day": rfc3339(day.at)[:10], **asdict(day.counts)} for day in day_counts]

"""Statistics of requests: what they count, and that their cost is bounded."""

import json

import pytest

from server.model.approvals import Decision
from server.protocol.approvals.states import State
from server.protocol.policy.risks import Risk
from server.services.operations.statistics import DAY_MS, MAX_REQUESTS, Statistics
from server.services.refusals import NotFound
from server.services.users.users import NewUser
from server.storage.operations import approval_statistics as rows
from tests.support.builders.installation import BY, registered
from tests.support.checks import query_plans


@pytest.fixture
def agent(admin_services, eva):
    """An agent that asks."""
    return registered(admin_services, name="payer", owners=(eva.id,)).agent


@pytest.fixture
def eva(admin_services):
    """The person who is asked."""
    return admin_services.users.add(NewUser("eva"), by=BY)[0]


@pytest.fixture
def make_request(admin_services, agent, eva):
    """Makes a request with an outcome, a time until seen and a time until decided."""

    def make(state, *, seen=1_000, took=5_000, ago=0, **members):
        at = admin_services.clock.now() - ago
        answered = state is not State.PENDING
        return admin_services.approval(
            agent.id,
            eva.id,
            state=state,
            created_at=at,
            seen_at=at + seen,
            decided_at=at + took if answered else None,
            **members,
        )

    return make


def _summary(admin_services, days=7):
    return Statistics(admin_services.store).summary(days)


def test_an_unused_installation_has_empty_days(admin_services):
    """The summary has as many days as requested, and today is the last."""
    summary = _summary(admin_services)
    assert len(summary.days) == 7
    assert summary.days[-1].at <= summary.now < summary.days[-1].at + DAY_MS
    assert {day.counts.asked for day in summary.days} == {0}
    assert (summary.counts.median_ms, summary.agents, summary.people) == (None, (), ())
    assert summary.complete


def test_requests_are_counted_by_outcome(admin_services, make_request):
    """There are totals and counts per day, agent and person; a redeemed one is approved."""
    make_request(State.APPROVED, took=4_000)
    make_request(State.REDEEMED, took=6_000)
    make_request(State.DENIED, took=20_000, ago=DAY_MS)
    make_request(State.EXPIRED)
    make_request(State.CANCELLED)
    make_request(State.PENDING)
    summary = _summary(admin_services)
    for counts in (summary.counts, summary.agents[0].counts, summary.people[0].counts):
        assert (counts.asked, counts.approved, counts.denied) == (6, 2, 1)
        assert (counts.expired, counts.cancelled, counts.waiting) == (1, 1, 1)
        assert counts.median_ms == 6_000
    assert [day.counts.asked for day in summary.days[-2:]] == [1, 5]
    assert (summary.agents[0].name, summary.people[0].name) == ("payer", "eva")
    assert summary.agents[0].agreement == pytest.approx(2 / 3)
    assert summary.pending == 1


def test_an_approved_request_that_expired_counts_as_approved(admin_services, make_request, eva):
    """The stored decision counts."""
    approval = make_request(State.EXPIRED)
    decision = Decision(
        approval.id, eva.id, "sayso_dv_1", "approve", None, None, "confirm", "terminal", "x", 0
    )
    with admin_services.store.write() as tx:
        tx.decisions.add(decision)
    make_request(State.EXPIRED)
    counts = _summary(admin_services).counts
    assert (counts.approved, counts.expired) == (1, 1)


def test_automatic_decisions_do_not_count_for_people(admin_services, make_request):
    """They count as approved and have no decision time."""
    rule = json.dumps({"kind": "policy"})
    make_request(State.REDEEMED, decided_by=rule)
    make_request(State.EXPIRED, decided_by=rule)
    summary = _summary(admin_services)
    assert summary.counts.approved == 2
    assert (summary.counts.median_ms, summary.agents[0].agreement) == (None, None)
    assert summary.people == ()


@pytest.mark.parametrize(
    ("yes", "no", "read", "unread"),
    [(20, 0, 2_000, True), (19, 1, 2_000, False), (9, 0, 2_000, False), (20, 0, 3_000, False)],
    ids=["unread", "some denied", "too few", "read"],
)
def test_an_agent_whose_requests_are_approved_unread_is_named(
    admin_services, make_request, yes, no, read, unread
):
    """Over 95 % approved, the median within three seconds, ten decisions or more."""
    for _ in range(yes):
        make_request(State.REDEEMED, seen=60_000, took=60_000 + read)
    for _ in range(no):
        make_request(State.DENIED, seen=60_000, took=60_000 + read)
    (agent,) = _summary(admin_services).agents
    assert (agent.unread, agent.read_ms) == (unread, read)


def test_a_request_decided_unseen_is_measured_from_its_creation(admin_services, make_request):
    """A request that is decided from a list is an example."""
    make_request(State.DENIED, seen=0, took=7_000)
    assert _summary(admin_services).agents[0].read_ms == 7_000


@pytest.mark.parametrize(("requests", "too_much"), [(30, False), (31, True)])
def test_a_person_with_too_many_requests_on_one_day_is_named(
    admin_services, make_request, requests, too_much
):
    """More than thirty."""
    for _ in range(requests):
        make_request(State.DENIED)
    make_request(State.DENIED, ago=DAY_MS)
    (one,) = _summary(admin_services).people
    assert (one.too_much, one.busiest) == (too_much, requests)


def test_agents_and_people_are_sorted_by_number_and_name(admin_services, eva, make_request):
    """A deleted user is shown by ID."""
    other = registered(admin_services, name="another", owners=("eva",)).agent
    admin_services.approval(other.id, eva.id)
    make_request(State.DENIED), make_request(State.DENIED)
    admin_services.approval(other.id, "sayso_us_gone")
    summary = _summary(admin_services)
    assert [one.name for one in summary.agents] == ["another", "payer"]
    assert [person.name for person in summary.people] == ["eva", "sayso_us_gone"]


def test_only_the_newest_requests_are_counted(admin_services, make_request, monkeypatch):
    """The summary says so."""
    monkeypatch.setattr("server.services.operations.statistics.MAX_REQUESTS", 2)
    make_request(State.DENIED), make_request(State.DENIED)
    assert _summary(admin_services).complete
    make_request(State.APPROVED)
    summary = _summary(admin_services)
    assert (summary.complete, summary.counts.asked) == (False, 2)


@pytest.mark.parametrize(
    ("left", "within"),
    [(60_000, 60_000), (60_001, 300_000), (3_600_000, 3_600_000), (DAY_MS, None)],
)
def test_pending_requests_are_counted_by_remaining_time_and_risk(
    admin_services, make_request, left, within
):
    """Expired ones are not counted."""
    now = admin_services.clock.now()
    make_request(State.PENDING, expires_at=now + left, risk=Risk.CRITICAL)
    make_request(State.PENDING, expires_at=now)
    make_request(State.DENIED, expires_at=now + left)
    found = {one.within_ms: one.by_risk for one in _summary(admin_services).ending if one.by_risk}
    assert found == {within: {Risk.CRITICAL: 1}}


def test_the_statistics_of_an_agent_contain_only_its_requests(
    admin_services, agent, eva, make_request
):
    """The agent is found by name or ID, and the requests to all people count."""
    bob = admin_services.users.add(NewUser("bob"), by=BY)[0]
    other = registered(admin_services, name="another", owners=("eva",)).agent
    make_request(State.DENIED), make_request(State.REDEEMED, ago=DAY_MS)
    for who, whom in ((agent, bob), (other, eva)):
        admin_services.approval(who.id, whom.id, created_at=admin_services.clock.now())
    for called in (agent.id, "payer"):
        course = Statistics(admin_services.store).of_agent(called, 3)
        assert (course.counts.asked, course.counts.denied, course.counts.waiting) == (3, 1, 1)
        assert [day.counts.asked for day in course.days] == [0, 1, 2]
        assert course.complete
    with pytest.raises(NotFound):
        Statistics(admin_services.store).of_agent("nobody", 3)


def test_only_the_newest_requests_of_an_agent_are_counted(
    admin_services, agent, make_request, monkeypatch
):
    """The result says so."""
    monkeypatch.setattr("server.services.operations.statistics.MAX_REQUESTS", 1)
    make_request(State.DENIED, ago=1_000), make_request(State.REDEEMED)
    course = Statistics(admin_services.store).of_agent(agent.id, 7)
    assert (course.complete, course.counts.asked, course.counts.approved) == (False, 1, 1)


def test_statistics_use_an_index_and_a_row_limit(admin_services):
    """The cost therefore does not grow with the number of requests."""
    connection = sqlite(admin_services)
    assert "USING INDEX ix_approvals_made" in query_plans.query_plan(connection, rows._SINCE)
    assert "ORDER BY" not in query_plans.query_plan(connection, rows._SINCE)
    for statement in (rows._PENDING, rows._WAITING):
        assert "ix_approvals_due" in query_plans.query_plan(connection, statement)
    assert "USING INDEX ix_approvals_of_agent" in query_plans.query_plan(connection, rows._BY_AGENT)
    assert "ORDER BY" not in query_plans.query_plan(connection, rows._BY_AGENT)
    assert "ORDER BY" not in query_plans.query_plan(connection, rows._WAITING)
    assert MAX_REQUESTS <= 2_000


def sqlite(admin_services):
    """The connection of the database driver."""
    with admin_services.store.read() as view:
        return view._connection.connection.driver_connection


def test_open_requests_are_found_by_their_index(admin_services, make_request):
    """Decided requests are not scanned."""
    make_request(State.PENDING), make_request(State.DENIED), make_request(State.APPROVED)
    steps = []
    connection = sqlite(admin_services)
    connection.set_trace_callback(steps.append)
    with admin_services.store.read() as view:
        for state in (State.PENDING, State.APPROVED):
            found = view.approvals.search(state=state, agent_id=None, user_id=None, limit=10)
            assert [one.state for one in found] == [state]
    connection.set_trace_callback(None)
    searches = [step for step in steps if "FROM approvals" in step]
    assert len(searches) == 2
    for search in searches:
        plan = connection.execute(f"EXPLAIN QUERY PLAN {search}").fetchall()
        assert "ix_approvals_made" not in str(plan)
        assert "USING INDEX ix_approvals_" in str(plan)

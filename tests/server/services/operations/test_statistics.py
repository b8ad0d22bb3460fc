"""Request statistics: what they count, and that their cost is bounded."""

import json

import pytest

from server.model.approvals import Decision
from server.protocol.approvals.states import State
from server.protocol.policy.risks import Risk
from server.services.operations.statistics import DAY_MS, MAX_REQUESTS, Statistics
from server.services.refusals import NotFound
from server.services.users.users import NewUser
from server.storage.operations import approval_statistics as rows
from tests.support.builders.installation import BY, register_agent
from tests.support.checks import query_plans


@pytest.fixture
def agent(admin_services, eva):
    """An agent that requests approvals."""
    return register_agent(admin_services, name="payer", owners=(eva.id,)).agent


@pytest.fixture
def eva(admin_services):
    """The person who is asked."""
    return admin_services.users.add(NewUser("eva"), by=BY)[0]


@pytest.fixture
def make_request(admin_services, agent, eva):
    """A function that makes a request with an outcome and the times until seen and decided."""

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
    """They are counted in total and per day, agent and person; a redeemed request is approved."""
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
    """The stored decision takes precedence over the state."""
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
    """Automatic decisions count as approved and have no decision time."""
    rule = json.dumps({"kind": "policy"})
    make_request(State.REDEEMED, decided_by=rule)
    make_request(State.EXPIRED, decided_by=rule)
    summary = _summary(admin_services)
    assert summary.counts.approved == 2
    assert (summary.counts.median_ms, summary.agents[0].agreement) == (None, None)
    assert summary.people == ()


@pytest.mark.parametrize(
    ("approved", "denied", "read_ms", "unread"),
    [(20, 0, 2_000, True), (19, 1, 2_000, False), (9, 0, 2_000, False), (20, 0, 3_000, False)],
    ids=["unread", "some denied", "too few", "read"],
)
def test_an_agent_whose_requests_are_approved_unread_is_named(
    admin_services, make_request, approved, denied, read_ms, unread
):
    """Of ten or more decisions, over 95 % approve, and the median takes less than 3 seconds."""
    for _ in range(approved):
        make_request(State.REDEEMED, seen=60_000, took=60_000 + read_ms)
    for _ in range(denied):
        make_request(State.DENIED, seen=60_000, took=60_000 + read_ms)
    (agent,) = _summary(admin_services).agents
    assert (agent.unread, agent.read_ms) == (unread, read_ms)


def test_a_request_decided_unseen_is_measured_from_its_creation(admin_services, make_request):
    """A person may decide a request in a list, without opening it."""
    make_request(State.DENIED, seen=0, took=7_000)
    assert _summary(admin_services).agents[0].read_ms == 7_000


@pytest.mark.parametrize(("requests", "too_much"), [(30, False), (31, True)])
def test_a_person_with_too_many_requests_on_one_day_is_named(
    admin_services, make_request, requests, too_much
):
    """A person is named if they get more than thirty requests on one day."""
    for _ in range(requests):
        make_request(State.DENIED)
    make_request(State.DENIED, ago=DAY_MS)
    (person,) = _summary(admin_services).people
    assert (person.too_much, person.busiest) == (too_much, requests)


def test_agents_and_people_are_sorted_by_number_and_name(admin_services, eva, make_request):
    """A deleted user is shown by their ID."""
    other = register_agent(admin_services, name="another", owners=("eva",)).agent
    admin_services.approval(other.id, eva.id)
    make_request(State.DENIED), make_request(State.DENIED)
    admin_services.approval(other.id, "sayso_us_gone")
    summary = _summary(admin_services)
    assert [agent.name for agent in summary.agents] == ["another", "payer"]
    assert [person.name for person in summary.people] == ["eva", "sayso_us_gone"]


def test_only_the_newest_requests_are_counted(admin_services, make_request, monkeypatch):
    """If older requests were left out, the summary is marked as incomplete."""
    monkeypatch.setattr("server.services.operations.statistics.MAX_REQUESTS", 2)
    make_request(State.DENIED), make_request(State.DENIED)
    assert _summary(admin_services).complete
    make_request(State.APPROVED)
    summary = _summary(admin_services)
    assert (summary.complete, summary.counts.asked) == (False, 2)


def test_only_the_pending_requests_that_expire_first_are_counted(
    admin_services, make_request, monkeypatch
):
    """Otherwise, the cost of the overview would grow with the number of pending requests."""
    monkeypatch.setattr("server.services.operations.statistics.MAX_PENDING", 2)
    make_request(State.PENDING)
    assert _summary(admin_services).pending_complete
    make_request(State.PENDING), make_request(State.PENDING)
    summary = _summary(admin_services)
    assert (summary.pending_complete, summary.pending) == (False, 2)


@pytest.mark.parametrize(
    ("remaining_ms", "within"),
    [(60_000, 60_000), (60_001, 300_000), (3_600_000, 3_600_000), (DAY_MS, None)],
)
def test_pending_requests_are_counted_by_remaining_time_and_risk(
    admin_services, make_request, remaining_ms, within
):
    """Expired requests are not counted."""
    now = admin_services.clock.now()
    make_request(State.PENDING, expires_at=now + remaining_ms, risk=Risk.CRITICAL)
    make_request(State.PENDING, expires_at=now)
    make_request(State.DENIED, expires_at=now + remaining_ms)
    counts = {
        ending.within_ms: ending.by_risk
        for ending in _summary(admin_services).ending
        if ending.by_risk
    }
    assert counts == {within: {Risk.CRITICAL: 1}}


def test_the_statistics_of_an_agent_contain_only_its_requests(
    admin_services, agent, eva, make_request
):
    """The agent is found by name or ID, and its requests to all people count."""
    bob = admin_services.users.add(NewUser("bob"), by=BY)[0]
    other = register_agent(admin_services, name="another", owners=("eva",)).agent
    make_request(State.DENIED), make_request(State.REDEEMED, ago=DAY_MS)
    for asking_agent, person in ((agent, bob), (other, eva)):
        admin_services.approval(asking_agent.id, person.id, created_at=admin_services.clock.now())
    for name_or_id in (agent.id, "payer"):
        statistics = Statistics(admin_services.store).of_agent(name_or_id, 3)
        assert (statistics.counts.asked, statistics.counts.denied, statistics.counts.waiting) == (
            3,
            1,
            1,
        )
        assert [day.counts.asked for day in statistics.days] == [0, 1, 2]
        assert statistics.complete
    with pytest.raises(NotFound):
        Statistics(admin_services.store).of_agent("nobody", 3)


def test_only_the_newest_requests_of_an_agent_are_counted(
    admin_services, agent, make_request, monkeypatch
):
    """If older requests were left out, the result is marked as incomplete."""
    monkeypatch.setattr("server.services.operations.statistics.MAX_REQUESTS", 1)
    make_request(State.DENIED, ago=1_000), make_request(State.REDEEMED)
    statistics = Statistics(admin_services.store).of_agent(agent.id, 7)
    assert (statistics.complete, statistics.counts.asked, statistics.counts.approved) == (
        False,
        1,
        1,
    )


def test_statistics_use_an_index_and_a_row_limit(admin_services):
    """The cost does not grow with the number of requests."""
    connection = sqlite(admin_services)
    assert "USING INDEX ix_approvals_made" in query_plans.query_plan(connection, rows._SINCE)
    assert "ORDER BY" not in query_plans.query_plan(connection, rows._SINCE)
    assert "ix_approvals_due" in query_plans.query_plan(connection, rows._ENDING)
    assert "USING INDEX ix_approvals_of_agent" in query_plans.query_plan(connection, rows._BY_AGENT)
    assert "ORDER BY" not in query_plans.query_plan(connection, rows._BY_AGENT)
    assert "ORDER BY" not in query_plans.query_plan(connection, rows._ENDING)
    assert MAX_REQUESTS <= 2_000


def sqlite(admin_services):
    """The connection of the database driver."""
    with admin_services.store.read() as view:
        return view._connection.connection.driver_connection


def test_open_requests_are_found_by_their_index(admin_services, make_request):
    """The database does not scan decided requests."""
    make_request(State.PENDING), make_request(State.DENIED), make_request(State.APPROVED)
    statements = []
    connection = sqlite(admin_services)
    connection.set_trace_callback(statements.append)
    with admin_services.store.read() as view:
        for state in (State.PENDING, State.APPROVED):
            approvals = view.approvals.search(state=state, agent_id=None, user_id=None, limit=10)
            assert [approval.state for approval in approvals] == [state]
    connection.set_trace_callback(None)
    searches = [statement for statement in statements if "FROM approvals" in statement]
    assert len(searches) == 2
    for search in searches:
        plan = connection.execute(f"EXPLAIN QUERY PLAN {search}").fetchall()
        assert "ix_approvals_made" not in str(plan)
        assert "USING INDEX ix_approvals_" in str(plan)

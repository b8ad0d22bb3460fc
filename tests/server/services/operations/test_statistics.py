"""What is counted of requests, and that it costs the same however many there are."""

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
def agent(desk, eva):
    """An agent that asks."""
    return registered(desk, name="payer", owners=(eva.id,)).agent


@pytest.fixture
def eva(desk):
    """Somebody who is asked."""
    return desk.users.add(NewUser("eva"), by=BY)[0]


@pytest.fixture
def asked(desk, agent, eva):
    """Makes a request that became something: after which time it was seen and answered."""

    def make(state, *, seen=1_000, took=5_000, ago=0, **members):
        at = desk.clock.now() - ago
        answered = state is not State.PENDING
        return desk.approval(
            agent.id,
            eva.id,
            state=state,
            created_at=at,
            seen_at=at + seen,
            decided_at=at + took if answered else None,
            **members,
        )

    return make


def _summary(desk, days=7):
    return Statistics(desk.store).summary(days)


def test_an_installation_in_which_nothing_happened_has_empty_days(desk):
    """As many as were asked for, today the last."""
    summary = _summary(desk)
    assert len(summary.days) == 7
    assert summary.days[-1].at <= summary.now < summary.days[-1].at + DAY_MS
    assert {day.counts.asked for day in summary.days} == {0}
    assert (summary.counts.median_ms, summary.agents, summary.people) == (None, (), ())
    assert summary.whole


def test_requests_are_counted_by_what_became_of_them(desk, asked):
    """In all, by day, by agent and by person; an approval stays one when it was used."""
    asked(State.APPROVED, took=4_000)
    asked(State.REDEEMED, took=6_000)
    asked(State.DENIED, took=20_000, ago=DAY_MS)
    asked(State.EXPIRED)
    asked(State.CANCELLED)
    asked(State.PENDING)
    summary = _summary(desk)
    for counts in (summary.counts, summary.agents[0].counts, summary.people[0].counts):
        assert (counts.asked, counts.approved, counts.denied) == (6, 2, 1)
        assert (counts.expired, counts.cancelled, counts.waiting) == (1, 1, 1)
        assert counts.median_ms == 6_000
    assert [day.counts.asked for day in summary.days[-2:]] == [1, 5]
    assert (summary.agents[0].name, summary.people[0].name) == ("payer", "eva")
    assert summary.agents[0].agreement == pytest.approx(2 / 3)
    assert summary.pending == 1


def test_what_was_approved_and_not_fetched_in_time_was_approved(desk, asked, eva):
    """It ended as expired; its person said yes."""
    approval = asked(State.EXPIRED)
    yes = Decision(
        approval.id, eva.id, "sayso_dv_1", "approve", None, None, "confirm", "terminal", "x", 0
    )
    with desk.store.write() as tx:
        tx.decisions.add(yes)
    asked(State.EXPIRED)
    counts = _summary(desk).counts
    assert (counts.approved, counts.expired) == (1, 1)


def test_what_a_rule_decides_says_nothing_about_people(desk, asked):
    """It was approved; nobody was asked, nobody agreed, nobody took time."""
    rule = json.dumps({"kind": "policy"})
    asked(State.REDEEMED, decided_by=rule)
    asked(State.EXPIRED, decided_by=rule)
    summary = _summary(desk)
    assert summary.counts.approved == 2
    assert (summary.counts.median_ms, summary.agents[0].agreement) == (None, None)
    assert summary.people == ()


@pytest.mark.parametrize(
    ("yes", "no", "read", "unread"),
    [(20, 0, 2_000, True), (19, 1, 2_000, False), (9, 0, 2_000, False), (20, 0, 3_000, False)],
    ids=["waved through", "now and then no", "too few", "read"],
)
def test_an_agent_whose_requests_nobody_reads_is_named(desk, asked, yes, no, read, unread):
    """Over 95 % yes, half of them within three seconds of being seen, ten answers or more."""
    for _ in range(yes):
        asked(State.REDEEMED, seen=60_000, took=60_000 + read)
    for _ in range(no):
        asked(State.DENIED, seen=60_000, took=60_000 + read)
    (agent,) = _summary(desk).agents
    assert (agent.unread, agent.read_ms) == (unread, read)


def test_what_was_answered_unseen_was_read_since_it_was_made(desk, asked):
    """Somebody answered from a list."""
    asked(State.DENIED, seen=0, took=7_000)
    assert _summary(desk).agents[0].read_ms == 7_000


@pytest.mark.parametrize(("requests", "too_much"), [(30, False), (31, True)])
def test_somebody_who_is_asked_too_much_is_named(desk, asked, requests, too_much):
    """On one day; spread over several it is bearable."""
    for _ in range(requests):
        asked(State.DENIED)
    asked(State.DENIED, ago=DAY_MS)
    (one,) = _summary(desk).people
    assert (one.too_much, one.busiest) == (too_much, requests)


def test_whoever_asks_most_is_first(desk, eva, asked):
    """Of equals the name decides; somebody who is gone is known by their id."""
    other = registered(desk, name="another", owners=("eva",)).agent
    desk.approval(other.id, eva.id)
    asked(State.DENIED), asked(State.DENIED)
    desk.approval(other.id, "sayso_us_gone")
    summary = _summary(desk)
    assert [one.name for one in summary.agents] == ["another", "payer"]
    assert [one.name for one in summary.people] == ["eva", "sayso_us_gone"]


def test_only_the_newest_of_very_many_are_looked_at(desk, asked, monkeypatch):
    """And that is said."""
    monkeypatch.setattr("server.services.operations.statistics.MAX_REQUESTS", 2)
    asked(State.DENIED), asked(State.DENIED)
    assert _summary(desk).whole
    asked(State.APPROVED)
    summary = _summary(desk)
    assert (summary.whole, summary.counts.asked) == (False, 2)


@pytest.mark.parametrize(
    ("left", "within"),
    [(60_000, 60_000), (60_001, 300_000), (3_600_000, 3_600_000), (DAY_MS, None)],
)
def test_what_waits_is_counted_by_how_soon_it_ends_and_how_grave_it_is(desk, asked, left, within):
    """What is over is not counted."""
    now = desk.clock.now()
    asked(State.PENDING, expires_at=now + left, risk=Risk.CRITICAL)
    asked(State.PENDING, expires_at=now)
    asked(State.DENIED, expires_at=now + left)
    found = {one.within_ms: one.by_risk for one in _summary(desk).ending if one.by_risk}
    assert found == {within: {Risk.CRITICAL: 1}}


def test_what_one_agent_asked_is_told_of_it_alone(desk, agent, eva, asked):
    """By name or id; of everybody whom it asked, and of nobody's else."""
    bob = desk.users.add(NewUser("bob"), by=BY)[0]
    other = registered(desk, name="another", owners=("eva",)).agent
    asked(State.DENIED), asked(State.REDEEMED, ago=DAY_MS)
    for who, whom in ((agent, bob), (other, eva)):
        desk.approval(who.id, whom.id, created_at=desk.clock.now())
    for called in (agent.id, "payer"):
        course = Statistics(desk.store).of_agent(called, 3)
        assert (course.counts.asked, course.counts.denied, course.counts.waiting) == (3, 1, 1)
        assert [day.counts.asked for day in course.days] == [0, 1, 2]
        assert course.whole
    with pytest.raises(NotFound):
        Statistics(desk.store).of_agent("nobody", 3)


def test_only_the_newest_of_what_an_agent_asked_are_looked_at(desk, agent, asked, monkeypatch):
    """And that is said."""
    monkeypatch.setattr("server.services.operations.statistics.MAX_REQUESTS", 1)
    asked(State.DENIED, ago=1_000), asked(State.REDEEMED)
    course = Statistics(desk.store).of_agent(agent.id, 7)
    assert (course.whole, course.counts.asked, course.counts.approved) == (False, 1, 1)


def test_however_many_there_are_the_same_number_is_read(desk):
    """One index in the order of the answer, cut off; those that wait by the index of the open."""
    connection = sqlite(desk)
    assert "USING INDEX ix_approvals_made" in query_plans.told(connection, rows._SINCE)
    assert "ORDER BY" not in query_plans.told(connection, rows._SINCE)
    for statement in (rows._PENDING, rows._WAITING):
        assert "ix_approvals_due" in query_plans.told(connection, statement)
    assert "USING INDEX ix_approvals_of_agent" in query_plans.told(connection, rows._OF_AGENT)
    assert "ORDER BY" not in query_plans.told(connection, rows._OF_AGENT)
    assert "ORDER BY" not in query_plans.told(connection, rows._WAITING)
    assert MAX_REQUESTS <= 2_000


def sqlite(desk):
    """The driver's own connection."""
    with desk.store.read() as view:
        return view._connection.connection.driver_connection


def test_those_that_wait_are_found_among_however_many_that_are_over(desk, asked):
    """By the index of the open ones, and not by walking through all that were ever asked."""
    asked(State.PENDING), asked(State.DENIED), asked(State.APPROVED)
    steps = []
    connection = sqlite(desk)
    connection.set_trace_callback(steps.append)
    with desk.store.read() as view:
        for state in (State.PENDING, State.APPROVED):
            found = view.approvals.search(state=state, agent_id=None, user_id=None, limit=10)
            assert [one.state for one in found] == [state]
    connection.set_trace_callback(None)
    searches = [one for one in steps if "FROM approvals" in one]
    assert len(searches) == 2
    for search in searches:
        plan = connection.execute(f"EXPLAIN QUERY PLAN {search}").fetchall()
        assert "ix_approvals_made" not in str(plan)
        assert "USING INDEX ix_approvals_" in str(plan)

"""Every limit in force: what it is, who is near it, and who was refused by it of late."""

import json
from dataclasses import fields

import pytest

from server.services.audit import floods
from server.services.operations import limits
from server.services.operations.limits import Limits, LimitSubject, limits_of
from server.services.server_policy import ServerPolicy
from server.storage.operations import limits as rows
from tests.support.builders.callers import new_person
from tests.support.builders.clock import DAY, HOUR, MINUTE
from tests.support.checks import query_plans


@pytest.fixture
def strict(open_local, template):
    """Five open requests per agent and person, two denials, few calls."""
    local = open_local(open_per_agent=5, denials_before_pause=2, notify_per_agent=5)
    return template.agent(local), template.person(local), local


def _picture(local):
    return Limits(local.services.store, local.services.rules).overview()


def _standing(local, name):
    return next(one for one in _picture(local).limits if one.limit.name == name)


def _near(local, name):
    return [(one.who, one.count, one.over) for one in _standing(local, name).near]


def test_every_setting_that_limits_is_told_with_its_value(strict):
    """Those of the rules that begin like one, each once; and each limit can be counted."""
    _, _, local = strict
    told = {one.name: one for one in limits_of(local.services.rules)}
    settable = {
        field.name
        for field in fields(ServerPolicy)
        if field.name.startswith(("open_", "notify_", "denials_"))
    }
    assert {name for name, one in told.items() if one.set} == settable
    for name in settable:
        assert told[name].value == getattr(local.services.rules, name)
    assert told.keys() == limits._COUNTS.keys()
    assert len(told) == len(limits_of(local.services.rules))


def test_whoever_has_used_four_fifths_is_near_and_then_at_the_limit(strict):
    """By agent and person; what is answered makes room."""
    agent, person, local = strict
    first = agent.asked()[1]
    for _ in range(2):
        agent.asked()
    assert _near(local, "open_per_agent") == []
    agent.asked()
    who = LimitSubject(agent.id, first.user_id)
    assert _near(local, "open_per_agent") == [(who, 4, False)]
    agent.asked()
    assert _near(local, "open_per_agent") == [(who, 5, True)]
    names = _picture(local).names
    assert set(names) >= {agent.id, first.user_id}
    person.approve(first.id)
    assert _near(local, "open_per_agent") == [(who, 4, False)]


def test_who_was_refused_is_told_for_a_day(strict):
    """Those that the log wrote down whole, and those that it only counted."""
    agent, _, local = strict
    for _ in range(5):
        agent.asked()
    for _ in range(23):
        assert agent.ask().status == 403
    assert _standing(local, "open_per_agent").lately == ((LimitSubject(agent.id), 20),)
    local.clock.forward(2 * MINUTE)
    agent.ask()
    with local.services.store.write() as tx:
        floods.write_counts(tx)
    assert _standing(local, "open_per_agent").lately == ((LimitSubject(agent.id), 24),)
    local.clock.forward(DAY + MINUTE)
    assert _standing(local, "open_per_agent").lately == ()


def test_a_paused_agent_is_at_its_limit_until_the_pause_ends(strict):
    """And the last day remembers it."""
    agent, person, local = strict
    for _ in range(2):
        denied = agent.asked()[1]
        assert person.deny(denied.id).status == 200
    who = LimitSubject(agent.id, denied.user_id)
    assert _near(local, "denials_before_pause") == [(who, 2, True)]
    assert _standing(local, "denials_before_pause").lately == ((who, 1),)
    local.clock.forward(HOUR)
    assert _near(local, "denials_before_pause") == []
    assert _standing(local, "denials_before_pause").lately == ((who, 1),)


def test_calls_are_counted_as_the_budgets_count_them(strict):
    """By lane: what is urgent of one agent takes nothing from what is not."""
    agent, _, local = strict
    user_id = agent.asked()[1].user_id
    with local.services.store.write() as tx:
        for _ in range(5):
            tx.notifications.add(user_id, agent.id, "pay", "urgent")
            tx.notifications.add(user_id, agent.id, "pay", "medium")
    counted = _near(local, "notify_per_agent")
    assert {who.other for who, _, _ in counted} == {"urgent", "medium"}
    assert {over for _, _, over in counted} == {True}
    assert (LimitSubject(agent.id, user_id), 5, True) in _near(local, "notify_per_minute")
    local.clock.forward(MINUTE)
    assert _near(local, "notify_per_minute") == []
    local.clock.forward(HOUR)
    assert _near(local, "notify_per_agent") == []


def test_whoever_was_called_for_low_risk_as_often_as_is_usual_is_at_no_limit(strict):
    """One call an hour tells of all that waits: it is a pace, and everybody walks at it."""
    agent, _, local = strict
    agent.asked()
    with local.services.store.read() as view:
        (call,) = view.limits.notifications(0, 10)
    assert call.lane == "low"
    assert [one.limit.name for one in _picture(local).limits if one.near] == []


def test_tries_are_told_by_whom_they_were_made(strict):
    """An address, an agent, a person; a window that is over is nothing."""
    agent, _, local = strict
    with local.services.store.write() as tx:
        for _ in range(10):
            tx.counters.count("wrong user codes:2001:db8::1", MINUTE)
            tx.counters.count(f"user code:{agent.id}:sayso_us_gone", MINUTE)
            tx.counters.count("wrong user codes", MINUTE)
    assert _near(local, "wrong_device_codes") == [(LimitSubject(other="2001:db8::1"), 10, True)]
    assert _near(local, "wrong_user_codes") == [(LimitSubject(agent.id, "sayso_us_gone"), 10, True)]
    assert _picture(local).names["sayso_us_gone"] == "sayso_us_gone"
    local.clock.forward(MINUTE)
    assert _near(local, "wrong_device_codes") == []


def test_whom_requests_did_not_call_is_told(strict):
    """Budgets held them back; they are listed for their person."""
    agent, _, local = strict
    held, _ = agent.asked()[1], agent.asked()
    with local.services.store.write() as tx:
        tx.approvals.hold_back(held.id)
    assert dict(_picture(local).held_back) == {LimitSubject(user_id=held.user_id): 1}
    local.clock.forward(2 * DAY)
    assert _picture(local).held_back == ()


def test_only_so_many_rows_are_looked_at(strict, monkeypatch):
    """And that is said."""
    agent, _, local = strict
    new_person(local, "ben")
    agent.asked()
    assert _picture(local).whole
    monkeypatch.setattr(limits, "MAX_ROWS", 1)
    agent.asked(login_hint="ben")
    assert not _picture(local).whole


def test_however_much_there_is_the_same_number_of_rows_is_read(strict):
    """Each by one index, in the order of the answer."""
    _, _, local = strict
    with local.services.store.read() as view:
        connection = view._connection.connection.driver_connection
        plans = {
            "ix_approvals_due": rows._OPEN,
            "ix_notifications_at": rows._NOTIFICATIONS,
            "sqlite_autoindex_counters_1": rows._COUNTED["sqlite"],
            "ix_audit_entries_refused": rows._REFUSED,
            "ix_approvals_made": rows._HELD_BACK,
        }
        for index, statement in plans.items():
            plan = query_plans.told(connection, statement)
            assert index in plan
            assert "ORDER BY" not in plan


def test_what_the_log_says_of_a_pause_is_read_as_it_was_written(strict):
    """When it ends is in its bytes and nowhere else."""
    agent, person, local = strict
    for _ in range(2):
        assert person.deny(agent.asked()[1].id).status == 200
    with local.services.store.read() as view:
        (paused,) = view.limits.refused(0, 10)
    assert json.loads(paused.body)["facts"]["until"] > local.clock.now()

"""The overview of limits: their values, who is close to them, and who was refused recently."""

from dataclasses import fields

import pytest

from server.services.audit import floods
from server.services.operations import limits
from server.services.operations.limits import LIMITS, Limits, LimitSubject
from server.services.server_policy import ServerPolicy
from server.storage.operations import limits as rows
from tests.support.builders.callers import new_person
from tests.support.builders.clock import DAY, HOUR, MINUTE
from tests.support.checks import query_plans


@pytest.fixture
def strict(open_local, template):
    """An installation that allows five open requests, two denials and few notifications."""
    local = open_local(open_per_agent=5, denials_before_pause=2, notify_per_agent=5)
    return template.agent(local), template.person(local), local


def _overview(local):
    return Limits(local.services.store, local.server_policy).overview()


def _usage(local, name):
    return next(limit for limit in _overview(local).limits if limit.limit.name == name)


def _close_to_limit(local, name):
    return [(usage.who, usage.count, usage.reached) for usage in _usage(local, name).near]


def test_every_limit_setting_is_listed_with_its_value(strict):
    """Each setting is listed once and has a usage that can be counted."""
    _, _, local = strict
    limits_by_name = {limit.name: limit for limit in LIMITS}
    settable = {
        field.name
        for field in fields(ServerPolicy)
        if field.name.startswith(("open_", "notify_", "denials_"))
    }
    assert {name for name, item in limits_by_name.items() if item.setting} == settable
    for name in settable:
        assert limits_by_name[name].value(local.server_policy) == getattr(local.server_policy, name)
    assert len(limits_by_name) == len(LIMITS)


def test_usage_is_near_the_limit_from_eighty_percent(strict):
    """Usage counts per agent and person; a decided request no longer counts."""
    agent, person, local = strict
    first = agent.request_approval()[1]
    for _ in range(2):
        agent.request_approval()
    assert _close_to_limit(local, "open_per_agent") == []
    agent.request_approval()
    who = LimitSubject(agent.id, first.user_id)
    assert _close_to_limit(local, "open_per_agent") == [(who, 4, False)]
    agent.request_approval()
    assert _close_to_limit(local, "open_per_agent") == [(who, 5, True)]
    names = _overview(local).names
    assert set(names) >= {agent.id, first.user_id}
    person.approve(first.id)
    assert _close_to_limit(local, "open_per_agent") == [(who, 4, False)]


def test_refusals_are_listed_for_a_day(strict):
    """The list includes refusals that were only counted and have no audit entry of their own."""
    agent, _, local = strict
    for _ in range(5):
        agent.request_approval()
    for _ in range(23):
        assert agent.ask().status == 403
    assert _usage(local, "open_per_agent").refusals == ((LimitSubject(agent.id), 20),)
    local.clock.forward(2 * MINUTE)
    agent.ask()
    with local.services.store.write() as tx:
        floods.write_counts(tx)
    assert _usage(local, "open_per_agent").refusals == ((LimitSubject(agent.id), 24),)
    local.clock.forward(DAY + MINUTE)
    assert _usage(local, "open_per_agent").refusals == ()


def test_a_paused_agent_is_at_its_limit_until_the_pause_ends(strict):
    """The agent stays in the list of refusals for a day."""
    agent, person, local = strict
    for _ in range(2):
        denied = agent.request_approval()[1]
        assert person.deny(denied.id).status == 200
    who = LimitSubject(agent.id, denied.user_id)
    assert _close_to_limit(local, "denials_before_pause") == [(who, 2, True)]
    assert _usage(local, "denials_before_pause").refusals == ((who, 1),)
    local.clock.forward(HOUR)
    assert _close_to_limit(local, "denials_before_pause") == []
    assert _usage(local, "denials_before_pause").refusals == ((who, 1),)


def test_notifications_are_counted_per_lane(strict):
    """An agent's urgent notifications do not count against its other notifications."""
    agent, _, local = strict
    user_id = agent.request_approval()[1].user_id
    with local.services.store.write() as tx:
        for _ in range(5):
            tx.notifications.add(user_id, agent.id, "pay", "urgent")
            tx.notifications.add(user_id, agent.id, "pay", "medium")
    counted = _close_to_limit(local, "notify_per_agent")
    assert {who.other for who, _, _ in counted} == {"urgent", "medium"}
    assert {reached for _, _, reached in counted} == {True}
    assert (LimitSubject(agent.id, user_id), 5, True) in _close_to_limit(local, "notify_per_minute")
    local.clock.forward(MINUTE)
    assert _close_to_limit(local, "notify_per_minute") == []
    local.clock.forward(HOUR)
    assert _close_to_limit(local, "notify_per_agent") == []


def test_one_low_risk_notification_an_hour_is_not_near_a_limit(strict):
    """One low-risk notification an hour is the normal rate."""
    agent, _, local = strict
    agent.request_approval()
    with local.services.store.read() as view:
        (notification,) = view.limits.notifications(0, 10)
    assert notification.lane == "low"
    assert [limit.limit.name for limit in _overview(local).limits if limit.near] == []


def test_attempts_are_listed_by_address_agent_or_user(strict):
    """Attempts are not listed after the end of their time window."""
    agent, _, local = strict
    with local.services.store.write() as tx:
        for _ in range(10):
            tx.counters.count("wrong user codes:2001:db8::1", MINUTE)
            tx.counters.count(f"user code:{agent.id}:sayso_us_gone", MINUTE)
            tx.counters.count("wrong user codes", MINUTE)
    assert _close_to_limit(local, "wrong_device_codes") == [
        (LimitSubject(other="2001:db8::1"), 10, True)
    ]
    assert _close_to_limit(local, "wrong_user_codes") == [
        (LimitSubject(agent.id, "sayso_us_gone"), 10, True)
    ]
    assert _overview(local).names["sayso_us_gone"] == "sayso_us_gone"
    local.clock.forward(MINUTE)
    assert _close_to_limit(local, "wrong_device_codes") == []


def test_held_back_requests_are_counted_per_person(strict):
    """Requests that were held back two days ago do not count."""
    agent, _, local = strict
    held_back_request, _ = agent.request_approval()[1], agent.request_approval()
    with local.services.store.write() as tx:
        tx.approvals.hold_back(held_back_request.id)
    assert dict(_overview(local).held_back) == {LimitSubject(user_id=held_back_request.user_id): 1}
    local.clock.forward(2 * DAY)
    assert _overview(local).held_back == ()


def test_the_number_of_rows_read_is_limited(strict, monkeypatch):
    """If the limit is exceeded, the overview is marked as incomplete."""
    agent, _, local = strict
    new_person(local, "ben")
    agent.request_approval()
    assert _overview(local).complete
    monkeypatch.setattr(limits, "MAX_ROWS", 1)
    agent.request_approval(login_hint="ben")
    assert not _overview(local).complete


def test_the_overview_uses_an_index_for_each_statement(strict):
    """The cost does not grow with the number of rows."""
    _, _, local = strict
    with local.services.store.read() as view:
        connection = view._connection.connection.driver_connection
        plans = {
            "ix_approvals_due": rows._OPEN,
            "ix_notifications_at": rows._NOTIFICATIONS,
            "sqlite_autoindex_counters_1": rows._OPEN_WINDOWS["sqlite"],
            "ix_audit_entries_refused": rows._REFUSED,
            "ix_approvals_made": rows._HELD_BACK,
        }
        for index, statement in plans.items():
            plan = query_plans.query_plan(connection, statement)
            assert index in plan
            assert "ORDER BY" not in plan

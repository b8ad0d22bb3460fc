"""Notification budgets: a flood is limited, loses nothing, and never hides high risk."""

import json

import pytest

from server.protocol.policy.risks import Risk
from tests.support.builders.callers import LocalAgent, new_person
from tests.support.builders.clock import MINUTE, SECOND
from tests.support.builders.installation import BY, PAYMENT, registered

NEWS = "https://news.example"
MANY = {"open_per_agent": 1_000, "open_per_user": 1_000, "denials_before_pause": 1_000}


def _site(local):
    local.admin.resources.add(NEWS, {"news:write": Risk.MEDIUM}, {}, by=BY)
    for name in ("post", "note"):
        local.admin.actions.add(json.dumps({**PAYMENT, "type": name, "risk": "medium"}), by=BY)
    return local


def _writer(local, name):
    registration = registered(
        local.admin,
        name,
        auth_method="client_secret_post",
        resources=(NEWS, "https://pay.example"),
        scopes=("news:write", "payments:read", "payments:transfer"),
    )
    return LocalAgent(local, registration.agent.id, registration.secret)


def _write(agent, **more):
    """Ask for something of medium risk; return why it did not notify."""
    agent.asked(scope="openid news:write", resource=NEWS, **more)
    return _last(agent.local)


def _pay(agent, **more):
    agent.asked_payment(**more)
    return _last(agent.local)


def _last(local):
    with local.services.store.read() as view:
        events = view.feed.after(0, None, 10_000)
    return [event.held for event in events if event.event == "approval.requested"][-1]


@pytest.fixture
def open_flood(open_local):
    """Opens the installation with small budgets, unless the test gives others."""

    def opened(**settings):
        limits = {"notify_per_minute": 2, "notify_per_hour": 4, "notify_per_agent": 3}
        return _site(open_local(**{**MANY, **limits, "notify_per_type": 1_000, **settings}))

    return opened


@pytest.fixture
def flood(open_flood):
    """Two a minute, four an hour, three per agent, and no limit per type."""
    return open_flood()


def _notified(local, person):
    """IDs of the requests that notified this person."""
    with local.services.store.read() as view:
        events = view.feed.after(0, person.user.id, 10_000)
    asked = [event for event in events if event.event == "approval.requested"]
    return [one.approval_id for one in asked if one.held is None]


def test_requests_beyond_the_budget_of_a_minute_are_held_back(flood, template):
    """They are listed and marked; no notification and no webhook call."""
    person, agent = template.person(flood), _writer(flood, "writer")
    reasons = [_write(agent) for _ in range(4)]
    assert reasons == [None, None, "held_back", "held_back"]
    items = person.call("GET", "/api/approvals").json["items"]
    assert sorted(item["held_back"] for item in items) == [False, False, True, True]
    assert len(_notified(flood, person)) == 2
    hooked = [
        message["notify"]
        for message in flood.messages()
        if message["event"] == "approval.requested"
    ]
    assert hooked == [True, True, False, False]


def test_minute_and_hour_are_sliding_windows(flood):
    """They end at each request and do not start at a full minute."""
    agent, other = _writer(flood, "writer"), _writer(flood, "other")
    assert _write(agent) is None
    flood.clock.forward(40 * SECOND)
    assert _write(other) is None
    flood.clock.forward(19 * SECOND)
    assert _write(agent) == "held_back"
    flood.clock.forward(1 * SECOND)
    assert _write(agent) is None
    flood.clock.forward(MINUTE)
    assert _write(other) is None
    flood.clock.forward(MINUTE)
    assert _write(other) == "held_back"
    flood.clock.forward(57 * MINUTE)
    assert _write(agent) is None


def test_one_agent_cannot_use_up_the_hourly_budget_of_a_person(flood):
    """After three notifications of one agent, another agent may notify once."""
    agent, other = _writer(flood, "writer"), _writer(flood, "other")
    for _ in range(3):
        assert _write(agent) is None
        flood.clock.forward(MINUTE)
    assert _write(agent) == "held_back"
    assert _write(other) is None


def test_held_back_requests_do_not_count(flood):
    """A flood in one minute does not affect the next."""
    agent = _writer(flood, "writer")
    for _ in range(20):
        _write(agent)
    flood.clock.forward(MINUTE)
    assert _write(agent) is None


def test_one_type_cannot_use_up_the_hourly_budget(open_flood):
    """Across agents; other types and other people are counted separately."""
    local = open_flood(notify_per_type=1)
    new_person(local, "ben")

    def of_type(kind):
        detail = {"amount": {"minor": 1, "currency": "EUR"}, "payee": "a", "type": kind}
        return {"authorization_details": json.dumps([detail])}

    one, two = _writer(local, "writer"), _writer(local, "other")
    assert _write(one, **of_type("post")) is None
    assert _write(two, **of_type("post")) == "held_back"
    assert _write(two, **of_type("post"), login_hint="ben") is None
    assert _write(two, **of_type("note")) is None


def test_low_risk_notifies_once_an_hour_and_uses_no_budget(flood, template):
    """One of a hundred requests notifies; medium risk still notifies."""
    person, agent = template.person(flood), _writer(flood, "writer")
    approval_ids = [agent.asked()[1].id for _ in range(100)]
    assert _notified(flood, person) == approval_ids[:1]
    assert _last(flood) == "digest"
    assert not any(flood.stored(id_).held_back for id_ in approval_ids)
    assert _write(agent) is None
    flood.clock.forward(60 * MINUTE)
    agent.asked()
    assert _last(flood) is None


def test_high_risk_has_its_own_budget(flood, template):
    """Lower risk of the same or another agent cannot use it up."""
    person, agent = template.person(flood), _writer(flood, "writer")
    for _ in range(10):
        agent.asked()
        _write(agent)
    assert _pay(agent) is None
    assert _pay(template.agent(flood)) is None
    assert len(_notified(flood, person)) == 5


def test_high_risk_of_one_agent_uses_no_budget_of_another(flood, template):
    """An agent that overstates its risk is held back alone."""
    liar, honest = _writer(flood, "liar"), template.agent(flood)
    assert [_pay(liar) for _ in range(4)] == [None, None, "held_back", "held_back"]
    assert _pay(honest) is None
    flood.clock.forward(MINUTE)
    assert [_pay(liar), _pay(liar)] == [None, "held_back"]
    flood.clock.forward(60 * MINUTE)
    assert _pay(liar) is None


def test_a_reported_agent_does_not_notify_the_reporter(flood, template):
    """An agent that was enabled again stays silent until the incident is closed."""
    person, agent = template.person(flood), template.agent(flood)
    _, approval = agent.asked_payment()
    members = {"decision": "deny", "code": "suspicious", "ceremony": "none"}
    signed = person.decision(approval.id, person.session, **members)
    path = f"/api/approvals/{approval.id}/report"
    incident = person.call("POST", path, {"decision": signed, "scope": "agent"}).json["incident"]
    flood.admin.agents.enable("invoice-bot", by=BY)
    new_person(flood, "ben")

    assert _pay(agent) == "reported"
    assert _pay(agent, login_hint="ben") is None
    with flood.services.store.write() as tx:
        tx.incidents.close(incident, by=BY, note=None, now=tx.now)
    assert _pay(agent) is None


def test_requests_to_unknown_users_use_no_budget(open_flood):
    """The installation hides its users."""
    local = open_flood(unknown_user="hide")
    agent = _writer(local, "writer")
    for _ in range(3):
        agent.asked(scope="openid news:write", resource=NEWS, login_hint="ghost")
    assert _write(agent) is None


def test_notifications_older_than_an_hour_are_deleted(flood):
    """They no longer count."""
    agent = _writer(flood, "writer")
    _write(agent)
    flood.clock.forward(60 * MINUTE - 1)
    with flood.services.store.write() as tx:
        assert tx.notifications.prune() == 0
    flood.clock.forward(1)
    with flood.services.store.write() as tx:
        assert tx.notifications.prune() == 1

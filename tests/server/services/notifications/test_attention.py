"""A flood calls nobody too often, loses nothing, and hides nothing that is grave."""

import json

import pytest

from server.protocol.policy.risks import Risk
from tests.support.builders.callers import LocalAgent, new_person
from tests.support.builders.clock import MINUTE, SECOND
from tests.support.builders.installation import BY, PAYMENT, registered

NEWS = "https://news.example"
MANY = {"open_per_agent": 1_000, "open_per_user": 1_000, "denials_before_pause": 1_000}


def _site(local):
    local.desk.resources.add(NEWS, {"news:write": Risk.MEDIUM}, {}, by=BY)
    for name in ("post", "note"):
        local.desk.actions.add(json.dumps({**PAYMENT, "type": name, "risk": "medium"}), by=BY)
    return local


def _writer(local, name):
    given = registered(
        local.desk,
        name,
        auth_method="client_secret_post",
        resources=(NEWS, "https://pay.example"),
        scopes=("news:write", "payments:read", "payments:transfer"),
    )
    return LocalAgent(local, given.agent.id, given.secret)


def _write(agent, **more):
    """Ask for something of medium risk; why it did not ring."""
    agent.asked(scope="openid news:write", resource=NEWS, **more)
    return _last(agent.local)


def _pay(agent, **more):
    agent.asked_payment(**more)
    return _last(agent.local)


def _last(local):
    with local.services.store.read() as view:
        events = view.feed.after(0, None, 10_000)
    return [one.held for one in events if one.event == "approval.requested"][-1]


@pytest.fixture
def open_flood(open_local):
    """Opens the installation with small budgets, unless the test says others."""

    def opened(**settings):
        limits = {"notify_per_minute": 2, "notify_per_hour": 4, "notify_per_agent": 3}
        return _site(open_local(**{**MANY, **limits, "notify_per_type": 1_000, **settings}))

    return opened


@pytest.fixture
def flood(open_flood):
    """Two in a minute, four in an hour, three of one agent, and no limit for types."""
    return open_flood()


def _notified(local, person):
    """Ids of the requests for which this person's screens were to ring."""
    with local.services.store.read() as view:
        events = view.feed.after(0, person.user.id, 10_000)
    asked = [one for one in events if one.event == "approval.requested"]
    return [one.approval_id for one in asked if one.held is None]


def test_beyond_the_budget_of_a_minute_requests_are_held_back(flood, template):
    """They are listed like all others and say what they are; no bell, no hook, nothing lost."""
    person, agent = template.person(flood), _writer(flood, "writer")
    asked = [_write(agent) for _ in range(4)]
    assert asked == [None, None, "held_back", "held_back"]
    items = person.call("GET", "/api/approvals").json["items"]
    assert sorted(item["held_back"] for item in items) == [False, False, True, True]
    assert len(_notified(flood, person)) == 2
    hooked = [one["notify"] for one in flood.messages() if one["event"] == "approval.requested"]
    assert hooked == [True, True, False, False]


def test_the_minute_and_the_hour_are_those_before_each_request(flood):
    """No window begins anew at a whole minute: what was told counts until it is old."""
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


def test_one_agent_cannot_use_up_the_hour_of_its_person(flood):
    """After three of one agent there is one left for another."""
    agent, other = _writer(flood, "writer"), _writer(flood, "other")
    for _ in range(3):
        assert _write(agent) is None
        flood.clock.forward(MINUTE)
    assert _write(agent) == "held_back"
    assert _write(other) is None


def test_what_was_held_back_is_not_counted(flood):
    """A flood in one minute takes nothing from the next."""
    agent = _writer(flood, "writer")
    for _ in range(20):
        _write(agent)
    flood.clock.forward(MINUTE)
    assert _write(agent) is None


def test_one_type_cannot_use_up_the_hour_either(open_flood):
    """Whoever asks for it; another type is another count, and so is the next person."""
    local = open_flood(notify_per_type=1)
    new_person(local, "ben")

    def of(kind):
        detail = {"amount": {"minor": 1, "currency": "EUR"}, "payee": "a", "type": kind}
        return {"authorization_details": json.dumps([detail])}

    one, two = _writer(local, "writer"), _writer(local, "other")
    assert _write(one, **of("post")) is None
    assert _write(two, **of("post")) == "held_back"
    assert _write(two, **of("post"), login_hint="ben") is None
    assert _write(two, **of("note")) is None


def test_low_risk_calls_once_an_hour_for_all_of_it_and_takes_no_slot(flood, template):
    """A hundred of them ring once, and what comes after them rings as if they were not."""
    person, agent = template.person(flood), _writer(flood, "writer")
    asked = [agent.asked()[1].id for _ in range(100)]
    assert _notified(flood, person) == asked[:1]
    assert _last(flood) == "digest"
    assert not any(flood.stored(one).held_back for one in asked)
    assert _write(agent) is None
    flood.clock.forward(60 * MINUTE)
    agent.asked()
    assert _last(flood) is None


def test_high_risk_keeps_slots_that_no_flood_below_it_can_take(flood, template):
    """Of the same agent as of another."""
    person, agent = template.person(flood), _writer(flood, "writer")
    for _ in range(10):
        agent.asked()
        _write(agent)
    assert _pay(agent) is None
    assert _pay(template.agent(flood)) is None
    assert len(_notified(flood, person)) == 5


def test_high_risk_of_one_agent_takes_no_slot_of_another(flood, template):
    """An agent that calls everything grave is held back alone."""
    liar, honest = _writer(flood, "liar"), template.agent(flood)
    assert [_pay(liar) for _ in range(4)] == [None, None, "held_back", "held_back"]
    assert _pay(honest) is None
    flood.clock.forward(MINUTE)
    assert [_pay(liar), _pay(liar)] == [None, "held_back"]
    flood.clock.forward(60 * MINUTE)
    assert _pay(liar) is None


def test_after_a_report_an_agent_calls_this_person_no_more(flood, template):
    """Not even when an administrator has let it ask again, until the incident is closed."""
    person, agent = template.person(flood), template.agent(flood)
    _, approval = agent.asked_payment()
    said = {"decision": "deny", "code": "suspicious", "ceremony": "none"}
    signed = person.decision(approval.id, person.session, **said)
    path = f"/api/approvals/{approval.id}/report"
    incident = person.call("POST", path, {"decision": signed, "scope": "agent"}).json["incident"]
    flood.desk.agents.enable("invoice-bot", by=BY)
    new_person(flood, "ben")

    assert _pay(agent) == "reported"
    assert _pay(agent, login_hint="ben") is None
    with flood.services.store.write() as tx:
        tx.incidents.close(incident, by=BY, note=None, now=tx.now)
    assert _pay(agent) is None


def test_what_nobody_is_asked_is_counted_for_nobody(open_flood):
    """A phantom has no screens."""
    local = open_flood(unknown_user="hide")
    agent = _writer(local, "writer")
    for _ in range(3):
        agent.asked(scope="openid news:write", resource=NEWS, login_hint="ghost")
    assert _write(agent) is None


def test_what_is_too_old_to_count_is_dropped(flood):
    """The table holds an hour."""
    agent = _writer(flood, "writer")
    _write(agent)
    flood.clock.forward(60 * MINUTE - 1)
    with flood.services.store.write() as tx:
        assert tx.notifications.prune() == 0
    flood.clock.forward(1)
    with flood.services.store.write() as tx:
        assert tx.notifications.prune() == 1

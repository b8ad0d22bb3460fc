"""Notification limits hold back requests, lose none of them, and count high risk separately."""

import json

import pytest

from server.protocol.policy.risks import Risk
from tests.support.builders.callers import new_local_agent, new_person
from tests.support.builders.clock import MINUTE, SECOND
from tests.support.builders.installation import BY, PAYMENT

NEWS = "https://news.example"
NO_REQUEST_LIMITS = {"open_per_agent": 1_000, "open_per_user": 1_000, "denials_before_pause": 1_000}


def _site(local):
    local.admin.resources.add(NEWS, {"news:write": Risk.MEDIUM}, {}, by=BY)
    for name in ("post", "note"):
        local.admin.actions.add(json.dumps({**PAYMENT, "type": name, "risk": "medium"}), by=BY)
    return local


def _writer(local, name):
    scopes = ("news:write", "payments:read", "payments:transfer")
    return new_local_agent(local, name, resources=(NEWS, "https://pay.example"), scopes=scopes)


def _write(agent, **more):
    """Send a medium-risk request; return why it did not notify, or None."""
    agent.request_approval(scope="openid news:write", resource=NEWS, **more)
    return _last_hold_reason(agent.local)


def _pay(agent, **more):
    agent.request_payment(**more)
    return _last_hold_reason(agent.local)


def _last_hold_reason(local):
    with local.services.store.read() as view:
        events = view.feed.events_after(0, None, 10_000)
    return [event.not_notified_because for event in events if event.event == "approval.requested"][
        -1
    ]


@pytest.fixture
def open_limited(open_local):
    """Return a function that opens an installation with small limits, which a test can override."""

    def open_with(**settings):
        limits = {"notify_per_minute": 2, "notify_per_hour": 4, "notify_per_agent": 3}
        return _site(
            open_local(**{**NO_REQUEST_LIMITS, **limits, "notify_per_type": 1_000, **settings})
        )

    return open_with


@pytest.fixture
def limited(open_limited):
    """An installation that allows two notifications a minute, four an hour and three per agent."""
    return open_limited()


def _notified_ids(local, person):
    """IDs of the requests that notified this person."""
    with local.services.store.read() as view:
        events = view.feed.events_after(0, person.user.id, 10_000)
    requested = [event for event in events if event.event == "approval.requested"]
    return [event.approval_id for event in requested if event.not_notified_because is None]


def test_requests_over_the_limit_per_minute_are_held_back(limited, template):
    """They are listed and marked, but notify nobody; their webhook events say `notify: false`."""
    person, agent = template.person(limited), _writer(limited, "writer")
    reasons = [_write(agent) for _ in range(4)]
    assert reasons == [None, None, "held_back", "held_back"]
    items = person.call("GET", "/api/approvals").json["items"]
    assert sorted(item["held_back"] for item in items) == [False, False, True, True]
    assert len(_notified_ids(limited, person)) == 2
    webhook_notify = [
        message["notify"]
        for message in limited.messages()
        if message["event"] == "approval.requested"
    ]
    assert webhook_notify == [True, True, False, False]


def test_minute_and_hour_are_sliding_windows(limited):
    """Each limit covers the minute or hour before a request, not a clock minute or hour."""
    agent, other = _writer(limited, "writer"), _writer(limited, "other")
    assert _write(agent) is None
    limited.clock.forward(40 * SECOND)
    assert _write(other) is None
    limited.clock.forward(19 * SECOND)
    assert _write(agent) == "held_back"
    limited.clock.forward(1 * SECOND)
    assert _write(agent) is None
    limited.clock.forward(MINUTE)
    assert _write(other) is None
    limited.clock.forward(MINUTE)
    assert _write(other) == "held_back"
    limited.clock.forward(57 * MINUTE)
    assert _write(agent) is None


def test_one_agent_cannot_use_up_a_persons_hourly_limit(limited):
    """After three notifications from one agent, a different agent can still notify."""
    agent, other = _writer(limited, "writer"), _writer(limited, "other")
    for _ in range(3):
        assert _write(agent) is None
        limited.clock.forward(MINUTE)
    assert _write(agent) == "held_back"
    assert _write(other) is None


def test_held_back_requests_do_not_count(limited):
    """A flood in one minute does not use up the limit of the next minute."""
    agent = _writer(limited, "writer")
    for _ in range(20):
        _write(agent)
    limited.clock.forward(MINUTE)
    assert _write(agent) is None


def test_one_type_cannot_use_up_the_hourly_limit(open_limited):
    """The limit per type spans agents, but other types and other people are counted separately."""
    local = open_limited(notify_per_type=1)
    new_person(local, "ben")

    def with_type(name):
        detail = {"amount": {"minor": 1, "currency": "EUR"}, "payee": "a", "type": name}
        return {"authorization_details": json.dumps([detail])}

    writer, other = _writer(local, "writer"), _writer(local, "other")
    assert _write(writer, **with_type("post")) is None
    assert _write(other, **with_type("post")) == "held_back"
    assert _write(other, **with_type("post"), login_hint="ben") is None
    assert _write(other, **with_type("note")) is None


def test_low_risk_notifies_once_an_hour_and_counts_toward_no_other_limit(limited, template):
    """Only one of a hundred low-risk requests notifies, and medium risk still notifies."""
    person, agent = template.person(limited), _writer(limited, "writer")
    approval_ids = [agent.request_approval()[1].id for _ in range(100)]
    assert _notified_ids(limited, person) == approval_ids[:1]
    assert _last_hold_reason(limited) == "digest"
    assert not any(limited.stored_approval(id_).held_back for id_ in approval_ids)
    assert _write(agent) is None
    limited.clock.forward(60 * MINUTE)
    agent.request_approval()
    assert _last_hold_reason(limited) is None


def test_high_risk_has_its_own_limit(limited, template):
    """Requests of lower risk, from the same agent or a different one, cannot use it up."""
    person, agent = template.person(limited), _writer(limited, "writer")
    for _ in range(10):
        agent.request_approval()
        _write(agent)
    assert _pay(agent) is None
    assert _pay(template.agent(limited)) is None
    assert len(_notified_ids(limited, person)) == 5


def test_high_risk_requests_do_not_count_toward_another_agents_limit(limited, template):
    """Only the agent that overstates its risk is held back."""
    liar, honest = _writer(limited, "liar"), template.agent(limited)
    assert [_pay(liar) for _ in range(4)] == [None, None, "held_back", "held_back"]
    assert _pay(honest) is None
    limited.clock.forward(MINUTE)
    assert [_pay(liar), _pay(liar)] == [None, "held_back"]
    limited.clock.forward(60 * MINUTE)
    assert _pay(liar) is None


def test_a_reported_agent_does_not_notify_the_reporter(limited, template):
    """A reported agent that was enabled again does not notify until the incident is closed."""
    person, agent = template.person(limited), template.agent(limited)
    _, approval = agent.request_payment()
    members = {"decision": "deny", "code": "suspicious", "ceremony": "none"}
    signed = person.decision(approval.id, person.session, **members)
    path = f"/api/approvals/{approval.id}/report"
    incident = person.call("POST", path, {"decision": signed, "scope": "agent"}).json["incident"]
    limited.admin.agents.enable("invoice-bot", by=BY)
    new_person(limited, "ben")

    assert _pay(agent) == "reported"
    assert _pay(agent, login_hint="ben") is None
    with limited.services.store.write() as tx:
        tx.incidents.close(incident, by=BY, note=None, now=tx.now)
    assert _pay(agent) is None


def test_requests_to_unknown_users_count_toward_no_limit(open_limited):
    """With hidden users, a request to an unknown user is accepted but notifies nobody."""
    local = open_limited(unknown_user="hide")
    agent = _writer(local, "writer")
    for _ in range(3):
        agent.request_approval(scope="openid news:write", resource=NEWS, login_hint="ghost")
    assert _write(agent) is None


def test_notifications_older_than_an_hour_are_deleted(limited):
    """Notifications older than an hour no longer count, so pruning deletes them."""
    agent = _writer(limited, "writer")
    _write(agent)
    limited.clock.forward(60 * MINUTE - 1)
    with limited.services.store.write() as tx:
        assert tx.notifications.prune(tx.now) == 0
    limited.clock.forward(1)
    with limited.services.store.write() as tx:
        assert tx.notifications.prune(tx.now) == 1

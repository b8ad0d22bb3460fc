"""Limits of open requests: what each limit counts, and what its refusal says."""

import json

import pytest

from server.model.devices import MAX_ATTEMPTS
from tests.support.builders.callers import new_local_agent, new_person
from tests.support.builders.clock import DAY, MINUTE
from tests.support.builders.installation import BY, PAY, PAYMENT, register_agent


@pytest.fixture
def strict(open_local, template):
    """Allows one open request per agent and two per person; two denials start a pause."""
    local = open_local(open_per_agent=1, open_per_user=2, denials_before_pause=2)
    return template.agent(local), template.person(local), local


def _deny(agent, person, **parameters):
    _, approval = agent.request_approval(**parameters)
    assert person.deny(approval.id).status == 200


def _causes(local):
    return [entry["cause"] for entry in local.admin.entries("approval.refused")]


def test_open_requests_per_agent_and_person_are_limited(strict):
    """A decided request is no longer open, and requests to other people are counted separately."""
    agent, person, local = strict
    new_person(local, "ben")
    _, first = agent.request_approval()
    refused = agent.ask()
    assert refused.refusal == (403, "access_denied")
    assert "already has 1 open request" in refused.json["error_description"]
    assert _causes(local) == ["open_per_agent"]
    assert agent.ask(login_hint="ben").status == 200
    person.approve(first.id)
    assert agent.ask().status == 200


def test_an_expired_request_is_not_open(strict):
    """An expired request does not count, whether or not the sweeper has run."""
    agent, _, local = strict
    agent.request_approval(requested_expiry="60")
    local.clock.forward(MINUTE - 1)
    assert agent.ask().status == 403
    local.clock.forward(1)
    assert agent.ask().status == 200


def test_open_requests_per_person_are_limited_over_all_agents(strict):
    """More agents do not raise the limit."""
    agent, _, local = strict
    agent.request_approval()
    for name, status in (("second", 200), ("third", 403)):
        registration = register_agent(local.admin, name, auth_method="client_secret_post")
        answer = agent.ask(client_id=registration.agent.id, client_secret=registration.secret)
        assert answer.status == status
    assert _causes(local) == ["open_per_user"]


def test_repeated_denials_pause_requests_for_half_an_hour(strict):
    """The half hour starts with the last denial."""
    agent, person, local = strict
    _deny(agent, person)
    local.clock.forward(9 * MINUTE)
    _deny(agent, person)
    refused = agent.ask()
    assert refused.refusal == (403, "access_denied")
    assert "half an hour" in refused.json["error_description"]
    assert _causes(local) == ["denied_repeatedly"]
    local.clock.forward(30 * MINUTE - 1)
    assert agent.ask().status == 403
    local.clock.forward(1)
    assert agent.ask().status == 200


def test_denials_more_than_ten_minutes_apart_do_not_pause(strict):
    """Only denials within ten minutes are counted together."""
    agent, person, local = strict
    _deny(agent, person)
    local.clock.forward(10 * MINUTE + 1)
    person.refresh()
    _deny(agent, person)
    assert agent.ask().status == 200


def test_a_pause_is_for_one_agent_and_one_action_type(strict):
    """The agent can still request other types, and other agents are not paused."""
    agent, person, local = strict
    refund = {**PAYMENT, "type": "payment.refund"}
    local.admin.actions.add(json.dumps(refund), by=BY)
    payment = {
        "scope": "openid payments:transfer",
        "authorization_details": json.dumps(
            [{"type": "payment.transfer", "amount": {"minor": 1, "currency": "EUR"}, "payee": "N"}]
        ),
    }
    for _ in range(2):
        _deny(agent, person, **payment)
    assert agent.ask(**payment).status == 403
    other = register_agent(local.admin, "other", auth_method="client_secret_post", resources=(PAY,))
    credentials = {"client_id": other.agent.id, "client_secret": other.secret}
    handle = agent.ask(**payment, **credentials).json["auth_req_id"]
    person.deny(local.approval_for(handle).id)
    details = payment["authorization_details"].replace("transfer", "refund")
    handle, approval = agent.request_approval(**{**payment, "authorization_details": details})
    person.deny(approval.id)
    assert agent.ask().status == 200


def test_open_requests_per_agent_are_limited_over_all_people(open_local, template):
    """A decided request no longer counts as open."""
    local = open_local(open_in_all=2)
    agent, person = template.agent(local), template.person(local)
    new_person(local, "ben")
    new_person(local, "cleo")
    _, first = agent.request_approval()
    agent.request_approval(login_hint="ben")
    refused = agent.ask(login_hint="cleo")
    assert refused.refusal == (403, "access_denied")
    assert "already has 2 open requests." in refused.json["error_description"]
    assert _causes(local) == ["open_in_all"]
    person.deny(first.id)
    assert agent.ask(login_hint="cleo").status == 200


def test_with_hidden_users_the_limit_is_the_same_for_unknown_users(open_local, template):
    """The limit counts per agent and user name, ignores case, and leaves out expired requests."""
    local = open_local(unknown_user="hide", open_per_agent=2)
    agent = template.agent(local)
    for hint in ("ana", "nobody"):
        answers = [agent.ask(login_hint=name) for name in (hint, hint, hint.upper())]
        assert [answer.status for answer in answers] == [200, 200, 403]
        assert "already has 2 open requests for this" in answers[2].json["error_description"]
    assert agent.ask(login_hint="nobody else").status == 200
    local.clock.forward(DAY)
    assert agent.ask(login_hint="nobody").status == 200


def test_with_hidden_users_the_named_limit_is_the_same_for_unknown_users(open_local, template):
    """Checking the limits in a different order would reveal who exists."""
    for hint in ("ana", "nobody"):
        local = open_local(unknown_user="hide", open_per_agent=1, open_in_all=1)
        agent = template.agent(local)
        assert agent.ask(login_hint=hint).status == 200
        refused = agent.ask(login_hint=hint)
        assert "for this person" in refused.json["error_description"]
        assert "in all" not in refused.json["error_description"]
        other = agent.ask(login_hint=f"{hint} else")
        assert "already has 1 open request." in other.json["error_description"]


def test_high_risk_requests_have_their_own_limit_per_person(strict):
    """A flood of low-risk requests does not block high-risk requests."""
    agent, _, local = strict
    others = ("second", "third", "fourth", "fifth")
    agents = [agent, *(new_local_agent(local, name) for name in others)]
    statuses = [agent.ask().status for agent in agents[:3]]
    assert statuses == [200, 200, 403]
    assert [agent.ask_payment().status for agent in agents[2:]] == [200, 200, 403]
    assert _causes(local) == ["open_per_user", "open_per_user"]


def test_high_risk_requests_have_their_own_limits_per_agent(open_local, template):
    """One limit counts per person, and the other counts over all people."""
    local = open_local(open_per_agent=2, open_in_all=3)
    agent, _ = template.agent(local), template.person(local)
    new_person(local, "ben")
    low = [agent.ask().status for _ in range(3)]
    high = [agent.ask_payment().status for _ in range(3)]
    assert (low, high) == ([200, 200, 403], [200, 200, 403])
    assert _causes(local) == ["open_per_agent"] * 2
    assert agent.ask(login_hint="ben").status == 403
    other_statuses = [agent.ask_payment(login_hint="ben").status for _ in range(2)]
    assert other_statuses == [200, 403]
    assert _causes(local)[2:] == ["open_in_all"] * 2


def test_with_hidden_users_high_risk_limits_are_the_same_for_unknown_users(open_local, template):
    """A different limit for unknown users would reveal who exists."""
    statuses = []
    for hint in ("ana", "who is not there"):
        local = open_local(unknown_user="hide", open_per_agent=1)
        template.person(local)
        agent = template.agent(local)
        calls = (agent.ask, agent.ask, agent.ask_payment, agent.ask_payment)
        statuses.append([call(login_hint=hint).status for call in calls])
    assert statuses == [[200, 403, 200, 403]] * 2


def test_the_number_of_denials_is_not_limited(open_local, template):
    """Even a locked device can deny every request."""
    limits = {"open_per_agent": 100, "open_per_user": 100, "denials_before_pause": 100}
    local = open_local(**limits)
    agent, person = template.agent(local), template.person(local)
    approvals = [agent.request_approval()[1] for _ in range(60)]
    for _ in range(MAX_ATTEMPTS):
        assert person.pin().status == 200
    assert person.pin().status == 423
    assert [person.deny(approval.id).status for approval in approvals] == [200] * 60

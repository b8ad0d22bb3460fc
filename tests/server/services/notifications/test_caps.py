"""Nobody's attention is flooded, and whoever is refused learns why and for how long."""

import json

import pytest

from server.model.devices import MOST_TRIES
from tests.support.builders.callers import LocalAgent, new_person
from tests.support.builders.clock import DAY, MINUTE
from tests.support.builders.installation import BY, PAY, PAYMENT, registered


@pytest.fixture
def strict(open_local, template):
    """One open request per agent, two per person, two denials."""
    local = open_local(open_per_agent=1, open_per_user=2, denials_before_pause=2)
    return template.agent(local), template.person(local), local


def _deny(agent, person, **asked):
    _, approval = agent.asked(**asked)
    assert person.deny(approval.id).status == 200


def _causes(local):
    return [entry["cause"] for entry in local.desk.entries("approval.refused")]


def test_one_agent_has_so_many_open_requests_with_one_person(strict):
    """An answer makes room for the next; another person is another count."""
    agent, person, local = strict
    new_person(local, "ben")
    _, first = agent.asked()
    refused = agent.ask()
    assert refused.refusal == (403, "access_denied")
    assert "already has 1 open requests" in refused.json["error_description"]
    assert _causes(local) == ["open_per_agent"]
    assert agent.ask(login_hint="ben").status == 200
    person.approve(first.id)
    assert agent.ask().status == 200


def test_a_request_that_ran_out_is_not_open_any_more(strict):
    """Whether or not somebody has swept it up."""
    agent, _, local = strict
    agent.asked(requested_expiry="60")
    local.clock.forward(MINUTE - 1)
    assert agent.ask().status == 403
    local.clock.forward(1)
    assert agent.ask().status == 200


def test_all_agents_together_have_so_many_open_requests_with_one_person(strict):
    """However many agents there are."""
    agent, _, local = strict
    agent.asked()
    for name, status in (("second", 200), ("third", 403)):
        given = registered(local.desk, name, auth_method="client_secret_post")
        answer = agent.ask(client_id=given.agent.id, client_secret=given.secret)
        assert answer.status == status
    assert _causes(local) == ["open_per_user"]


def test_repeated_denials_pause_such_requests_for_half_an_hour(strict):
    """A person is not worn down by asking again; the pause counts from the last denial."""
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


def test_denials_far_apart_do_not_pause(strict):
    """Two within ten minutes count, two in a morning do not."""
    agent, person, local = strict
    _deny(agent, person)
    local.clock.forward(10 * MINUTE + 1)
    person.refresh()
    _deny(agent, person)
    assert agent.ask().status == 200


def test_a_pause_is_for_the_kind_of_request_that_was_denied(strict):
    """Other action types may still be asked for, and other agents may ask."""
    agent, person, local = strict
    refund = {**PAYMENT, "type": "payment.refund"}
    local.desk.actions.add(json.dumps(refund), by=BY)
    payment = {
        "scope": "openid payments:transfer",
        "authorization_details": json.dumps(
            [{"type": "payment.transfer", "amount": {"minor": 1, "currency": "EUR"}, "payee": "N"}]
        ),
    }
    for _ in range(2):
        _deny(agent, person, **payment)
    assert agent.ask(**payment).status == 403
    other = registered(local.desk, "other", auth_method="client_secret_post", resources=(PAY,))
    named = {"client_id": other.agent.id, "client_secret": other.secret}
    handle = agent.ask(**payment, **named).json["auth_req_id"]
    person.deny(local.behind(handle).id)
    refunded = payment["authorization_details"].replace("transfer", "refund")
    handle, approval = agent.asked(**{**payment, "authorization_details": refunded})
    person.deny(approval.id)
    assert agent.ask().status == 200


def test_one_agent_has_so_many_open_requests_in_all(open_local, template):
    """However many people there are; an answer makes room for the next."""
    local = open_local(open_in_all=2)
    agent, person = template.agent(local), template.person(local)
    new_person(local, "ben")
    new_person(local, "cleo")
    _, first = agent.asked()
    agent.asked(login_hint="ben")
    refused = agent.ask(login_hint="cleo")
    assert refused.refusal == (403, "access_denied")
    assert "already has 2 open requests." in refused.json["error_description"]
    assert _causes(local) == ["open_in_all"]
    person.deny(first.id)
    assert agent.ask(login_hint="cleo").status == 200


def test_where_unknown_users_are_hidden_nobody_may_be_asked_as_often_as_somebody(
    open_local, template
):
    """By this agent under one name, in whatever case; what ran out makes room."""
    local = open_local(unknown_user="hide", open_per_agent=2)
    agent = template.agent(local)
    for hint in ("ana", "nobody"):
        answers = [agent.ask(login_hint=name) for name in (hint, hint, hint.upper())]
        assert [answer.status for answer in answers] == [200, 200, 403]
        assert "already has 2 open requests for this" in answers[2].json["error_description"]
    assert agent.ask(login_hint="nobody else").status == 200
    local.clock.forward(DAY)
    assert agent.ask(login_hint="nobody").status == 200


def test_where_two_caps_are_reached_the_same_one_is_named_for_somebody_and_for_nobody(
    open_local, template
):
    """Word for word; else the order of our checks would tell who exists."""
    for hint in ("ana", "nobody"):
        local = open_local(unknown_user="hide", open_per_agent=1, open_in_all=1)
        agent = template.agent(local)
        assert agent.ask(login_hint=hint).status == 200
        refused = agent.ask(login_hint=hint)
        assert "for this person" in refused.json["error_description"]
        assert "in all" not in refused.json["error_description"]
        other = agent.ask(login_hint=f"{hint} else")
        assert "already has 1 open requests." in other.json["error_description"]


def test_a_flood_of_low_risk_leaves_room_for_what_is_grave(strict):
    """Whoever floods a person keeps nobody from asking what is grave, which has its own cap."""
    agent, _, local = strict
    agents = [agent]
    for name in ("second", "third", "fourth", "fifth"):
        given = registered(local.desk, name, auth_method="client_secret_post")
        agents.append(LocalAgent(local, given.agent.id, given.secret))
    statuses = [one.ask().status for one in agents[:3]]
    assert statuses == [200, 200, 403]
    assert [one.ask_payment().status for one in agents[2:]] == [200, 200, 403]
    assert _causes(local) == ["open_per_user", "open_per_user"]


def test_an_agents_own_flood_leaves_room_for_what_is_grave(open_local, template):
    """With one person and with everybody; what is grave has as much room, and no more."""
    local = open_local(open_per_agent=2, open_in_all=3)
    agent, _ = template.agent(local), template.person(local)
    new_person(local, "ben")
    low = [agent.ask().status for _ in range(3)]
    grave = [agent.ask_payment().status for _ in range(3)]
    assert (low, grave) == ([200, 200, 403], [200, 200, 403])
    assert _causes(local) == ["open_per_agent"] * 2
    assert agent.ask(login_hint="ben").status == 403
    elsewhere = [agent.ask_payment(login_hint="ben").status for _ in range(2)]
    assert elsewhere == [200, 403]
    assert _causes(local)[2:] == ["open_in_all"] * 2


def test_nobody_has_the_same_room_for_what_is_grave(open_local, template):
    """A cap that differed would tell who exists."""
    told = []
    for hint in ("ana", "who is not there"):
        local = open_local(unknown_user="hide", open_per_agent=1)
        template.person(local)
        agent = template.agent(local)
        calls = (agent.ask, agent.ask, agent.ask_payment, agent.ask_payment)
        told.append([call(login_hint=hint).status for call in calls])
    assert told == [[200, 403, 200, 403]] * 2


def test_a_person_may_deny_without_limit(open_local, template):
    """A flood is answered as fast as it comes, and a device that is locked denies too."""
    most = {"open_per_agent": 100, "open_per_user": 100, "denials_before_pause": 100}
    local = open_local(**most)
    agent, person = template.agent(local), template.person(local)
    asked = [agent.asked()[1] for _ in range(60)]
    for _ in range(MOST_TRIES):
        assert person.pin().status == 200
    assert person.pin().status == 423
    assert [person.deny(one.id).status for one in asked] == [200] * 60

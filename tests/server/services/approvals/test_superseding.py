"""An agent puts a newer request in the place of its own, and only of its own that waits."""

import pytest

from server.protocol import errors
from server.protocol.approvals import decisions
from server.protocol.approvals.states import State
from server.services.approvals import superseding
from server.services.clients.agent_forms import AgentChanges, NewAgent
from server.services.notifications.feed import approval_topic
from server.services.policy.policies import Policies
from tests.support.builders import consents
from tests.support.builders.callers import LocalAgent, new_person
from tests.support.builders.clock import DAY
from tests.support.builders.installation import BY
from tests.support.builders.policies import rule
from tests.support.fakes.receiver import receiver


def _all(local):
    """Every request with how it stands."""
    with local.services.store.read() as view:
        found = view.approvals.search(state=None, agent_id=None, user_id=None, limit=100)
        return {one.id: (one.state, one.reason) for one in found}


def _revoke(agent, handle):
    return agent.local.post_form("/revoke", {"token": handle, **agent.credentials})


def test_a_newer_request_takes_the_place_of_an_earlier_one(agent, person):
    """In one step: the earlier one is over everywhere and says why, the newer one says whose."""
    handle, earlier = agent.asked()
    _, newer = agent.asked(supersedes=handle, binding_message="the right invoice")
    shown = person.show(earlier.id)
    assert (shown["state"], shown["reason"]) == ("cancelled", "superseded")
    refused = agent.poll(handle)
    assert (refused.refusal, refused.json["reason"]) == ((400, "access_denied"), "superseded")
    (waits,) = person.call("GET", "/api/approvals").json["items"]
    fingerprint = decisions.fingerprint(earlier.action_digest)
    assert waits["id"] == newer.id
    assert waits["supersedes"] == {"id": earlier.id, "fingerprint": fingerprint}
    assert shown["supersedes"] is None
    assert person.deny(earlier.id).status == 409


def test_screens_and_log_tell_of_both(agent, person, local):
    """The end of the one before the beginning of the other, each naming the other."""
    handle, earlier = agent.asked()
    before = len(local.desk.events(person.user))
    _, newer = agent.asked(supersedes=handle)
    events = local.desk.events(person.user)[before:]
    assert events == ["approval.cancelled", "approval.requested"]
    (ended,) = local.desk.entries("approval.cancelled")
    assert (ended["actor"], ended["cause"]) == (f"agent:{agent.id}", "superseded")
    assert ended["facts"] == {"superseded_by": newer.id}
    made = {one["approval_id"]: one for one in local.desk.entries("approval.requested")}
    assert made[newer.id]["facts"]["supersedes"] == earlier.id
    assert "supersedes" not in made[earlier.id]["facts"]


@pytest.fixture
def end(agent, person, local):
    """Ends a request in one of the ways in which a request ends."""

    def redeem(handle):
        person.approve(local.behind(handle).id)
        assert agent.poll(handle).status == 200

    return {
        "approved": lambda handle: person.approve(local.behind(handle).id),
        "denied": lambda handle: person.deny(local.behind(handle).id),
        "redeemed": redeem,
        "withdrawn": lambda handle: _revoke(agent, handle),
        "expired": lambda _handle: local.clock.forward(DAY),
        "superseded": lambda handle: agent.asked(supersedes=handle),
    }


@pytest.mark.parametrize(
    "how", ["approved", "denied", "redeemed", "withdrawn", "expired", "superseded"]
)
def test_what_waits_no_more_is_not_replaced(agent, local, end, how):
    """It has an answer, which the agent is told to fetch; nothing changes."""
    handle, _ = agent.asked()
    end[how](handle)
    before = _all(local)
    refused = agent.ask(supersedes=handle)
    assert refused.refusal == (400, "invalid_request")
    assert "no longer pending" in refused.json["error_description"]
    assert _all(local) == before


def test_another_agents_request_looks_like_one_that_does_not_exist(agent, local):
    """Word for word, and both change nothing."""
    handle, earlier = agent.asked()
    given = local.desk.agents.add(
        NewAgent(
            "other-bot",
            ("admin",),
            auth_method="client_secret_post",
            resources=(earlier.resource,),
            scopes=("payments:read",),
        ),
        by=BY,
    )
    thief = LocalAgent(local, given.agent.id, given.secret)
    before = _all(local)
    foreign, unknown = thief.ask(supersedes=handle), agent.ask(supersedes=handle + "x")
    assert foreign.refusal == (400, "invalid_request")
    assert (foreign.status, foreign.body) == (unknown.status, unknown.body)
    assert _all(local) == before


def test_a_request_to_somebody_else_is_not_replaced(agent, local):
    """Who was asked keeps their request; nobody else gets one in its place."""
    new_person(local, "ben")
    handle, _ = agent.asked()
    before = _all(local)
    refused = agent.ask(supersedes=handle, login_hint="ben")
    assert refused.refusal == (400, "invalid_request")
    assert "same person" in refused.json["error_description"]
    assert _all(local) == before


@pytest.mark.parametrize(
    ("wanted", "error"),
    [
        ({"login_hint": "ghost"}, "unknown_user_id"),
        ({"scope": "openid payments:none"}, "invalid_scope"),
        ({"binding_message": "\x07"}, "invalid_binding_message"),
    ],
)
def test_where_the_newer_one_is_refused_the_earlier_one_goes_on(agent, local, wanted, error):
    """Both or neither."""
    handle, _ = agent.asked()
    before = _all(local)
    assert agent.ask(supersedes=handle, **wanted).json["error"] == error
    assert _all(local) == before


def test_the_earlier_one_makes_room_under_every_cap(open_local, template):
    """An agent at its limit corrects itself; one more is one too many as ever."""
    local = open_local(open_per_agent=1, open_per_user=1, open_in_all=1)
    agent, _ = template.agent(local), template.person(local)
    handle, _ = agent.asked_payment()
    assert agent.ask_payment().refusal == (403, "access_denied")
    newer, _ = agent.asked_payment(supersedes=handle)
    assert agent.ask_payment().refusal == (403, "access_denied")
    assert agent.ask(supersedes=newer).status == 200


def test_what_is_grave_gets_no_room_from_what_is_not(open_local, template):
    """The slots of high risk are counted apart, and so is what leaves them."""
    local = open_local(open_per_agent=9, open_per_user=1)
    agent, _ = template.agent(local), template.person(local)
    low, _ = agent.asked()
    high, _ = agent.asked_payment()
    assert agent.ask_payment(supersedes=low).refusal == (403, "access_denied")
    assert agent.ask_payment(supersedes=high).status == 200


def test_an_answer_that_comes_meanwhile_counts(agent, person, local):
    """The step is conditional: the newer request is then not made at all."""
    _, earlier = agent.asked()
    person.deny(earlier.id)
    with (
        pytest.raises(errors.InvalidRequest, match="no longer pending"),
        local.services.store.write() as tx,
    ):
        superseding.cancel_superseded(tx, earlier, earlier)
    assert local.stored(earlier.id).state is State.DENIED


def test_the_same_call_again_joins_what_it_made(agent):
    """A lost answer is no second replacement."""
    handle, _ = agent.asked()
    key = {"idempotency-key": "once"}
    first, again = (agent.ask(key, supersedes=handle) for _ in range(2))
    assert first.json["auth_req_id"] == again.json["auth_req_id"]
    assert agent.ask(key).refusal == (400, "invalid_request")


def test_what_a_consent_lets_through_replaces_too(agent, person, local):
    """Nobody has to answer the newer one, and the earlier one waits no more either."""
    allows = rule("allow", 'when.at = ["request"]', 'when.resource = ["*"]', name="open")
    handle, earlier = agent.asked()
    Policies(local.services.store).set(allows, by=BY)
    consents.give(local, agent, person)
    newer, approval = agent.asked(supersedes=handle)
    assert approval.state is State.APPROVED
    assert local.stored(earlier.id).reason == "superseded"
    assert agent.poll(newer).status == 200


def test_hidden_users_are_replaced_like_those_who_exist(open_local, template):
    """Nobody's request ends, makes room and is refused as somebody's does."""
    local = open_local(unknown_user="hide", open_per_agent=1)
    agent, _ = template.agent(local), template.person(local)
    told = []
    for hint in ("ana", "ghost"):
        handle, _ = agent.asked(login_hint=hint)
        agent.asked(login_hint=hint, supersedes=handle)
        over = agent.poll(handle).json
        again = agent.ask(login_hint=hint, supersedes=handle)
        told.append((over["reason"], again.refusal, again.json["error_description"]))
    assert told[0] == told[1]
    handle, _ = agent.asked(login_hint="spirit")
    assert "same person" in agent.ask(supersedes=handle).json["error_description"]


def test_a_held_poll_of_nobody_is_released_as_soon_as_that_of_somebody(open_local, template):
    """How long it is held would tell who exists."""
    local = open_local(unknown_user="hide")
    agent, _ = template.agent(local), template.person(local)
    hub = local.services.hub
    for hint in ("ana", "ghost"):
        handle, earlier = agent.asked(login_hint=hint)
        with hub.subscribe(approval_topic(earlier.id)) as changed:
            hub.round()
            hub.round()
            changed.clear()
            agent.asked(login_hint=hint, supersedes=handle)
            hub.round()
            assert changed.is_set(), hint


def test_the_agent_is_not_called_about_what_it_replaced(agent, local):
    """It knows."""
    with receiver() as far:
        asked = AgentChanges(delivery="push", notification_endpoint=far.url())
        local.desk.agents.update(agent.id, asked, by=BY)
        handle, earlier = agent.asked(client_notification_token="a" * 22)
        agent.asked(client_notification_token="b" * 22, supersedes=handle)
        local.deliver()
        assert far.got == []
    assert local.stored(earlier.id).notification_token is None

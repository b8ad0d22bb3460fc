"""An agent replaces its own pending request with a newer one."""

import pytest

from server.protocol import errors
from server.protocol.approvals import decisions
from server.protocol.approvals.states import State
from server.services.ciba import plans
from server.services.clients.agent_forms import AgentChanges, NewAgent
from server.services.notifications.feed import approval_topic
from server.services.policy.policies import Policies
from tests.support.builders import consents
from tests.support.builders.callers import LocalAgent, new_person
from tests.support.builders.clock import DAY
from tests.support.builders.installation import BY
from tests.support.builders.policies import rule
from tests.support.fakes.receiver import receiver


def _states_and_reasons(local):
    """Return the state and the reason of every request."""
    with local.services.store.read() as view:
        approvals = view.approvals.search(state=None, agent_id=None, user_id=None, limit=100)
        return {approval.id: (approval.state, approval.reason) for approval in approvals}


def _revoke(agent, handle):
    return agent.local.post_form("/revoke", {"token": handle, **agent.credentials})


def test_a_newer_request_supersedes_an_earlier_one(agent, person):
    """Both requests change atomically, and each names the other."""
    handle, earlier = agent.request_approval()
    _, newer = agent.request_approval(supersedes=handle, binding_message="the right invoice")
    shown = person.show(earlier.id)
    assert (shown["state"], shown["reason"]) == ("cancelled", "superseded")
    refused = agent.poll(handle)
    assert (refused.refusal, refused.json["reason"]) == ((400, "access_denied"), "superseded")
    (pending,) = person.call("GET", "/api/approvals").json["items"]
    fingerprint = decisions.fingerprint(earlier.action_digest)
    assert pending["id"] == newer.id
    assert pending["supersedes"] == {"id": earlier.id, "fingerprint": fingerprint}
    assert shown["supersedes"] is None
    assert person.deny(earlier.id).status == 409


def test_superseding_writes_events_and_entries_for_both_requests(agent, person, local):
    """The cancellation comes before the new request."""
    handle, earlier = agent.request_approval()
    before = len(local.admin.events(person.user))
    _, newer = agent.request_approval(supersedes=handle)
    events = local.admin.events(person.user)[before:]
    assert events == ["approval.cancelled", "approval.requested"]
    (ended,) = local.admin.entries("approval.cancelled")
    assert (ended["actor"], ended["cause"]) == (f"agent:{agent.id}", "superseded")
    assert ended["facts"] == {"superseded_by": newer.id}
    requested = {entry["approval_id"]: entry for entry in local.admin.entries("approval.requested")}
    assert requested[newer.id]["facts"]["supersedes"] == earlier.id
    assert "supersedes" not in requested[earlier.id]["facts"]


@pytest.fixture
def end(agent, person, local):
    """Ends a request in one of the possible ways."""

    def redeem(handle):
        person.approve(local.approval_for(handle).id)
        assert agent.poll(handle).status == 200

    return {
        "approved": lambda handle: person.approve(local.approval_for(handle).id),
        "denied": lambda handle: person.deny(local.approval_for(handle).id),
        "redeemed": redeem,
        "withdrawn": lambda handle: _revoke(agent, handle),
        "expired": lambda _handle: local.clock.forward(DAY),
        "superseded": lambda handle: agent.request_approval(supersedes=handle),
    }


@pytest.mark.parametrize(
    "how", ["approved", "denied", "redeemed", "withdrawn", "expired", "superseded"]
)
def test_a_request_that_is_not_pending_cannot_be_superseded(agent, local, end, how):
    """The call is refused, and no request changes."""
    handle, _ = agent.request_approval()
    end[how](handle)
    before = _states_and_reasons(local)
    refused = agent.ask(supersedes=handle)
    assert refused.refusal == (400, "invalid_request")
    assert "is not pending" in refused.json["error_description"]
    assert _states_and_reasons(local) == before


def test_a_request_of_another_agent_looks_unknown(agent, local):
    """The responses are equal, and no request changes."""
    handle, earlier = agent.request_approval()
    registration = local.admin.agents.add(
        NewAgent(
            "other-bot",
            ("admin",),
            auth_method="client_secret_post",
            resources=(earlier.resource,),
            scopes=("payments:read",),
        ),
        by=BY,
    )
    thief = LocalAgent(local, registration.agent.id, registration.secret)
    before = _states_and_reasons(local)
    stolen, unknown = thief.ask(supersedes=handle), agent.ask(supersedes=handle + "x")
    assert stolen.refusal == (400, "invalid_request")
    assert (stolen.status, stolen.body) == (unknown.status, unknown.body)
    assert _states_and_reasons(local) == before


def test_a_request_to_another_person_cannot_be_superseded(agent, local):
    """No request of either person changes."""
    new_person(local, "ben")
    handle, _ = agent.request_approval()
    before = _states_and_reasons(local)
    refused = agent.ask(supersedes=handle, login_hint="ben")
    assert refused.refusal == (400, "invalid_request")
    assert "same person" in refused.json["error_description"]
    assert _states_and_reasons(local) == before


@pytest.mark.parametrize(
    ("wanted", "error"),
    [
        ({"login_hint": "ghost"}, "unknown_user_id"),
        ({"scope": "openid payments:none"}, "invalid_scope"),
        ({"binding_message": "\x07"}, "invalid_binding_message"),
    ],
)
def test_a_refused_newer_request_keeps_the_earlier_one(agent, local, wanted, error):
    """Superseding and requesting are one atomic step, which fails as a whole."""
    handle, _ = agent.request_approval()
    before = _states_and_reasons(local)
    assert agent.ask(supersedes=handle, **wanted).json["error"] == error
    assert _states_and_reasons(local) == before


def test_the_superseded_request_does_not_count_against_limits(open_local, template):
    """An agent at its limit can correct a request, but cannot add one."""
    local = open_local(open_per_agent=1, open_per_user=1, open_in_all=1)
    agent, _ = template.agent(local), template.person(local)
    handle, _ = agent.request_payment()
    assert agent.ask_payment().refusal == (403, "access_denied")
    newer, _ = agent.request_payment(supersedes=handle)
    assert agent.ask_payment().refusal == (403, "access_denied")
    assert agent.ask(supersedes=newer).status == 200


def test_superseding_a_low_risk_request_does_not_allow_a_high_risk_one(open_local, template):
    """Low risk and high risk have separate limits."""
    local = open_local(open_per_agent=9, open_per_user=1)
    agent, _ = template.agent(local), template.person(local)
    low, _ = agent.request_approval()
    high, _ = agent.request_payment()
    assert agent.ask_payment(supersedes=low).refusal == (403, "access_denied")
    assert agent.ask_payment(supersedes=high).status == 200


def test_a_decision_before_the_replacement_is_kept(agent, person, local):
    """The decision is kept, and the newer request is not created."""
    _, earlier = agent.request_approval()
    person.deny(earlier.id)
    with (
        pytest.raises(errors.InvalidRequest, match="is not pending"),
        local.services.store.write() as tx,
    ):
        plans.cancel_superseded(tx, earlier, earlier)
    assert local.stored_approval(earlier.id).state is State.DENIED


def test_repeating_the_call_returns_the_same_request(agent):
    """The repeated call has the same idempotency key."""
    handle, _ = agent.request_approval()
    key = {"idempotency-key": "once"}
    first, again = (agent.ask(key, supersedes=handle) for _ in range(2))
    assert first.json["auth_req_id"] == again.json["auth_req_id"]
    assert agent.ask(key).refusal == (400, "invalid_request")


def test_an_automatically_approved_request_supersedes_too(agent, person, local):
    """The earlier request is canceled immediately."""
    allows = rule("allow", 'when.at = ["request"]', 'when.resource = ["*"]', name="open")
    handle, earlier = agent.request_approval()
    Policies(local.services.store).set(allows, by=BY)
    consents.give(local, agent, person)
    newer, approval = agent.request_approval(supersedes=handle)
    assert approval.state is State.APPROVED
    assert local.stored_approval(earlier.id).reason == "superseded"
    assert agent.poll(newer).status == 200


def test_with_hidden_users_superseding_looks_the_same_for_unknown_users(open_local, template):
    """Reasons, limits and errors are equal for known and unknown users."""
    local = open_local(unknown_user="hide", open_per_agent=1)
    agent, _ = template.agent(local), template.person(local)
    answers = []
    for hint in ("ana", "ghost"):
        handle, _ = agent.request_approval(login_hint=hint)
        agent.request_approval(login_hint=hint, supersedes=handle)
        superseded = agent.poll(handle).json
        again = agent.ask(login_hint=hint, supersedes=handle)
        answers.append((superseded["reason"], again.refusal, again.json["error_description"]))
    assert answers[0] == answers[1]
    handle, _ = agent.request_approval(login_hint="spirit")
    assert "same person" in agent.ask(supersedes=handle).json["error_description"]


def test_a_superseded_held_poll_is_released_alike_for_unknown_users(open_local, template):
    """A difference in time would reveal which users exist."""
    local = open_local(unknown_user="hide")
    agent, _ = template.agent(local), template.person(local)
    hub = local.services.hub
    for hint in ("ana", "ghost"):
        handle, earlier = agent.request_approval(login_hint=hint)
        with hub.subscribe(approval_topic(earlier.id)) as changed:
            hub.round()
            hub.round()
            changed.clear()
            agent.request_approval(login_hint=hint, supersedes=handle)
            hub.round()
            assert changed.is_set(), hint


def test_an_agent_gets_no_callback_for_a_superseded_request(agent, local):
    """The agent superseded the request itself, so it needs no callback."""
    with receiver() as endpoint:
        changes = AgentChanges(delivery="push", notification_endpoint=endpoint.url())
        local.admin.agents.update(agent.id, changes, by=BY)
        handle, earlier = agent.request_approval(client_notification_token="a" * 22)
        agent.request_approval(client_notification_token="b" * 22, supersedes=handle)
        local.deliver()
        assert endpoint.got == []
    assert local.stored_approval(earlier.id).notification_token is None

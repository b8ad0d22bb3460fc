"""An agent that serves a resource names the client of a call by the token that came with it."""

import json

import jwt
import pytest

from server.protocol.approvals.states import State
from server.services.clients.agent_forms import AgentChanges, NewAgent
from server.services.clients.app_forms import AppChanges
from tests.support.builders.app_users import new_app
from tests.support.builders.callers import LocalAgent
from tests.support.builders.clock import MINUTE
from tests.support.builders.installation import BY, PAY
from tests.support.inputs.handmade_jwts import new_key

PAYMENT = json.dumps(
    [
        {
            "type": "payment.transfer",
            "amount": {"minor": 482_000, "currency": "EUR"},
            "payee": "Nordwind Logistik GmbH",
        }
    ]
)


def _serves(local, agent, *uris):
    local.admin.agents.update(agent.id, AgentChanges(serves=uris), by=BY)


@pytest.fixture
def assistant(local, agent):
    """A second agent, which calls the resource that the first agent serves."""
    _serves(local, agent, PAY)
    new_agent = NewAgent(
        name="assistant",
        owners=("admin",),
        auth_method="client_secret_post",
        resources=(PAY,),
        scopes=("payments:read",),
    )
    added = local.admin.agents.add(new_agent, by=BY)
    return LocalAgent(local, added.agent.id, added.secret)


def _token(client, person):
    """A token in which the client acts for the person."""
    handle, approval = client.request_approval()
    assert person.approve(approval.id).status == 200
    return client.poll(handle).json["access_token"]


@pytest.fixture
def token(assistant, person):
    """The assistant's token for Ana at the resource."""
    return _token(assistant, person)


def _ask(agent, token, **changes):
    return agent.ask_payment(login_hint=None, login_hint_token=token, **changes)


def test_the_user_and_the_client_of_a_call_are_those_of_its_token(
    agent, assistant, person, local, token
):
    """The approver sees the caller; otherwise the request is the agent's own."""
    approval = local.approval_for(_ask(agent, token).json["auth_req_id"])
    assert (approval.user_id, approval.agent_id, approval.caller_id) == (
        person.user.id,
        agent.id,
        assistant.id,
    )
    assert approval.scope == "payments:transfer"
    assert json.loads(approval.display)["agent"]["through"] == ["assistant"]
    assert approval.parent_id is None


def test_every_audit_entry_of_a_request_names_the_caller(
    agent, assistant, person, local, resource, token
):
    """Every entry from request to execution names the user, the agent and the caller."""
    answer = _ask(agent, token, binding_message="Tool pay")
    approval = local.approval_for(answer.json["auth_req_id"])
    assert person.approve(approval.id).status == 200
    paid = agent.poll(answer.json["auth_req_id"]).json["access_token"]
    assert resource.consume(paid).status == 200
    assert resource.report(approval.id).status == 200
    entries = [entry for entry in local.admin.entries() if entry.get("approval_id") == approval.id]
    assert [entry["type"].partition(".")[2] for entry in entries] == [
        "requested",
        "approved",
        "issued",
        "consumed",
        "executed",
    ]
    assert {(entry["subject"], entry["agent_id"], entry["caller_id"]) for entry in entries} == {
        (person.user.id, agent.id, assistant.id)
    }
    request_facts = entries[0]["facts"]
    assert (request_facts["agent_says"], request_facts["types"]) == (
        "Tool pay",
        ["payment.transfer"],
    )


def test_a_newer_token_of_the_same_caller_with_the_same_key_gets_the_same_request(
    agent, assistant, person, local, token
):
    """A caller that refreshed its token keeps its request; another caller is refused."""
    key = {"headers": {"idempotency-key": "k"}}
    first = _ask(agent, token, **key).json["auth_req_id"]
    local.clock.forward(4 * MINUTE)
    person.refresh()
    newer = _token(assistant, person)
    local.clock.forward(2 * MINUTE)
    assert _ask(agent, newer, **key).json["auth_req_id"] == first
    person.refresh()
    other = _token(agent, person)
    assert _ask(agent, other, **key).refusal == (400, "invalid_request")


def test_the_request_outlives_the_token_of_the_call(agent, person, local, token):
    """The agent's token contains nothing from the token of the call."""
    local.clock.forward(4 * MINUTE)
    handle = _ask(agent, token).json["auth_req_id"]
    local.clock.forward(3 * MINUTE)
    person.refresh()
    assert person.approve(local.approval_for(handle).id).status == 200
    answer = agent.poll(handle).json
    assert answer["expires_in"] == 300
    assert "act" not in local.claims(answer["access_token"])["act"]


def test_an_agent_that_does_not_serve_the_resource_cannot_name_its_callers(agent, local, token):
    """Having a token does not prove a call, and the error says what is not registered."""
    _serves(local, agent)
    answer = _ask(agent, token)
    assert answer.refusal == (400, "invalid_request")
    assert answer.json["reason"] == "not_served"


def test_a_token_that_this_server_did_not_issue_is_refused(agent, local, assistant, token):
    """The same claims signed by another key cannot make a client look like the caller."""
    header = jwt.get_unverified_header(token)
    forged = new_key("ES256").sign(dict(local.claims(token)), **header)
    assert _ask(agent, forged).refusal == (400, "invalid_request")
    assert local.admin.entries("approval.requested")[-1]["agent_id"] == assistant.id


@pytest.mark.parametrize("ending", ["expired", "revoked", "client disabled"])
def test_a_token_of_a_call_that_is_no_longer_valid_is_refused(
    agent, assistant, local, token, ending
):
    """The error tells the agent to wait for a new call."""
    if ending == "expired":
        local.clock.forward(5 * MINUTE)
    elif ending == "revoked":
        local.post_form("/revoke", {"token": token, **assistant.credentials})
    else:
        local.admin.agents.disable(assistant.id, by=BY)
    assert _ask(agent, token).refusal == (400, "expired_login_hint_token")


def test_a_token_of_a_client_that_acts_for_itself_names_no_person(agent, assistant):
    """Without a person, there is nobody to ask."""
    own_token = assistant.alone().json["access_token"]
    assert _ask(agent, own_token).refusal == (400, "invalid_request")


def test_a_session_token_is_not_accepted_as_the_token_of_a_call(agent, person, local):
    """The error names the session, and does not claim that a registration is missing."""
    _serves(local, agent, PAY)
    refused = _ask(agent, person.access_token)
    assert refused.refusal == (400, "invalid_request")
    assert "a person's session" in refused.json["error_description"]
    assert "reason" not in refused.json


def test_disabling_the_caller_ends_the_requests_for_its_calls(agent, assistant, local, token):
    """A person must not approve requests for a client that is disabled."""
    approval = local.approval_for(_ask(agent, token).json["auth_req_id"])
    local.admin.agents.disable(assistant.id, by=BY)
    assert local.admin.state(approval) == (State.CANCELLED, "caller_disabled")


def test_disabling_an_app_ends_the_requests_for_its_calls(agent, person, local):
    """An app that calls an agent is treated like an agent that calls one."""
    app = new_app(local)
    approval = local.admin.approval(agent.id, person.user.id, caller_id=app.id)
    local.admin.apps.update(app.id, AppChanges(enabled=False), by=BY)
    assert local.admin.state(approval) == (State.CANCELLED, "caller_disabled")


def test_an_expired_caller_gets_no_token(agent, assistant, person, local, token):
    """The expiry of the caller is checked at the decision and at the redemption."""
    handle = _ask(agent, token).json["auth_req_id"]
    until = local.clock.now() + MINUTE
    local.admin.agents.update(assistant.id, AgentChanges(expires_at=until), by=BY)
    assert person.approve(local.approval_for(handle).id).status == 200
    local.clock.forward(2 * MINUTE)
    assert agent.poll(handle).refusal[0] == 400
    assert local.admin.state(local.approval_for(handle)) == (State.CANCELLED, "caller_disabled")

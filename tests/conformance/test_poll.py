"""CIBA Core 10.1 and 11, and known attacks: fetching the tokens.

Pacing, holding, expiry and denial are tested with the flows. These tests are about who may fetch
what, with which parameters, and how often.
"""

from concurrent.futures import ThreadPoolExecutor
from typing import Any

import httpx
import pytest

from approver_tui.client.devices.keys import KeyLevel
from approver_tui.client.jose import SigningKey
from server.services.audit import audit
from server.services.clients.agent_forms import AgentChanges
from server.services.clients.agents import Agents
from server.services.users.users import Users
from tests.support.builders.installation import PAY
from tests.support.checks.log_and_rows import story
from tests.support.checks.refusals import MARK, assert_unchanged, check_problem, check_refusal
from tests.support.clients.agent import CIBA, PAYMENT_DETAILS, Agent, new_agent
from tests.support.clients.terminal import Terminal, new_person
from tests.support.inputs.raw_api import RawApi
from tests.support.inputs.signing import approval_key, decision
from tests.support.servers.server import LiveServer

BY = audit.OPERATOR


@pytest.fixture(scope="module")
def low_key(person: Terminal) -> SigningKey:
    """The key that approves low-risk requests, opened once for this file's tests."""
    return approval_key(person, KeyLevel.LOW)


def _ask_and_approve(
    agent: Agent, person: Terminal, key: SigningKey, **parameters: Any
) -> tuple[str, str]:
    """Sends and approves a request; returns the handle and the approval's ID."""
    body = agent.ask(person.user, requested_expiry=1_800, **parameters).json()
    pending = next(a for a in person.waiting() if a.fingerprint == body["fingerprint"])
    approval = person.client.approval(pending.id)
    person.client.decide(pending.id, decision(person, approval, key))
    return body["auth_req_id"], pending.id


def _redeem(agent: Agent, **form: Any) -> httpx.Response:
    parameters = {name: value for name, value in {"grant_type": CIBA, **form}.items() if value}
    return agent.http.post("/token", data=parameters, auth=agent.key.basic)


def test_a_poll_without_auth_req_id_is_refused(server: LiveServer, agent: Agent) -> None:
    """CB-120: a missing and an empty handle are invalid_request."""
    with assert_unchanged(server):
        answers = [_redeem(agent), _redeem(agent, auth_req_id="")]
    for answer in answers:
        check_refusal(answer, 400, "invalid_request")


def test_a_poll_needs_client_authentication(server: LiveServer, agent: Agent, user: str) -> None:
    """CB-121: a handle is useless without the credentials of its agent."""
    handle = agent.request_approval(user)
    form = {"grant_type": CIBA, "auth_req_id": handle}
    with assert_unchanged(server):
        answers = [
            agent.http.post("/token", data=form),
            agent.http.post("/token", data={**form, "client_id": agent.key.id}),
            agent.http.post("/token", data=form, auth=(agent.key.id, "wrong")),
        ]
    for answer in answers:
        check_refusal(answer, 401, "invalid_client")


_UNKNOWN = {
    "CB-122-made-up": "sayso_ar_" + "A" * 43,
    "CB-122-word": MARK,
    "CB-122-upper": "{upper}",
    "CB-122-cut": "{cut}",
    "CB-122-longer": "{handle}A",
    "CB-122-space": "{handle} ",
    "CB-122-padding": "{handle}=",
    "CB-122-prefix": "sayso_ar_",
    "CB-122-no-prefix": "{bare}",
    "CB-122-escape": "\x1b[2J",
    "CB-122-unicode": "é",
    "CB-122-long": "a" * 50_000,
}


@pytest.mark.parametrize("case", _UNKNOWN)
def test_an_unknown_handle_is_refused(
    server: LiveServer, agent: Agent, user: str, case: str
) -> None:
    """CB-122: handles are compared exactly, and the attempt does not affect the real one."""
    handle = agent.request_approval(user)
    spellings = {
        "handle": handle,
        "upper": handle.upper(),
        "cut": handle[:-1],
        "bare": handle.removeprefix("sayso_ar_"),
    }
    with assert_unchanged(server):
        answer = _redeem(agent, auth_req_id=_UNKNOWN[case].format(**spellings))

    check_refusal(answer, 400, "invalid_grant")
    assert _redeem(agent, auth_req_id=handle).json()["error"] != "invalid_grant"


def test_another_agents_request_is_unknown_and_unaffected(
    server: LiveServer, agent: Agent, person: Terminal, low_key: SigningKey
) -> None:
    """CB-123: even an approved request is unknown to another agent; its owner gets the token."""
    handle, _ = _ask_and_approve(agent, person, low_key)
    other = Agent(server.agent(), agent.http)
    with assert_unchanged(server):
        stolen = other.poll(handle)
        with_client_id = _redeem(other, auth_req_id=handle, client_id=agent.key.id)

    check_refusal(stolen, 400, "invalid_grant")
    check_refusal(with_client_id, 401, "invalid_client")
    assert agent.poll(handle).status_code == 200


def test_a_pending_request_is_authorization_pending(
    server: LiveServer, agent: Agent, user: str
) -> None:
    """CB-125, CB-145: the answer is a 400 without a challenge."""
    handle = agent.request_approval(user)
    check_refusal(agent.poll(handle), 400, "authorization_pending")
    early = check_refusal(agent.poll(handle), 400, "slow_down")
    assert early["interval"] == 10
    server.clock.forward(10_000)
    check_refusal(agent.poll(handle), 400, "authorization_pending")


def test_an_approved_request_is_redeemed_once(
    server: LiveServer, agent: Agent, person: Terminal, low_key: SigningKey
) -> None:
    """CB-135, CB-136, CL-08: the first poll gets the tokens, and later polls get invalid_grant."""
    handle, approval_id = _ask_and_approve(agent, person, low_key)
    first = agent.poll(handle)
    body = first.json()

    assert first.status_code == 200, first.text
    assert first.headers["content-type"] == "application/json"
    assert first.headers["cache-control"] == "no-store"
    assert set(body) == {
        "access_token",
        "token_type",
        "expires_in",
        "id_token",
        "scope",
        "fingerprint",
    }
    assert (body["token_type"], body["scope"]) == ("Bearer", "openid payments:read")
    check_refusal(agent.poll(handle), 400, "invalid_grant")
    check_refusal(agent.poll(handle, prefer="wait=5"), 400, "invalid_grant")
    assert story(server, approval_id).count("token.issued") == 1


def test_twenty_concurrent_redemptions_give_one_token(
    server: LiveServer, agent: Agent, person: Terminal, low_key: SigningKey
) -> None:
    """CB-138: exactly one of twenty redemptions gets 200."""
    handle, approval_id = _ask_and_approve(agent, person, low_key)
    with ThreadPoolExecutor(20) as pool:
        answers = [
            future.result() for future in [pool.submit(agent.poll, handle) for _ in range(20)]
        ]
    accepted = [answer for answer in answers if answer.status_code == 200]

    assert len(accepted) == 1
    for answer in answers:
        if answer.status_code != 200:
            check_refusal(answer, 400, "invalid_grant")
    assert story(server, approval_id).count("token.issued") == 1


def test_a_redemption_cannot_widen_the_scope(
    agent: Agent, person: Terminal, low_key: SigningKey
) -> None:
    """CB-141: a scope parameter is ignored, and the approved scope is issued."""
    handle, _ = _ask_and_approve(agent, person, low_key)
    body = _redeem(agent, auth_req_id=handle, scope="openid payments:transfer admin").json()

    assert body["scope"] == "openid payments:read"


_OTHER_TARGETS: dict[str, tuple[dict[str, Any], str]] = {
    "RI-06-other": ({"resource": "https://other.example"}, "invalid_target"),
    "RI-06-path": ({"resource": f"{PAY}/mcp"}, "invalid_target"),
    "RI-06-two": ({"resource": [PAY, "https://other.example"]}, "invalid_target"),
    "RI-06-relative": ({"resource": "pay"}, "invalid_target"),
    "RA-12-other": (
        {"authorization_details": '[{"type":"payment.transfer","payee":"Eve"}]'},
        "invalid_authorization_details",
    ),
    "RA-12-not-json": ({"authorization_details": MARK}, "invalid_authorization_details"),
    "RA-12-none-approved": (
        {"authorization_details": '[{"type":"payment.transfer"}]'},
        "invalid_authorization_details",
    ),
}


@pytest.mark.parametrize("case", _OTHER_TARGETS)
def test_a_redemption_for_something_else_is_refused(
    server: LiveServer, agent: Agent, person: Terminal, low_key: SigningKey, case: str
) -> None:
    """RI-06, RA-12: asking for something that was not approved does not use up the approval."""
    form, error = _OTHER_TARGETS[case]
    handle, _ = _ask_and_approve(agent, person, low_key)
    with assert_unchanged(server):
        answer = _redeem(agent, auth_req_id=handle, **form)

    check_refusal(answer, 400, error)
    assert _redeem(agent, auth_req_id=handle, resource=PAY).status_code == 200


@pytest.mark.parametrize("resource", [PAY, f"{PAY}/"])
def test_a_redemption_may_name_what_was_approved(
    agent: Agent, person: Terminal, resource: str
) -> None:
    """RI-06, RI-10, RA-11, RA-12: the approved resource and details may be repeated.

    A trailing slash makes no difference, as in the request.
    """
    body = agent.ask_payment(person.user).json()
    person.approve(next(a for a in person.waiting() if a.fingerprint == body["fingerprint"]))
    details = httpx.Request("POST", "http://x", json=PAYMENT_DETAILS).content.decode()
    answer = _redeem(
        agent, auth_req_id=body["auth_req_id"], resource=resource, authorization_details=details
    )

    assert answer.status_code == 200, answer.text
    assert answer.json()["authorization_details"] == PAYMENT_DETAILS


@pytest.mark.parametrize("case", ["show", "approve", "deny", "pin"])
def test_another_users_request_is_not_found(
    server: LiveServer, agent: Agent, person: Terminal, low_key: SigningKey, case: str
) -> None:
    """NG-001, CB-202: a signed-in user who was not asked gets 404."""
    other = new_person(server)
    body = agent.ask(other.user).json()
    pending = next(a for a in other.waiting() if a.fingerprint == body["fingerprint"])
    theirs = other.client.approval(pending.id)
    api = RawApi(person, agent.http)
    path = f"/api/approvals/{pending.id}"
    choice = (
        {"decision": "deny", "code": "not_needed", "ceremony": "none"} if case == "deny" else {}
    )
    key = person.client.session.key if case == "deny" else low_key
    with assert_unchanged(server):
        if case == "show":
            answer = api.call("GET", path)
        elif case == "pin":
            pin = {"x": "A" * 43, "for": pending.id}
            answer = api.call("POST", "/api/devices/self/pin", json=pin)
        else:
            signed = decision(person, theirs, key, **choice)
            answer = api.call("POST", f"{path}/decision", json={"decision": signed})
    other.client.close()

    check_problem(answer, 404, "not_found")
    polled = _redeem(agent, auth_req_id=body["auth_req_id"]).json()["error"]
    assert polled in {"slow_down", "authorization_pending"}


def test_a_decision_by_another_users_device_is_refused(
    server: LiveServer, agent: Agent, person: Terminal, low_key: SigningKey
) -> None:
    """NG-001, NG-013: the user who was asked cannot send a decision that another user signed."""
    other = new_person(server)
    body = agent.ask(person.user, requested_expiry=1_800).json()
    pending = next(a for a in person.waiting() if a.fingerprint == body["fingerprint"])
    approval = person.client.approval(pending.id)
    forged = decision(other, approval, approval_key(other, KeyLevel.LOW))
    borrowed = decision(other, approval, low_key)
    api, path = RawApi(person, agent.http), f"/api/approvals/{pending.id}/decision"
    with assert_unchanged(server):
        answers = [
            api.call("POST", path, json={"decision": forged}),
            api.call("POST", path, json={"decision": borrowed}),
        ]
    other.client.close()

    check_problem(answers[0], 403, "key_not_allowed")
    check_problem(answers[1], 422, "invalid_decision")


_NARROWER_SCOPES = {
    "CB-147-grant-removed": AgentChanges(grant_types=("client_credentials",)),
    "CB-147-scope-removed": AgentChanges(scopes=("payments:transfer",)),
}
_REMOVALS = {
    "CB-146-user-disabled": (400, "access_denied"),
    "CB-147-agent-disabled": (400, "unauthorized_client"),
    "CB-147-agent-deleted": (401, "invalid_client"),
    "CB-147-grant-removed": (400, "unauthorized_client"),
    "CB-147-scope-removed": (400, "access_denied"),
}


def _change(server: LiveServer, case: str, agent_id: str, user: str) -> None:
    store, secrets = server.services.store, server.services.secrets
    agents = Agents(store, secrets)
    if case == "CB-146-user-disabled":
        Users(store, secrets).disable(user, by=BY)
    elif case == "CB-147-agent-disabled":
        agents.disable(agent_id, by=BY)
    elif case == "CB-147-agent-deleted":
        agents.delete(agent_id, by=BY)
    else:
        agents.update(agent_id, _NARROWER_SCOPES[case], by=BY)


@pytest.mark.parametrize("case", _REMOVALS)
def test_permissions_are_checked_again_at_redemption(server: LiveServer, case: str) -> None:
    """CB-146, CB-147, CB-204: a permission may be removed after the approval."""
    status, error = _REMOVALS[case]
    agent, person = new_agent(server), new_person(server)
    handle, approval_id = _ask_and_approve(agent, person, approval_key(person, KeyLevel.LOW))
    _change(server, case, agent.key.id, person.user)
    answer = agent.poll(handle)
    check_refusal(answer, status, error)

    assert "token.issued" not in story(server, approval_id)
    agent.http.close()
    person.client.close()

"""A resource introspects a token and consumes its approval, which can be used once."""

import json
from typing import Any

import httpx
import pytest

from server.services.tokens.keys import SigningKeys
from tests.support.builders.installation import PAY
from tests.support.checks.log_and_rows import entries, story
from tests.support.clients.agent import PAYMENT_DETAILS, Agent
from tests.support.clients.simultaneous import post_json, volley
from tests.support.clients.terminal import Terminal
from tests.support.servers.server import BY, AgentKey, LiveServer

_CONCURRENT_CALLS = 20


@pytest.fixture(scope="module")
def resource(server: LiveServer) -> AgentKey:
    """The payment API's credentials."""
    rotated = server.resources.rotate_secret(PAY, by=BY)
    return AgentKey(rotated.resource.client_id, rotated.secret, PAY)


@pytest.fixture
def token(agent: Agent, person: Terminal) -> str:
    """The token of a payment that the user approved with their PIN."""
    handle = agent.ask_payment(person.user).json()["auth_req_id"]
    person.approve(person.only_request())
    access_token: str = agent.poll(handle).json()["access_token"]
    return access_token


def _consume(agent: Agent, key: AgentKey, token: str, execution: str) -> httpx.Response:
    return agent.http.post(
        "/api/approvals/consume", json=_execution(token, execution), auth=key.basic
    )


def _execution(token: str, execution: str) -> dict[str, Any]:
    return {
        "token": token,
        "authorization_details": PAYMENT_DETAILS,
        "execution_id": execution,
    }


def _is_active(agent: Agent, key: AgentKey, token: str) -> bool:
    answer = agent.http.post("/introspect", data={"token": token}, auth=key.basic)
    active: bool = answer.json()["active"]
    return active


def test_a_payment_is_requested_approved_introspected_and_consumed(
    server: LiveServer, agent: Agent, person: Terminal, resource: AgentKey, token: str
) -> None:
    """Repeating an execution returns the same answer, and a second execution is refused."""
    reply = agent.http.post("/introspect", data={"token": token}, auth=resource.basic).json()
    assert (reply["active"], reply["username"]) == (True, person.user)
    assert reply["authorization_details"] == PAYMENT_DETAILS
    assert reply["agent"] == {"name": agent.key.name, "owners": ["admin"]}
    consumed = _consume(agent, resource, token, "INV-2291")
    assert consumed.status_code == 200, consumed.text
    assert consumed.json()["approval"] == reply["approval"]["id"]
    repeated = _consume(agent, resource, token, "INV-2291")
    assert (repeated.status_code, repeated.content) == (200, consumed.content)
    other = _consume(agent, resource, token, "INV-2292")
    assert (other.status_code, other.json()["code"]) == (409, "already_consumed")
    assert agent.http.post("/revoke", data={"token": token}, auth=agent.key.basic).content == b"{}"
    late = _consume(agent, resource, token, "INV-2291")
    assert (late.status_code, late.json()["code"]) == (403, "token_inactive")
    assert story(server, reply["approval"]["id"]) == [
        "approval.requested",
        "approval.approved",
        "token.issued",
        "approval.consumed",
        "approval.reused",
        "token.revoked",
    ]


def test_one_of_many_concurrent_executions_succeeds(
    server: LiveServer, resource: AgentKey, token: str
) -> None:
    """One of twenty gets 200. The others get already_consumed, with one alarm in the log."""
    requests = [
        post_json("/api/approvals/consume", resource, _execution(token, f"run-{number}"))
        for number in range(_CONCURRENT_CALLS)
    ]
    answers = volley(server.port, requests)
    accepted = [answer for answer in answers if answer.status == 200]
    assert len(accepted) == 1
    refused = [answer for answer in answers if answer.status != 200]
    assert {(a.status, a.json()["code"]) for a in refused} == {(409, "already_consumed")}
    approval = accepted[0].json()["approval"]
    assert len(entries(server, "approval.consumed", approval_id=approval)) == 1
    assert len(entries(server, "approval.reused", approval_id=approval)) == 1


def test_revoking_a_signing_key_invalidates_its_tokens_and_the_terminal_continues(
    server: LiveServer, agent: Agent, person: Terminal, resource: AgentKey, token: str
) -> None:
    """Revoking the keys invalidates the token immediately; a new key signs the next token."""
    assert _is_active(agent, resource, token)
    services = server.services
    keys = SigningKeys(services.store, services.signer, services.server_policy)
    for key in keys.all():
        keys.revoke(key.kid, by=BY)
    assert not _is_active(agent, resource, token)
    handle = agent.ask_payment(person.user).json()["auth_req_id"]
    person.approve(person.only_request())
    fresh = agent.poll(handle).json()["access_token"]
    assert _is_active(agent, resource, fresh)
    assert json.loads(agent.http.get("/jwks").text)["keys"]

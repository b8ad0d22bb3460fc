"""The main flow: an agent asks, a user approves in their terminal, the agent gets a token."""

import json

import jwt

from tests.support.builders.installation import PAY
from tests.support.clients.agent import PAYMENT_DETAILS, Agent
from tests.support.clients.terminal import Terminal
from tests.support.servers.server import LiveServer


def _verify_token(server: LiveServer, agent: Agent, token: str, audience: str) -> dict:
    keys = jwt.PyJWKSet.from_dict(agent.http.get("/jwks").json())
    header = jwt.get_unverified_header(token)
    return jwt.decode(
        token,
        keys[header["kid"]].key,
        algorithms=[header["alg"]],
        audience=audience,
        issuer=server.url,
        leeway=600,
    )


def test_an_approved_payment_yields_one_token_that_names_user_and_agent(
    server: LiveServer, agent: Agent, person: Terminal
) -> None:
    """The token contains what the screen showed and what the user signed."""
    request = agent.ask_payment(person.user, binding_message="INV-2291 is due").json()
    pending = person.only_request()

    assert request["fingerprint"] == pending.fingerprint
    assert pending.display.headline == "Pay EUR 4,820.00 to Nordwind Logistik GmbH"

    person.approve(pending)
    answer = agent.poll(request["auth_req_id"])
    body = answer.json()
    claims = _verify_token(server, agent, body["access_token"], PAY)

    assert answer.status_code == 200, answer.text
    assert answer.headers["cache-control"] == "no-store"
    assert jwt.get_unverified_header(body["access_token"])["typ"] == "at+jwt"
    assert claims["act"]["sub"] == agent.key.id == claims["client_id"]
    assert claims["sub"].startswith("sayso_us_")
    assert claims["authorization_details"] == PAYMENT_DETAILS == body["authorization_details"]
    assert claims["approval"]["action_digest"] == pending.action_digest
    assert claims["exp"] - claims["iat"] == body["expires_in"] == 300
    identity = _verify_token(server, agent, body["id_token"], agent.key.id)
    assert identity["sub"] == claims["sub"]
    assert identity["amr"] == ["swk", "pin"]


def test_the_audit_log_has_the_whole_flow_with_the_signed_decision(
    server: LiveServer, agent: Agent, person: Terminal
) -> None:
    """The log has one entry for the request, the approval and the token, each with every fact."""
    handle = agent.request_approval(person.user)
    pending = person.only_request()
    person.approve(pending)
    agent.poll(handle)
    with server.services.store.read() as view:
        entries = view.audit.of_approval(pending.id)
    bodies = [json.loads(entry.body) for entry in entries]

    assert [body["type"] for body in bodies] == [
        "approval.requested",
        "approval.approved",
        "token.issued",
    ]
    assert bodies[1]["facts"]["signed"].count(".") == 2
    for body in bodies:
        assert {
            "agent_id",
            "subject",
            "resource",
            "action",
            "decision",
            "at",
            "correlation_id",
            "posture",
        } <= set(body)


def test_a_redeemed_handle_returns_no_token_and_raises_an_alarm(
    server: LiveServer, agent: Agent, person: Terminal
) -> None:
    """The second redemption of a handle returns invalid_grant and is logged."""
    handle = agent.request_approval(person.user)
    pending = person.only_request()
    person.approve(pending)
    first, second = agent.poll(handle), agent.poll(handle)
    with server.services.store.read() as view:
        types = [entry.type for entry in view.audit.of_approval(pending.id)]

    assert first.status_code == 200
    assert (second.status_code, second.json()["error"]) == (400, "invalid_grant")
    assert types.count("token.issued") == 1
    assert types.count("handle.reused") == 1

"""CIBA Core 10.3 and 12, with a real notification endpoint: tokens or an error are pushed.

No public suite tests push mode, so these tests follow the specification alone.
"""

import base64
import hashlib
import json
from collections.abc import Iterator
from typing import Any

import jwt
import pytest

from server.services.approvals.oversight import Oversight
from server.services.audit import audit
from server.services.clients.agents import Agents
from tests.support.builders.clock import MINUTE
from tests.support.checks.refusals import check_refusal
from tests.support.checks.waiting import until
from tests.support.clients.agent import PAYMENT_DETAILS, Agent, new_agent
from tests.support.clients.terminal import Terminal
from tests.support.fakes.receiver import Receiver, answer, receiver
from tests.support.servers.server import LiveServer

TOKEN = "8d67dc78-7faa-4d41-aabd-67707b374255"
AUTH_REQ_ID = "urn:openid:params:jwt:claim:auth_req_id"


@pytest.fixture
def far() -> Iterator[Receiver]:
    """The agent's notification endpoint."""
    with receiver() as endpoint:
        yield endpoint


@pytest.fixture
def pushed(server: LiveServer, far: Receiver) -> Iterator[Agent]:
    """An agent in push mode."""
    push_agent = new_agent(server, delivery="push", notification_endpoint=far.url())
    yield push_agent
    push_agent.http.close()


def _ask(agent: Agent, person: Terminal, **parameters: Any) -> tuple[str, Any]:
    response = agent.ask(person.user, client_notification_token=TOKEN, **parameters)
    assert response.status_code == 200, response.text
    reply = response.json()
    (approval,) = (a for a in person.waiting() if a.fingerprint == reply["fingerprint"])
    return reply["auth_req_id"], approval


def _body(far: Receiver) -> dict[str, Any]:
    until(lambda: far.got)
    body: dict[str, Any] = json.loads(far.got[-1].body)
    return body


def _half_hash(token: str, name: str = "sha256") -> str:
    digest = hashlib.new(name, token.encode()).digest()
    return base64.urlsafe_b64encode(digest[: len(digest) // 2]).rstrip(b"=").decode()


def test_the_acknowledgement_of_a_push_agent_has_no_interval(pushed: Agent, user: str) -> None:
    """CB-114: an agent in push mode does not poll, so it gets no interval."""
    answered = pushed.ask(user, client_notification_token=TOKEN)
    assert answered.json().keys() == {"auth_req_id", "expires_in", "fingerprint"}


@pytest.mark.parametrize("alg", ["ES256", "EdDSA", "RS256"])
def test_tokens_are_pushed_with_their_hashes(
    server: LiveServer, person: Terminal, far: Receiver, alg: str
) -> None:
    """CB-170, CB-171: the push has the token answer, the handle and an ID token over both."""
    agent = new_agent(server, delivery="push", notification_endpoint=far.url(), id_token_alg=alg)
    details = json.dumps(PAYMENT_DETAILS)
    handle, approval = _ask(
        agent, person, scope="openid payments:transfer", authorization_details=details
    )
    person.approve(approval)
    body = _body(far)
    claims = jwt.decode(body["id_token"], options={"verify_signature": False})
    agent.http.close()

    assert body.keys() >= {"auth_req_id", "access_token", "token_type", "expires_in", "id_token"}
    assert far.got[0].headers["Authorization"] == f"Bearer {TOKEN}"
    assert far.got[0].headers["Content-Type"] == "application/json"
    assert body["auth_req_id"] == claims[AUTH_REQ_ID] == handle
    assert claims["at_hash"] == _half_hash(
        body["access_token"], "sha512" if alg == "EdDSA" else "sha256"
    )
    assert "refresh_token" not in body
    assert "urn:openid:params:jwt:claim:rt_hash" not in claims
    assert body["authorization_details"] == PAYMENT_DETAILS
    assert body["expires_in"] <= 300


def test_a_push_agent_may_not_poll(pushed: Agent, person: Terminal, far: Receiver) -> None:
    """CB-124: polling is refused before and after the decision."""
    handle, approval = _ask(pushed, person)
    check_refusal(pushed.poll(handle), 400, "unauthorized_client")
    person.approve(approval)
    _body(far)
    check_refusal(pushed.poll(handle), 400, "unauthorized_client")


_ENDS = {
    "denied": "access_denied",
    "expired": "expired_token",
    "too late": "transaction_failed",
}


@pytest.mark.parametrize("end", _ENDS)
def test_each_error_is_pushed_with_its_code(
    server: LiveServer, pushed: Agent, person: Terminal, far: Receiver, end: str
) -> None:
    """CB-172: the push has one of three codes, the handle and the notification token."""
    handle, approval = _ask(pushed, person, requested_expiry="60")
    if end == "denied":
        person.deny(approval)
    if end == "expired":
        server.clock.forward(MINUTE)
    if end == "too late":
        far.behavior = answer(503)
        person.approve(approval)
        until(lambda: far.got)
        server.clock.forward(6 * MINUTE)  # before the endpoint works, or a retry would push tokens
        far.behavior = answer(204)
    body = until(lambda: next((b for b in _bodies(far) if "error" in b), None), seconds=60)

    assert body["error"] == _ENDS[end]
    assert body["auth_req_id"] == handle
    assert body["error_description"].isascii()
    assert far.got[-1].headers["Authorization"] == f"Bearer {TOKEN}"
    assert not {"access_token", "id_token", "refresh_token"} & body.keys()


def _bodies(far: Receiver) -> list[dict[str, Any]]:
    return [json.loads(request.body) for request in far.got]


def test_a_denial_is_pushed(pushed: Agent, person: Terminal, far: Receiver) -> None:
    """CB-172: the push has the error, the handle, the denial code and the note."""
    handle, approval = _ask(pushed, person)
    person.deny(approval, "wrong_details", "the amount")
    body = _body(far)

    assert (body["error"], body["auth_req_id"]) == ("access_denied", handle)
    assert (body["deny_code"], body["note"]) == ("wrong_details", "the amount")
    assert body["error_description"]
    assert not {"access_token", "id_token"} & body.keys()


def test_an_expiry_is_pushed(
    server: LiveServer, pushed: Agent, person: Terminal, far: Receiver
) -> None:
    """CB-172: an agent that may not poll could not learn of the expiry otherwise."""
    handle, _ = _ask(pushed, person, requested_expiry="60")
    server.clock.forward(MINUTE)
    body = _body(far)

    assert (body["error"], body["auth_req_id"]) == ("expired_token", handle)


def test_a_withdrawal_by_an_administrator_is_pushed(
    server: LiveServer, pushed: Agent, person: Terminal, far: Receiver
) -> None:
    """CB-172: the push has the reason cancelled."""
    _, approval = _ask(pushed, person)
    Oversight(server.services.store).cancel(approval.id, "wrong person", by=audit.OPERATOR)
    body = _body(far)

    assert (body["error"], body["reason"]) == ("access_denied", "cancelled")


def test_a_failed_push_is_repeated_with_the_same_token(
    server: LiveServer, pushed: Agent, person: Terminal, far: Receiver
) -> None:
    """CB-174, NG-008: each push has the same access token, which is issued once."""
    far.behavior = answer(500)
    _, approval = _ask(pushed, person)
    person.approve(approval)
    until(lambda: len(far.got) == 2, seconds=10)
    far.behavior = answer(200)
    until(lambda: len(far.got) == 3, seconds=10)
    bodies = [json.loads(request.body) for request in far.got]

    assert len({body["access_token"] for body in bodies}) == 1
    assert bodies[2]["expires_in"] <= bodies[0]["expires_in"]
    with server.services.store.read() as view:
        assert view.delegations.of_approval(approval.id) is not None
        entries = [entry.type for entry in view.audit.of_approval(approval.id)]
    assert entries.count("token.issued") == 1


@pytest.mark.parametrize("status", [301, 302, 307, 308])
def test_a_push_of_tokens_follows_no_redirect(
    server: LiveServer, pushed: Agent, person: Terminal, far: Receiver, status: int
) -> None:
    """CB-175: tokens go only to the registered endpoint, and the log records the failure."""
    far.behavior = answer(status, Location=far.url().replace("hook", "elsewhere"))
    _, approval = _ask(pushed, person)
    person.approve(approval)
    until(lambda: far.got)

    def entries() -> list[str]:
        with server.services.store.read() as view:
            return [entry.type for entry in view.audit.of_approval(approval.id)]

    until(lambda: "callback.lost" in entries())
    assert [request.path for request in far.got] == ["/hook"]


def test_a_disabled_agent_gets_no_push(
    server: LiveServer, pushed: Agent, person: Terminal, far: Receiver
) -> None:
    """CB-147: a push that is in the outbox is not sent to a disabled agent."""
    far.behavior = answer(503)
    _, approval = _ask(pushed, person)
    person.deny(approval)
    until(lambda: far.got)
    services = server.services
    Agents(services.store, services.secrets).disable(pushed.key.id, by=audit.OPERATOR)

    def count_messages(*states: str) -> int:
        with services.store.read() as view:
            counts = view.outbox.counts()
        return sum(counts.get(state, 0) for state in states)

    until(lambda: count_messages("leased") == 0)  # a push may already be on its way
    calls = len(far.got)
    far.behavior = answer(200)
    until(lambda: count_messages("waiting", "leased") == 0)
    assert len(far.got) == calls

"""After a kill without warning and a restart, acknowledged data is still there."""

from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass, field
from typing import Any

import httpx
import pytest

from approver_tui.state.approvals.approvals import Approval
from tests.support.checks.log_and_rows import story
from tests.support.clients.agent import Agent, new_agent
from tests.support.clients.terminal import Terminal, new_person
from tests.support.servers.server import LiveServer


@dataclass(frozen=True, slots=True)
class _Scene:
    """One agent and one user whose flow is interrupted when the server is killed."""

    agent: Agent
    person: Terminal
    asked: dict[str, Any]
    approval: Approval

    def poll(self, **headers: str) -> httpx.Response:
        """Polls for this request."""
        return self.agent.poll(self.asked["auth_req_id"], **headers)


@dataclass(slots=True)
class _StateBefore:
    """The state of the server and its clients before the kill."""

    approved: _Scene
    denied: _Scene
    waiting: _Scene
    fetched: _Scene
    fetched_answer: bytes = b""
    keys: object = None
    token: str = ""
    proof: dict[str, str] = field(default_factory=dict)


@pytest.fixture(scope="module")
def before(server: LiveServer) -> Iterator[_StateBefore]:
    """Runs four flows, kills the server with `kill -9` and restarts it on the same folder."""
    with ExitStack() as closing:
        scenes = [_ask_payment(server, closing) for _ in range(4)]
        state = _StateBefore(*scenes)
        state.approved.person.approve(state.approved.approval)
        state.denied.person.deny(state.denied.approval, "wrong_details", "Wrong month.")
        state.fetched.person.approve(state.fetched.approval)
        state.fetched_answer = state.fetched.poll(idempotency_key="lost").content
        state.keys = state.fetched.agent.http.get("/jwks").json()
        session = state.denied.person.client.session
        state.token = session.tokens.access_token()
        state.proof = {
            "Authorization": f"DPoP {state.token}",
            "DPoP": session.transport.proof("GET", "/api/me", state.token),
        }
        assert state.waiting.agent.http.get("/api/me", headers=state.proof).status_code == 200
        for _ in range(3):
            state.denied.person.client.pin(b"\0" * 32, "session")
        server.kill()
        server.start()
        yield state


def _ask_payment(server: LiveServer, closing: ExitStack) -> _Scene:
    agent, person = new_agent(server), new_person(server)
    closing.callback(agent.http.close)
    closing.callback(person.client.close)
    acknowledgement = agent.ask_payment(person.user, binding_message="INV-2291").json()
    return _Scene(agent, person, acknowledgement, person.only_request())


def test_an_approval_survives_a_kill_and_its_token_is_issued_once(
    server: LiveServer, before: _StateBefore
) -> None:
    """The server is killed between the approval and the poll; the token comes once."""
    first, second = before.approved.poll(), before.approved.poll()

    assert first.status_code == 200
    assert first.json()["fingerprint"] == before.approved.asked["fingerprint"]
    assert second.json()["error"] == "invalid_grant"
    assert story(server, before.approved.approval.id).count("token.issued") == 1


def test_a_denial_survives_a_kill(before: _StateBefore) -> None:
    """The denial still has its code, its note and its device."""
    body = before.denied.poll().json()
    (decided,) = before.denied.person.client.inbox("decided").items

    assert (body["error"], body["deny_code"]) == ("access_denied", "wrong_details")
    assert body["note"] == "Wrong month."
    assert decided.decision is not None
    assert decided.decision.device_name == "laptop"


def test_a_fetched_answer_can_be_fetched_again_after_a_kill(
    server: LiveServer, before: _StateBefore
) -> None:
    """A client that repeats its key gets the identical answer."""
    again = before.fetched.poll(idempotency_key="lost")

    assert again.status_code == 200
    assert again.content == before.fetched_answer
    assert story(server, before.fetched.approval.id).count("token.issued") == 1


def test_a_session_and_its_pin_counter_survive_a_kill(before: _StateBefore) -> None:
    """The terminal keeps its token, and its wrong PINs stay counted."""
    client = before.denied.person.client
    device = client.me().device

    assert client.session.tokens.access_token() == before.token
    assert device is not None
    assert device.pin.tries == 3


def test_a_used_proof_stays_used_after_a_kill(before: _StateBefore) -> None:
    """The used proofs are in the database, so a replay is refused."""
    again = before.waiting.agent.http.get("/api/me", headers=before.proof)

    assert (again.status_code, again.json()["code"]) == (401, "invalid_dpop_proof")


def test_the_signing_keys_survive_a_kill(before: _StateBefore) -> None:
    """The published keys are the same, so earlier signatures can still be verified."""
    assert before.fetched.agent.http.get("/jwks").json() == before.keys


def test_a_pending_request_survives_a_kill(before: _StateBefore) -> None:
    """The texts and the fingerprint stay the same, and the user can still approve."""
    scene = before.waiting
    earlier, current = scene.approval, scene.person.only_request()
    approved = scene.person.approve(earlier)

    assert (current.action_text, current.display_text) == (
        earlier.action_text,
        earlier.display_text,
    )
    assert current.fingerprint == scene.asked["fingerprint"]
    assert approved.state == "approved"
    assert scene.poll().status_code == 200

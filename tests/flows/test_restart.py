"""The server is killed without warning and started again: what was acknowledged is still there."""

import contextlib
import threading

import httpx
import pytest

from approver_tui.client.errors import Unreachable
from tests.support.agent import Agent
from tests.support.clock import SECOND
from tests.support.feed_line import greeted
from tests.support.record import state, stored, story
from tests.support.server import LiveServer
from tests.support.signing import decision
from tests.support.terminal import PIN, Terminal
from tests.support.waiting import meanwhile, until


def _again(server: LiveServer) -> None:
    """`kill -9`, and a new process on the same folder."""
    server.kill()
    server.start()


def test_a_decision_outlives_the_process_and_its_token_comes_once(
    server: LiveServer, agent: Agent, person: Terminal
) -> None:
    """Killed between the yes and the poll: one token, and then no other."""
    asked = agent.ask_payment(person.user).json()
    handle = asked["auth_req_id"]
    waiting = person.only()
    person.approve(waiting)
    _again(server)
    first, second = agent.poll(handle), agent.poll(handle)

    assert first.status_code == 200
    assert first.json()["fingerprint"] == asked["fingerprint"]
    assert second.json()["error"] == "invalid_grant"
    assert story(server, waiting.id).count("token.issued") == 1


def test_a_denial_outlives_the_process(server: LiveServer, agent: Agent, person: Terminal) -> None:
    """With its code, its note and the device that gave it."""
    handle = agent.asked(person.user)
    person.deny(person.only(), "wrong_details", "Wrong month.")
    _again(server)
    body = agent.poll(handle).json()
    (over,) = person.client.inbox("decided").items

    assert (body["error"], body["deny_code"], body["note"]) == (
        "access_denied",
        "wrong_details",
        "Wrong month.",
    )
    assert over.decided is not None
    assert over.decided.device_name == "laptop"


def test_a_waiting_request_outlives_the_process(
    server: LiveServer, agent: Agent, person: Terminal
) -> None:
    """Same texts, same fingerprint, same end; it can be approved and fetched."""
    handle = agent.asked(person.user, binding_message="INV-2291")
    before = person.only()
    _again(server)
    after = person.only()

    assert (after.action_text, after.display_text) == (before.action_text, before.display_text)
    assert after.fingerprint == before.fingerprint
    assert person.approve(before).state == "approved"
    assert agent.poll(handle).status_code == 200


def test_a_fetched_answer_can_be_fetched_again_by_another_process(
    server: LiveServer, agent: Agent, person: Terminal
) -> None:
    """The answer got lost with the process; the client's key gets the identical one."""
    handle = agent.asked(person.user)
    person.approve(person.only())
    first = agent.poll(handle, idempotency_key="lost")
    _again(server)
    second = agent.poll(handle, idempotency_key="lost")

    assert first.status_code == second.status_code == 200
    assert first.content == second.content


def test_sessions_tokens_and_counters_outlive_the_process(
    server: LiveServer, agent: Agent, person: Terminal
) -> None:
    """The terminal goes on with the token it has, and its wrong PINs stay counted."""
    token = person.client.session.tokens.access_token()
    for _ in range(3):
        person.client.pin(b"\0" * 32, "session")
    _again(server)
    device = person.client.me().device
    agent.asked(person.user)

    assert person.client.session.tokens.access_token() == token
    assert device is not None
    assert device.pin.tries == 3
    assert person.approve(person.only()).state == "approved"


def test_a_used_proof_stays_used(server: LiveServer, person: Terminal) -> None:
    """Replay memory is in the database: what was sent before the kill is refused after it."""
    session = person.client.session
    token = session.tokens.access_token()
    headers = {
        "Authorization": f"DPoP {token}",
        "DPoP": session.transport.proof("GET", "/api/me", token),
    }
    with server.client() as http:
        first = http.get("/api/me", headers=headers)
        _again(server)
        second = http.get("/api/me", headers=headers)

    assert first.status_code == 200
    assert (second.status_code, second.json()["code"]) == (401, "invalid_dpop_proof")


def test_the_keys_outlive_the_process(server: LiveServer, agent: Agent) -> None:
    """Resources that know the keys go on trusting what was signed with them."""
    before = agent.http.get("/jwks").json()
    _again(server)

    assert agent.http.get("/jwks").json() == before


def test_a_pin_sealed_before_opens_after(
    server: LiveServer, agent: Agent, person: Terminal
) -> None:
    """The server's half of the PIN is the same one for ever."""
    agent.ask_payment(person.user)
    person.decider.unlock(PIN)
    _again(server)

    assert person.approve(person.only()).state == "approved"


def test_what_ran_out_while_nobody_served_has_ended(
    server: LiveServer, agent: Agent, person: Terminal
) -> None:
    """A new process ends it before anybody asks, and the feed tells those who missed it."""
    agent.asked(person.user, requested_expiry="60")
    waiting = person.only()
    cursor = person.client.inbox("waiting").feed_cursor
    server.kill()
    server.clock.forward(61 * SECOND)
    server.start()
    until(lambda: state(server, waiting.id)[0] == "expired")
    with greeted(person, cursor=cursor) as line:
        frame = line.event("approval.expired")

    assert frame["approval"]["id"] == waiting.id


def test_a_held_poll_that_lost_its_server_can_be_sent_again(
    server: LiveServer, agent: Agent, person: Terminal
) -> None:
    """The connection breaks; nothing was used up; the next poll gets the token."""
    handle = agent.asked(person.user)
    waiting = person.only()

    def poll() -> str:
        with pytest.raises(httpx.TransportError):
            agent.poll(handle, prefer="wait=20")
        return "broken"

    with meanwhile(poll) as held:
        until(lambda: stored(server, waiting.id).polls > 0)
        _again(server)
        assert held.result(5) == "broken"
    person.approve(waiting)

    assert agent.poll(handle).status_code == 200


def test_killed_at_any_moment_an_acknowledged_answer_holds(
    server: LiveServer, agent: Agent, person: Terminal
) -> None:
    """Decisions race the kill: each that was acknowledged is there with its entry, none is half."""
    for delay in (0.0, 0.004, 0.02):
        agent.asked(person.user)
        waiting = person.client.approval(person.only().id)
        signed = decision(
            person,
            waiting,
            person.client.session.key,
            decision="deny",
            code="not_needed",
            ceremony="none",
        )
        kill = threading.Timer(delay, server.kill)
        acknowledged = False
        kill.start()
        with contextlib.suppress(Unreachable):
            acknowledged = person.client.decide(waiting.id, signed).state == "denied"
        kill.join()
        server.start()
        after, _ = state(server, waiting.id)

        assert not acknowledged or after == "denied"
        assert (after == "denied") == ("approval.denied" in story(server, waiting.id))
        if after == "pending":
            person.deny(waiting)
        server.clock.forward(41 * 60 * SECOND)  # three denials in ten minutes pause an agent

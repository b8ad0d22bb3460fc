"""CIBA Core 10.2 and the FAPI-CIBA modules of ping mode, with a real notification endpoint."""

import json
import time
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from sqlalchemy import select

from server.services.approvals.oversight import Oversight
from server.services.audit import audit
from server.services.clients.agents import Agents
from server.storage.notifications.tables import outbox
from tests.support.builders.clock import MINUTE, SECOND
from tests.support.checks.log_and_rows import story
from tests.support.checks.refusals import assert_unchanged, check_refusal
from tests.support.checks.waiting import until
from tests.support.clients.agent import Agent, new_agent
from tests.support.clients.terminal import Terminal
from tests.support.fakes.receiver import Behavior, Receiver, answer, drip, flood, hang, receiver
from tests.support.servers.server import LiveServer

TOKEN = "8d67dc78-7faa-4d41-aabd-67707b374255="


@pytest.fixture
def far() -> Iterator[Receiver]:
    """The agent's notification endpoint."""
    with receiver() as endpoint:
        yield endpoint


@pytest.fixture
def pinged(server: LiveServer, far: Receiver) -> Iterator[Agent]:
    """An agent in ping mode."""
    ping_agent = new_agent(server, delivery="ping", notification_endpoint=far.url())
    yield ping_agent
    ping_agent.http.close()


def _ask(agent: Agent, person: Terminal, **parameters: Any) -> tuple[str, Any]:
    response = agent.ask(person.user, client_notification_token=TOKEN, **parameters)
    assert response.status_code == 200, response.text
    reply = response.json()
    (approval,) = (a for a in person.waiting() if a.fingerprint == reply["fingerprint"])
    return reply["auth_req_id"], approval


@pytest.mark.parametrize("end", ["approve", "deny"])
def test_a_decision_sends_exactly_one_ping(
    pinged: Agent, person: Terminal, far: Receiver, end: str
) -> None:
    """CB-160, FC-A12, FC-03: the ping has the agent's token and only the handle in its body."""
    handle, approval = _ask(pinged, person)
    getattr(person, end)(approval)
    until(lambda: far.got)
    (request,) = far.got

    assert (request.method, request.path) == ("POST", "/hook")
    assert request.headers["Content-Type"] == "application/json"
    assert request.headers["Authorization"] == f"Bearer {TOKEN}"
    assert json.loads(request.body) == {"auth_req_id": handle}
    answered = pinged.poll(handle)
    if end == "approve":
        assert answered.status_code == 200, answered.text
    else:
        check_refusal(answered, 400, "access_denied")


def test_a_poll_after_a_ping_is_never_pending(
    pinged: Agent, person: Terminal, far: Receiver
) -> None:
    """CB-168: the decision is stored before the ping is sent."""
    statuses: list[int] = []

    def poll_at_once(handler: Any) -> None:
        handle = json.loads(far.got[-1].body)["auth_req_id"]
        statuses.append(pinged.poll(handle).status_code)
        answer(204)(handler)

    far.behavior = poll_at_once
    for _ in range(5):
        _, approval = _ask(pinged, person)
        person.approve(approval)
        until(lambda: len(statuses) == len(far.got) > 0)

    until(lambda: len(statuses) == 5)
    assert statuses == [200] * 5


def test_tokens_fetched_after_a_ping_are_not_issued_again(
    server: LiveServer, pinged: Agent, person: Terminal, far: Receiver
) -> None:
    """NG-007, CB-136: a second poll gets invalid_grant, and one token was issued."""
    answers: list[int] = []

    def poll_at_once(handler: Any) -> None:
        handle = json.loads(far.got[-1].body)["auth_req_id"]
        answers.extend(pinged.poll(handle).status_code for _ in range(2))
        answer(204)(handler)

    far.behavior = poll_at_once
    handle, approval = _ask(pinged, person)
    person.approve(approval)
    until(lambda: len(answers) == 2)
    assert answers == [200, 400]
    check_refusal(pinged.poll(handle), 400, "invalid_grant")
    assert story(server, approval.id).count("token.issued") == 1


def test_an_expiry_sends_no_ping(
    server: LiveServer, pinged: Agent, person: Terminal, far: Receiver
) -> None:
    """CB-161: the agent knows the expiry, so the next ping is for the next request."""
    handle, _ = _ask(pinged, person, requested_expiry="60")
    server.clock.forward(MINUTE)
    check_refusal(pinged.poll(handle), 400, "expired_token")
    other, approval = _ask(pinged, person)
    person.deny(approval)
    until(lambda: far.got)
    assert [json.loads(request.body) for request in far.got] == [{"auth_req_id": other}]


def test_a_withdrawal_by_an_administrator_sends_a_ping(
    server: LiveServer, pinged: Agent, person: Terminal, far: Receiver
) -> None:
    """The agent cannot know of this withdrawal, so a ping tells it."""
    handle, approval = _ask(pinged, person)
    Oversight(server.services.store).cancel(approval.id, "wrong person", by=audit.OPERATOR)
    until(lambda: far.got)
    refused = check_refusal(pinged.poll(handle), 400, "access_denied")
    assert refused["reason"] == "cancelled"


def test_a_withdrawal_by_the_agent_sends_no_ping(
    pinged: Agent, person: Terminal, far: Receiver
) -> None:
    """The agent knows of its own withdrawal, so the next ping is for the next request."""
    handle, _ = _ask(pinged, person)
    revoked = pinged.http.post("/revoke", data={"token": handle}, auth=pinged.key.basic)
    assert revoked.status_code == 200
    check_refusal(pinged.poll(handle), 400, "access_denied")
    other, approval = _ask(pinged, person)
    person.deny(approval)
    until(lambda: far.got)
    assert [json.loads(request.body)["auth_req_id"] for request in far.got] == [other]


def test_a_ping_agent_may_poll(server: LiveServer, pinged: Agent, person: Terminal) -> None:
    """CB-143: an agent in ping mode gets an interval and may poll too."""
    handle, _ = _ask(pinged, person)
    server.clock.forward(5 * SECOND)
    check_refusal(pinged.poll(handle), 400, "authorization_pending")


_ANSWERS: dict[str, Callable[[Receiver], Behavior]] = {
    "FC-37-CB-162-body": lambda _: answer(200, b'{"redirect":"https://evil.example"}'),
    "CB-162-204": lambda _: answer(204),
    "FC-38-401": lambda _: answer(401),
    "FC-39-403": lambda _: answer(403),
    "FC-41-CB-163-301": lambda far: answer(301, Location=far.url().replace("hook", "elsewhere")),
    "CB-163-307": lambda far: answer(307, Location=far.url().replace("hook", "elsewhere")),
    "404": lambda _: answer(404),
    "drip": lambda _: drip,
    "flood": lambda _: flood,
    "hang": lambda _: hang,
}


@pytest.mark.parametrize("case", _ANSWERS)
def test_the_flow_completes_whatever_the_notification_endpoint_answers(
    pinged: Agent, person: Terminal, far: Receiver, case: str
) -> None:
    """FC-37 to FC-41, CB-162 to CB-166: no redirect is followed, and no approver waits."""
    far.behavior = _ANSWERS[case](far)
    handle, approval = _ask(pinged, person)
    began = time.monotonic()
    person.approve(approval)
    assert time.monotonic() - began < 20
    until(lambda: far.got)

    assert pinged.poll(handle).status_code == 200
    assert {request.path for request in far.got} == {"/hook"}


@pytest.mark.parametrize("status", [301, 400, 401, 403, 404, 410])
def test_a_refused_ping_is_not_repeated(
    server: LiveServer, pinged: Agent, person: Terminal, far: Receiver, status: int
) -> None:
    """FC-40, CB-164: the same ping would be refused again."""
    far.behavior = answer(status)
    _, approval = _ask(pinged, person)
    person.deny(approval)
    until(lambda: _dead(server, pinged) == [f"status {status}"])

    assert len(far.got) == 1


def test_a_failed_ping_is_repeated_until_it_succeeds(
    server: LiveServer, pinged: Agent, person: Terminal, far: Receiver
) -> None:
    """CB-165: the ping is repeated after a pause, and the decision stays as it was."""
    far.behavior = answer(503)
    handle, approval = _ask(pinged, person)
    person.deny(approval)
    until(lambda: far.got)
    far.behavior = answer(204)
    until(lambda: len(far.got) == 2, seconds=60)

    assert {request.body for request in far.got} == {far.got[0].body}
    assert _dead(server, pinged) == []
    check_refusal(pinged.poll(handle), 400, "access_denied")


def test_a_notification_endpoint_that_hangs_delays_no_other_agent(
    server: LiveServer, pinged: Agent, person: Terminal, far: Receiver
) -> None:
    """CB-166, I14: eight pings hang, and a ping to another agent is still sent immediately."""
    far.behavior = hang
    for _ in range(8):
        _, approval = _ask(pinged, person)
        person.approve(approval)
    with receiver() as quick:
        other = new_agent(server, delivery="ping", notification_endpoint=quick.url())
        _, approval = _ask(other, person)
        began = time.monotonic()
        person.approve(approval)
        until(lambda: quick.got)
        assert time.monotonic() - began < 20
        other.http.close()
    far.over.set()


_TOKENS = {
    "CB-059-missing": None,
    "CB-061-long": "a" * 1_025,
    "CB-062-space": "a b",
    "NG-010-line": "a\r\nX-Evil: 1",
    "CB-062-quote": '"a"',
    "CB-062-non-ascii": "é",
    "CB-062-equals": "=a",
}


@pytest.mark.parametrize("case", _TOKENS)
def test_an_invalid_notification_token_is_refused(
    server: LiveServer, pinged: Agent, user: str, case: str
) -> None:
    """CB-059, CB-061, CB-062, NG-010: the request is refused, and nobody is asked."""
    with assert_unchanged(server):
        response = pinged.ask(user, client_notification_token=_TOKENS[case])
    check_refusal(response, 400, "invalid_request")


def test_a_notification_token_of_1024_characters_is_returned_complete(
    pinged: Agent, person: Terminal, far: Receiver
) -> None:
    """CB-060, FC-02: the ping has the whole token of maximum length."""
    token = "aZ09-._~+/" * 102 + "abc="
    response = pinged.ask(person.user, client_notification_token=token)
    (approval,) = (a for a in person.waiting() if a.fingerprint == response.json()["fingerprint"])
    person.deny(approval)
    until(lambda: far.got)

    assert len(token) == 1_024
    assert far.got[0].headers["Authorization"] == f"Bearer {token}"


def test_the_notification_token_of_a_poll_agent_is_ignored(agent: Agent, user: str) -> None:
    """CB-063: in poll mode, even an invalid token is not an error."""
    assert agent.ask(user, client_notification_token="no token at all").status_code == 200


def _dead(server: LiveServer, agent: Agent) -> list[str | None]:
    with server.services.store.read() as view:
        return [m.last_error for m in view.outbox.dead(100) if m.target == agent.key.id]


def _states(server: LiveServer, agent: Agent) -> list[str]:
    """Return the states of the agent's outbox messages."""
    with server.services.store.read() as view:
        rows = select(outbox.c.state).where(outbox.c.target == agent.key.id)
        return list(view._connection.execute(rows).scalars())


def test_a_disabled_agent_gets_no_ping(
    server: LiveServer, pinged: Agent, person: Terminal, far: Receiver
) -> None:
    """A ping that is already in the outbox is not sent."""
    _ask(pinged, person)
    services = server.services
    Agents(services.store, services.secrets).disable(pinged.key.id, by=audit.OPERATOR)
    until(lambda: _states(server, pinged) == ["sent"])  # handled, without a call
    assert far.got == []

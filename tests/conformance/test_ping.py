"""CIBA Core 10.2 and the FAPI-CIBA modules of ping mode, against a real endpoint of the agent."""

import json
import time
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from server.services.approvals.oversight import Oversight
from server.services.audit import audit
from server.services.clients.agents import Agents
from tests.support.builders.clock import MINUTE, SECOND
from tests.support.checks.log_and_rows import story
from tests.support.checks.refusals import check_refusal, unchanged
from tests.support.checks.waiting import until
from tests.support.clients.agent import Agent, new_agent
from tests.support.clients.terminal import Terminal
from tests.support.fakes.receiver import Behaviour, Receiver, answer, drip, flood, hang, receiver
from tests.support.servers.server import LiveServer

TOKEN = "8d67dc78-7faa-4d41-aabd-67707b374255="


@pytest.fixture
def far() -> Iterator[Receiver]:
    """The agent's notification endpoint."""
    with receiver() as made:
        yield made


@pytest.fixture
def pinged(server: LiveServer, far: Receiver) -> Iterator[Agent]:
    """An agent of this test in ping mode."""
    made = new_agent(server, delivery="ping", notification_endpoint=far.url())
    yield made
    made.http.close()


def _asked(agent: Agent, person: Terminal, **parameters: Any) -> tuple[str, Any]:
    response = agent.ask(person.user, client_notification_token=TOKEN, **parameters)
    assert response.status_code == 200, response.text
    found = response.json()
    (mine,) = (a for a in person.waiting() if a.fingerprint == found["fingerprint"])
    return found["auth_req_id"], mine


@pytest.mark.parametrize("end", ["approve", "deny"])
def test_an_answer_is_pinged_exactly_so(
    pinged: Agent, person: Terminal, far: Receiver, end: str
) -> None:
    """CB-160, FC-A12, FC-03: POST, JSON, the agent's token, the handle and nothing else."""
    handle, approval = _asked(pinged, person)
    getattr(person, end)(approval)
    until(lambda: far.got)
    (got,) = far.got

    assert (got.method, got.path) == ("POST", "/hook")
    assert got.headers["Content-Type"] == "application/json"
    assert got.headers["Authorization"] == f"Bearer {TOKEN}"
    assert json.loads(got.body) == {"auth_req_id": handle}
    answered = pinged.poll(handle)
    if end == "approve":
        assert answered.status_code == 200, answered.text
    else:
        check_refusal(answered, 400, "access_denied")


def test_a_poll_that_a_ping_caused_never_finds_it_pending(
    pinged: Agent, person: Terminal, far: Receiver
) -> None:
    """CB-168: the answer is stored before anybody hears of it."""
    statuses: list[int] = []

    def poll_at_once(handler: Any) -> None:
        handle = json.loads(far.got[-1].body)["auth_req_id"]
        statuses.append(pinged.poll(handle).status_code)
        answer(204)(handler)

    far.behaviour = poll_at_once
    for _ in range(5):
        _, approval = _asked(pinged, person)
        person.approve(approval)
        until(lambda: len(statuses) == len(far.got) > 0)

    until(lambda: len(statuses) == 5)
    assert statuses == [200] * 5


def test_what_a_ping_had_fetched_is_not_given_again(
    server: LiveServer, pinged: Agent, person: Terminal, far: Receiver
) -> None:
    """NG-007, CB-136: once the ping has led to tokens, the handle leads nowhere; one was made."""
    answers: list[int] = []

    def poll_at_once(handler: Any) -> None:
        handle = json.loads(far.got[-1].body)["auth_req_id"]
        answers.extend(pinged.poll(handle).status_code for _ in range(2))
        answer(204)(handler)

    far.behaviour = poll_at_once
    handle, approval = _asked(pinged, person)
    person.approve(approval)
    until(lambda: len(answers) == 2)
    assert answers == [200, 400]
    check_refusal(pinged.poll(handle), 400, "invalid_grant")
    assert story(server, approval.id).count("token.issued") == 1


def test_an_expiry_is_not_pinged(
    server: LiveServer, pinged: Agent, person: Terminal, far: Receiver
) -> None:
    """CB-161: its agent knows when to stop waiting; the next call is about the next request."""
    handle, _ = _asked(pinged, person, requested_expiry="60")
    server.clock.forward(MINUTE)
    check_refusal(pinged.poll(handle), 400, "expired_token")
    other, approval = _asked(pinged, person)
    person.deny(approval)
    until(lambda: far.got)
    assert [json.loads(got.body) for got in far.got] == [{"auth_req_id": other}]


def test_a_withdrawal_is_pinged(
    server: LiveServer, pinged: Agent, person: Terminal, far: Receiver
) -> None:
    """An administrator took it back, and the agent did not."""
    handle, approval = _asked(pinged, person)
    Oversight(server.services.store).cancel(approval.id, "wrong person", by=audit.OPERATOR)
    until(lambda: far.got)
    refused = check_refusal(pinged.poll(handle), 400, "access_denied")
    assert refused["reason"] == "cancelled"


def test_who_takes_its_request_back_is_not_told_so(
    pinged: Agent, person: Terminal, far: Receiver
) -> None:
    """It knows; the next call is about the next request."""
    handle, _ = _asked(pinged, person)
    revoked = pinged.http.post("/revoke", data={"token": handle}, auth=pinged.key.basic)
    assert revoked.status_code == 200
    check_refusal(pinged.poll(handle), 400, "access_denied")
    other, approval = _asked(pinged, person)
    person.deny(approval)
    until(lambda: far.got)
    assert [json.loads(got.body)["auth_req_id"] for got in far.got] == [other]


def test_polling_before_the_ping_is_like_polling(
    server: LiveServer, pinged: Agent, person: Terminal
) -> None:
    """CB-143: and the acknowledgement has an interval for it."""
    handle, _ = _asked(pinged, person)
    server.clock.forward(5 * SECOND)
    check_refusal(pinged.poll(handle), 400, "authorization_pending")


_ANSWERS: dict[str, Callable[[Receiver], Behaviour]] = {
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
def test_whatever_the_endpoint_answers_the_flow_completes_by_polling(
    pinged: Agent, person: Terminal, far: Receiver, case: str
) -> None:
    """FC-37 to FC-41, CB-162 to CB-166: no redirect is followed, and no approver waits."""
    far.behaviour = _ANSWERS[case](far)
    handle, approval = _asked(pinged, person)
    began = time.monotonic()
    person.approve(approval)
    assert time.monotonic() - began < 20
    until(lambda: far.got)

    assert pinged.poll(handle).status_code == 200
    assert {got.path for got in far.got} == {"/hook"}


@pytest.mark.parametrize("status", [301, 400, 401, 403, 404, 410])
def test_a_refusal_is_not_pinged_again(
    server: LiveServer, pinged: Agent, person: Terminal, far: Receiver, status: int
) -> None:
    """FC-40, CB-164: the same call would be refused again."""
    far.behaviour = answer(status)
    _, approval = _asked(pinged, person)
    person.deny(approval)
    until(lambda: _dead(server, pinged) == [f"status {status}"])

    assert len(far.got) == 1


def test_a_fault_is_pinged_again_until_it_is_gone(
    server: LiveServer, pinged: Agent, person: Terminal, far: Receiver
) -> None:
    """CB-165: after a pause, and the request stays what it was meanwhile."""
    far.behaviour = answer(503)
    handle, approval = _asked(pinged, person)
    person.deny(approval)
    until(lambda: far.got)
    far.behaviour = answer(204)
    until(lambda: len(far.got) == 2, seconds=60)

    assert {got.body for got in far.got} == {far.got[0].body}
    assert _dead(server, pinged) == []
    check_refusal(pinged.poll(handle), 400, "access_denied")


def test_an_endpoint_that_hangs_delays_no_other_agent(
    server: LiveServer, pinged: Agent, person: Terminal, far: Receiver
) -> None:
    """CB-166, I14: eight calls that never end, and the ninth, of somebody else, leaves at once."""
    far.behaviour = hang
    for _ in range(8):
        _, approval = _asked(pinged, person)
        person.approve(approval)
    with receiver() as quick:
        other = new_agent(server, delivery="ping", notification_endpoint=quick.url())
        _, approval = _asked(other, person)
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
def test_a_token_that_fits_no_header_asks_nobody(
    server: LiveServer, pinged: Agent, user: str, case: str
) -> None:
    """CB-059, CB-061, CB-062, NG-010."""
    with unchanged(server):
        response = pinged.ask(user, client_notification_token=_TOKENS[case])
    check_refusal(response, 400, "invalid_request")


def test_a_token_of_1024_characters_comes_back_whole(
    pinged: Agent, person: Terminal, far: Receiver
) -> None:
    """CB-060, FC-02."""
    token = "aZ09-._~+/" * 102 + "abc="
    response = pinged.ask(person.user, client_notification_token=token)
    (mine,) = (a for a in person.waiting() if a.fingerprint == response.json()["fingerprint"])
    person.deny(mine)
    until(lambda: far.got)

    assert len(token) == 1_024
    assert far.got[0].headers["Authorization"] == f"Bearer {token}"


def test_who_polls_is_not_called_and_its_token_is_not_read(agent: Agent, user: str) -> None:
    """CB-063."""
    assert agent.ask(user, client_notification_token="no token at all").status_code == 200


def _dead(server: LiveServer, agent: Agent) -> list[str | None]:
    with server.services.store.read() as view:
        return [m.last_error for m in view.outbox.dead(100) if m.target == agent.key.id]


def test_a_stopped_agent_is_not_called(
    server: LiveServer, pinged: Agent, person: Terminal, far: Receiver
) -> None:
    """What is not sent yet when it is disabled is not sent."""
    _asked(pinged, person)
    services = server.services
    Agents(services.store, services.secrets).disable(pinged.key.id, by=audit.OPERATOR)
    time.sleep(0.5)
    assert far.got == []

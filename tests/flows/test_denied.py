"""Denials: the agent is told the reason and the possible next steps, and gets no token."""

import pytest

from approver_tui.client.devices.keys import KeyLevel
from approver_tui.client.errors import AlreadyDecided, ApiError
from server.protocol.approvals.decisions import DENY_CODES
from tests.support.checks.log_and_rows import entries, state, story
from tests.support.clients.agent import Agent
from tests.support.clients.terminal import Terminal
from tests.support.inputs.signing import approval_key, decision
from tests.support.servers.server import LiveServer


@pytest.mark.parametrize(
    ("code", "retry"), [(name, code.retry) for name, code in DENY_CODES.items()]
)
def test_a_denial_tells_the_agent_the_reason_and_the_next_step(
    agent: Agent, person: Terminal, code: str, retry: str
) -> None:
    """The agent gets the code, the note and a retry hint in addition to the standard error."""
    handle = agent.request_approval(person.user)
    person.deny(person.only_request(), code, "The vendor's account is another one.")
    answer = agent.poll(handle)

    assert answer.status_code == 400
    assert answer.headers["cache-control"] == "no-store"
    body = answer.json()
    assert body.pop("error_description").startswith("The person denied the request.")
    assert body == {
        "error": "access_denied",
        "reason": "denied",
        "deny_code": code,
        "note": "The vendor's account is another one.",
        "retry": retry,
    }


def test_a_denial_without_a_note_omits_the_member(agent: Agent, person: Terminal) -> None:
    """The answer has no `note` member, not even null."""
    handle = agent.request_approval(person.user)
    person.deny(person.only_request())

    assert "note" not in agent.poll(handle).json()


def test_the_session_key_is_enough_to_deny_high_risk(
    server: LiveServer, agent: Agent, person: Terminal
) -> None:
    """XD-02: a denial removes power, so the session key signs it and no PIN call is made."""
    agent.ask_payment(person.user)
    waiting = person.only_request()
    before = person.client.me().device
    denied = person.deny(waiting, "suspicious")
    after = person.client.me().device
    (entry,) = entries(server, "approval.denied", approval_id=waiting.id)

    assert denied.state == "denied"
    assert before is not None
    assert after is not None
    assert before.pin.tries == after.pin.tries == 0
    assert entry["facts"]["ceremony"] == "none"
    assert entry["cause"] == "suspicious"


def test_an_approval_key_may_deny_too(server: LiveServer, agent: Agent, person: Terminal) -> None:
    """An approval key, which is stronger than the session key, can sign a denial too."""
    agent.request_approval(person.user)
    waiting = person.client.approval(person.only_request().id)
    key = approval_key(person, KeyLevel.LOW)
    signed = decision(person, waiting, key, decision="deny", code="too_broad", ceremony="none")
    person.client.decide(waiting.id, signed)

    assert state(server, waiting.id) == ("denied", None)


def test_a_denied_request_stays_denied_however_often_it_is_polled(
    server: LiveServer, agent: Agent, person: Terminal
) -> None:
    """Polls after the denial get the same error: no slow_down and no token."""
    handle = agent.request_approval(person.user)
    waiting = person.only_request()
    person.deny(waiting)
    answers = [agent.poll(handle).json()["error"] for _ in range(5)]
    server.clock.forward(3_600_000)
    answers.append(agent.poll(handle, prefer="wait=5").json()["error"])

    assert answers == ["access_denied"] * 6
    assert story(server, waiting.id) == ["approval.requested", "approval.denied"]


def test_an_approval_after_ones_own_denial_is_refused(
    server: LiveServer, agent: Agent, person: Terminal
) -> None:
    """CB-140: a user who has denied cannot approve later; the error says that it was denied."""
    handle = agent.request_approval(person.user)
    waiting = person.only_request()
    person.deny(waiting, "not_needed")
    with pytest.raises(AlreadyDecided) as refused:
        person.approve(waiting)

    assert refused.value.code == "already_decided"
    assert refused.value.approval.state == "denied"
    assert state(server, waiting.id) == ("denied", None)
    assert agent.poll(handle).json()["error"] == "access_denied"


@pytest.mark.parametrize("code", [None, "", "because", *(name.upper() for name in DENY_CODES)])
def test_a_denial_needs_a_listed_code(
    server: LiveServer, agent: Agent, person: Terminal, code: str | None
) -> None:
    """A missing, unknown or upper-case code is refused, and the request stays pending."""
    agent.request_approval(person.user)
    waiting = person.client.approval(person.only_request().id)
    key = person.client.session.key
    signed = decision(person, waiting, key, decision="deny", code=code, ceremony="none")
    with pytest.raises(ApiError) as refused:
        person.client.decide(waiting.id, signed)

    assert (refused.value.status, refused.value.code) == (422, "invalid_decision")
    assert state(server, waiting.id) == ("pending", None)


@pytest.mark.parametrize("note", ["\x1b]52;c;aGk=\x07", "a\u202eb", "a\u200bb", "n" * 501])
def test_an_unsafe_or_overlong_denial_note_is_refused(
    server: LiveServer, agent: Agent, person: Terminal, note: str
) -> None:
    """Programs and logs receive the note, so it is refused; the user can deny without it."""
    agent.request_approval(person.user)
    waiting = person.only_request()
    with pytest.raises(ApiError) as refused:
        person.deny(waiting, "not_needed", note)

    assert (refused.value.status, refused.value.code) == (422, "invalid_body")
    assert state(server, waiting.id) == ("pending", None)
    assert person.deny(waiting).state == "denied"

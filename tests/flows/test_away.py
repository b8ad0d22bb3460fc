"""Quiet hours, mutes, snoozes, extensions and deputies, through a terminal's client.

None of them removes a request from the list, and high-risk requests always ring.
"""

import json
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

import pytest

from approver_tui.client.approvers import deputies
from approver_tui.client.errors import ApiError, RequestLocked, WrongEntry
from approver_tui.client.notifications.preferences import NotificationPrefsClient
from approver_tui.state.approvals.approvals import Approval, ApprovalState
from approver_tui.state.approvals.ceremony import Entries
from server.services.clients.agent_forms import AgentChanges
from server.services.clients.agents import Agents
from server.services.policy.action_types import ActionTypes
from tests.support.builders.installation import PAYMENT
from tests.support.clients.agent import Agent
from tests.support.clients.feed_frames import FeedLine, open_feed
from tests.support.clients.terminal import PIN, Terminal, new_person
from tests.support.servers.server import BY, LiveServer

SECOND, MINUTE, HOUR = 1_000, 60_000, 3_600_000
MEDIUM, LENT = "order.own", "order.lent"
"""Two action types of medium risk, of which a deputy may decide the second."""


@pytest.fixture(autouse=True, scope="module")
def types(server: LiveServer) -> None:
    """Adds two types of medium risk: its notification limits are high enough for these tests."""
    actions = ActionTypes(server.services.store)
    for name, for_deputy in ((MEDIUM, False), (LENT, True)):
        members = {**PAYMENT, "type": name, "risk": "medium", "deputies": for_deputy}
        actions.add(json.dumps(members), by=BY)


@pytest.fixture
def other_user(server: LiveServer) -> Iterator[Terminal]:
    """A second user at an enrolled terminal."""
    other = new_person(server)
    yield other
    other.client.close()


def _order(name: str = MEDIUM) -> dict[str, str]:
    amount = {"minor": 4_200, "currency": "EUR"}
    details = [{"type": name, "amount": amount, "payee": "Nord"}]
    return {"scope": "openid", "authorization_details": json.dumps(details)}


def _at(moment: int) -> datetime:
    return datetime.fromtimestamp(moment / 1_000, UTC)


def _set_quiet_hours(person: Terminal) -> None:
    """Sets quiet hours that began an hour ago and end in ten minutes, before requests expire."""
    now = person.client.now()
    begins, ends = (_at(moment).strftime("%H:%M") for moment in (now - HOUR, now + 10 * MINUTE))
    NotificationPrefsClient(person.client).set_quiet_hours(begins, ends, "UTC")


def _held_reason(line: FeedLine) -> str | None:
    """Returns why the next request does not ring, or None if it does."""
    reason: str | None = line.event("approval.requested")["held"]
    return reason


def _poll(server: LiveServer, agent: Agent, handle: str) -> dict[str, Any]:
    """Polls at the interval and returns the answer to the agent."""
    server.clock.forward(6 * SECOND)
    reply: dict[str, Any] = agent.poll(handle).json()
    return reply


def _held_approvals(person: Terminal) -> set[str]:
    return {hold.approval for hold in NotificationPrefsClient(person.client).settings().holds}


def test_quiet_hours_hold_low_and_medium_risk_and_high_risk_rings(
    server: LiveServer, agent: Agent, person: Terminal
) -> None:
    """Quiet hours do not hide requests. The agent is told their end, when held requests ring."""
    with open_feed(person) as line:
        _set_quiet_hours(person)
        line.event("attention.changed")
        low = agent.request_approval(person.user)
        assert _held_reason(line) == "quiet_hours"
        medium = agent.request_approval(person.user, **_order())
        assert _held_reason(line) == "quiet_hours"
        high = agent.ask_payment(person.user).json()["auth_req_id"]
        assert _held_reason(line) is None
        assert len(person.waiting()) == 3
        until = NotificationPrefsClient(person.client).settings().quiet_until
        assert until is not None
        for handle in (low, medium):
            held_until = _poll(server, agent, handle)["held_until"]
            assert datetime.fromisoformat(held_until) == _at(until)
        assert "held_until" not in _poll(server, agent, high)
        NotificationPrefsClient(person.client).clear_quiet_hours()
        line.event("attention.changed")
        reminded = {line.event("approval.reminder")["approval"]["risk"] for _ in range(2)}
    assert reminded == {"low", "medium"}
    assert "held_until" not in _poll(server, agent, medium)


def test_a_muted_agent_rings_only_for_high_risk_requests(agent: Agent, person: Terminal) -> None:
    """Requests from a muted agent are still listed, and unmuting removes the mute."""
    with open_feed(person) as line:
        agent.request_approval(person.user, **_order())
        assert _held_reason(line) is None
        name = person.only_request().agent.name
        assert NotificationPrefsClient(person.client).mute(name).agent_id == agent.key.id
        line.event("attention.changed")
        agent.request_approval(person.user, **_order())
        assert _held_reason(line) == "muted"
        agent.ask_payment(person.user)
        assert _held_reason(line) is None
        assert len(person.waiting()) == 3
        NotificationPrefsClient(person.client).unmute(name)
        line.event("attention.changed")
    assert NotificationPrefsClient(person.client).settings().mutes == ()


def test_a_snoozed_request_rings_when_its_snooze_ends(
    server: LiveServer, agent: Agent, person: Terminal
) -> None:
    """A snoozed request rings when the snooze ends, and it stays pending."""
    handle = agent.request_approval(person.user, **_order())
    pending = person.only_request()
    with open_feed(person) as line:
        until = NotificationPrefsClient(person.client).snooze(pending.id, 2).until
        line.event("attention.changed")
        assert _held_approvals(person) == {pending.id}
        assert datetime.fromisoformat(_poll(server, agent, handle)["held_until"]) == _at(until)
        server.clock.forward(2 * MINUTE)
        reminded = line.event("approval.reminder")
        assert (reminded["approval"]["id"], reminded["held"]) == (pending.id, None)
        NotificationPrefsClient(person.client).snooze(pending.id, 2)
        line.event("attention.changed")
        NotificationPrefsClient(person.client).unsnooze(pending.id)
        line.event("attention.changed")
    assert _held_approvals(person) == set()
    assert person.only_request().id == pending.id


def test_a_request_is_extended_as_often_as_its_risk_allows(
    server: LiveServer, agent: Agent, person: Terminal
) -> None:
    """Medium risk allows three extensions. The agent sees the new expiry and gets a decision."""
    handle = agent.request_approval(person.user, **_order())
    pending = person.only_request()
    ends = [pending.expires_at]
    for _ in range(3):
        server.clock.forward(30 * SECOND)
        ends.append(person.client.extend(pending.id).expires_at)
    assert ends == sorted(set(ends))
    with pytest.raises(ApiError) as refused:
        person.client.extend(pending.id)
    assert refused.value.status == 409
    expires_at = _poll(server, agent, handle)["expires_at"]
    assert datetime.fromisoformat(expires_at) == _at(ends[-1])
    assert person.approve(person.only_request()).state is ApprovalState.APPROVED


def test_a_deputy_decides_types_that_allow_it_until_the_term_ends(
    agent: Agent, person: Terminal, other_user: Terminal
) -> None:
    """A deputy sees and decides only types that allow deputies. The principal sees them too."""
    now = person.client.now()
    begins, ends = (_at(moment).isoformat() for moment in (now, now + HOUR))
    deputy = person.decider.name_deputy(other_user.user, begins, ends, PIN)
    assert [other.id for other in deputies.list_deputies(other_user.client).others] == [deputy.id]
    agent.request_approval(person.user, **_order())
    assert other_user.waiting() == ()
    handle = agent.request_approval(person.user, **_order(LENT))
    (for_deputy,) = other_user.waiting()
    assert for_deputy.id in {approval.id for approval in person.waiting()}
    other_user.approve(for_deputy)
    reply = agent.poll(handle).json()
    assert reply["authorization_details"][0]["type"] == LENT
    deputies.end_deputy(person.client, deputy.id)
    agent.request_approval(person.user, **_order(LENT))
    assert other_user.waiting() == ()
    assert deputies.list_deputies(person.client).mine == ()


def _approve_with_number(person: Terminal, asked: Approval, number: str) -> Approval:
    """Approves with this match number."""
    terms = {"fingerprint": asked.fingerprint, "entries": Entries(match=number)}
    return person.decider.approve(asked, pin=PIN, **terms)  # type: ignore[arg-type]  # by name


def test_a_second_wrong_match_number_locks_the_request(
    server: LiveServer, agent: Agent, person: Terminal
) -> None:
    """Acceptance 6: one attempt is left after the first; the second denies with reason locked."""
    Agents(server.services.store, server.services.secrets).update(
        agent.key.id, AgentChanges(interactive=True), by=BY
    )
    answer = agent.ask(person.user, **_order()).json()
    pending, right = person.only_request(), answer["match_code"]
    wrong = f"{(int(right) + 1) % 1_000:03}"
    with pytest.raises(WrongEntry) as first:
        _approve_with_number(person, pending, wrong)
    assert first.value.left == 1
    with pytest.raises(RequestLocked):
        _approve_with_number(person, pending, wrong)
    with pytest.raises(ApiError):
        _approve_with_number(person, pending, right)
    reply = agent.poll(answer["auth_req_id"]).json()
    assert (reply["error"], reply["reason"]) == ("access_denied", "locked")
    assert person.waiting() == ()

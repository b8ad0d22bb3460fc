"""An unanswered request leads to a reminder, a backup and expiry, and is never approved.

The server and its loop are real; the test controls only the clock.
"""

from collections.abc import Iterator

import pytest

from approver_tui.client.errors import AlreadyDecided
from server.services.users.users import UserChanges, Users
from tests.support.checks.log_and_rows import entries
from tests.support.checks.refusals import check_refusal
from tests.support.clients.agent import Agent
from tests.support.clients.feed_frames import open_feed
from tests.support.clients.terminal import Terminal, new_person
from tests.support.servers.server import BY, LiveServer

SECONDS = 400
HALF, QUARTER = SECONDS * 500, SECONDS * 250


@pytest.fixture
def backup(server: LiveServer, person: Terminal) -> Iterator[Terminal]:
    """The backup that an administrator set for the user."""
    terminal = new_person(server)
    users = Users(server.services.store, server.services.secrets)
    users.update(person.user, UserChanges(backup=terminal.user), by=BY)
    yield terminal
    terminal.client.close()


def _ask_payment(agent: Agent, person: Terminal) -> str:
    """Requests a payment: it is high risk, so its reminder always rings."""
    answer = agent.ask_payment(person.user, requested_expiry=str(SECONDS))
    assert answer.status_code == 200, answer.text
    return str(answer.json()["auth_req_id"])


def _steps(server: LiveServer, approval_id: str) -> list[str]:
    escalations = entries(server, "approval.escalated", approval_id=approval_id)
    return [str(entry["decision"]) for entry in escalations]


def test_a_reminder_comes_at_half_time_and_the_backup_at_three_quarters(
    server: LiveServer, agent: Agent, person: Terminal, backup: Terminal
) -> None:
    """Each step happens once, on the right screens, and the backup's answer decides for both."""
    with open_feed(person) as line, open_feed(backup) as other:
        handle = _ask_payment(agent, person)
        approval = line.event("approval.requested")["approval"]
        server.clock.forward(HALF)
        reminded = line.event("approval.reminder")
        assert backup.waiting() == ()
        server.clock.forward(QUARTER)
        escalated = other.event("approval.requested")
        assert person.only_request().id == backup.only_request().id == approval["id"]
        backup.approve(backup.only_request())
        end_states = [feed.event("approval.decided")["approval"]["state"] for feed in (line, other)]

    assert (reminded["approval"]["id"], reminded["held"]) == (approval["id"], None)
    assert (escalated["approval"]["id"], escalated["held"]) == (approval["id"], None)
    assert end_states == ["approved", "approved"]
    assert _steps(server, approval["id"]) == ["reminded", "backup_asked"]
    assert agent.poll(handle).status_code == 200
    with pytest.raises(AlreadyDecided):
        person.approve(person.client.approval(approval["id"]))


def test_an_unanswered_request_expires_and_is_never_approved(
    server: LiveServer, agent: Agent, person: Terminal, backup: Terminal
) -> None:
    """After a reminder and a backup the request still expires, for both users."""
    with open_feed(person) as line, open_feed(backup) as other:
        handle = _ask_payment(agent, person)
        approval_id = line.event("approval.requested")["approval"]["id"]
        server.clock.forward(HALF)
        line.event("approval.reminder")
        server.clock.forward(QUARTER)
        other.event("approval.requested")
        server.clock.forward(QUARTER)
        for feed in (line, other):
            assert feed.event("approval.expired")["approval"]["state"] == "expired"

    refusal = check_refusal(agent.poll(handle), 400, "expired_token")
    assert refusal["reason"].startswith("expired_")
    assert _steps(server, approval_id) == ["reminded", "backup_asked"]

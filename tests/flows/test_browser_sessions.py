"""An attacker with a browser's session can at most read requests, and can never decide one."""

import json
from collections.abc import Callable

import pytest

from server.protocol.approvals.states import State
from tests.support.browsers.web_person import WebPerson, new_web_person, with_cookie_of
from tests.support.checks.log_and_rows import stored_approval
from tests.support.clients.agent import Agent
from tests.support.servers.server import LiveServer

Guess = Callable[[str, str], tuple[str, str]]


@pytest.fixture
def eva(server: LiveServer) -> WebPerson:
    """A user whose only device is a passkey."""
    return new_web_person(server)


@pytest.fixture
def asked(eva: WebPerson, agent: Agent) -> str:
    """The ID of a request that is pending for this user."""
    agent.request_approval(eva.name)
    (waiting,) = eva.http.get("/api/approvals?state=waiting").json()["items"]
    approval_id: str = waiting["id"]
    return approval_id


def test_the_users_own_signature_decides(server: LiveServer, eva: WebPerson, asked: str) -> None:
    """The user's own passkey can approve, so nothing else causes the refusals below."""
    assert eva.decide(asked, eva.assertion(asked)).status_code == 200
    assert stored_approval(server, asked).state is State.APPROVED


def test_a_cookie_in_another_client_cannot_decide(
    server: LiveServer, eva: WebPerson, asked: str
) -> None:
    """A client with a stolen cookie can see the request, but its passkey is not enrolled."""
    thief = with_cookie_of(eva, eva.cookie)
    assert thief.me["device"]["id"] == eva.me["device"]["id"]
    assert thief.http.get(f"/r/{asked}").status_code == 200
    for body in ({}, {"decision": "deny", "code": "not_needed", "ceremony": "none"}):
        refused = thief.decide(asked, thief.assertion(asked, **body))
        assert (refused.status_code, refused.json()["code"]) == (422, "invalid_decision")
    assert stored_approval(server, asked).state is State.PENDING


@pytest.mark.parametrize(
    "guess",
    [
        lambda approval_id, assertion: (f"/api/approvals/{approval_id}/decision", assertion),
        lambda approval_id, assertion: (f"/api/approvals/{approval_id}", assertion),
        lambda approval_id, assertion: (f"/r/{approval_id}", assertion),
        lambda approval_id, assertion: (f"/r/{approval_id}/approve", assertion),
    ],
    ids=["decision endpoint", "request endpoint", "request page", "page below it"],
)
@pytest.mark.parametrize("method", ["GET", "HEAD"])
def test_a_get_with_a_valid_signature_does_not_decide(
    server: LiveServer, eva: WebPerson, asked: str, guess: Guess, method: str
) -> None:
    """A GET or HEAD with a valid signature or a method override header decides nothing."""
    path, assertion = guess(asked, eva.assertion(asked))
    eva.http.request(
        method,
        path,
        params={"decision": assertion, "_method": "POST"},
        json={"decision": assertion},
        headers={"X-HTTP-Method-Override": "POST"},
    )
    assert stored_approval(server, asked).state is State.PENDING


def test_another_users_request_is_not_found_anywhere(
    server: LiveServer, eva: WebPerson, asked: str
) -> None:
    """The pages and the API answer 404 to another user, even with a signature of their passkey."""
    ben = new_web_person(server)
    approval = eva.http.get(f"/api/approvals/{asked}").json()
    page = ben.http.get(f"/r/{asked}")
    assert page.status_code == 404
    assert json.loads(approval["display"])["headline"] not in page.text
    assert ben.http.get(f"/api/approvals/{asked}").status_code == 404
    assert ben.decide(asked, ben.assertion(asked, approval)).status_code == 404
    assert ben.http.get("/api/approvals?state=waiting").json()["items"] == []
    assert stored_approval(server, asked).state is State.PENDING

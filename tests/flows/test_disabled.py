"""A disabled or deleted agent, user or resource is refused immediately at every step."""

from collections.abc import Callable
from dataclasses import dataclass

import httpx
import pytest

from approver_tui.client.errors import AlreadyDecided, ApiError
from server.services.clients.agents import Agents
from server.services.users.users import Users
from tests.support.builders.installation import PAY_SCOPES
from tests.support.checks.log_and_rows import entries, state, story
from tests.support.clients.agent import Agent
from tests.support.clients.feed_frames import open_feed
from tests.support.clients.terminal import Terminal
from tests.support.servers.server import BY, LiveServer


@dataclass(frozen=True, slots=True)
class _Participants:
    """The agent, user and resource of one test."""

    server: LiveServer
    agent: Agent
    person: Terminal
    resource: str

    def ask(self) -> httpx.Response:
        """Send a request of the agent to the user for the resource."""
        return self.agent.ask(self.person.user, resource=self.resource)

    def ask_for_auth_req_id(self) -> str:
        """Send a request and return its auth_req_id."""
        handle: str = self.ask().json()["auth_req_id"]
        return handle

    def disable_or_delete(self, what: str) -> None:
        """Disable or delete one of the three, from another process."""
        services = self.server.services
        actions: dict[str, Callable[[], object]] = {
            "agent": lambda: Agents(services.store, services.secrets).disable(
                self.agent.key.name, by=BY
            ),
            "deleted agent": lambda: Agents(services.store, services.secrets).delete(
                self.agent.key.name, by=BY
            ),
            "user": lambda: Users(services.store, services.secrets).disable(
                self.person.user, by=BY
            ),
            "resource": lambda: self.server.resources.delete(self.resource, by=BY),
        }
        actions[what]()


@pytest.fixture
def participants(server: LiveServer, agent: Agent, person: Terminal) -> _Participants:
    """An agent, a user and a resource, all enabled."""
    uri = f"https://{agent.key.name}.example"
    server.resources.add(uri, PAY_SCOPES, {}, by=BY)
    key = server.agent(resources=(uri,))
    return _Participants(server, Agent(key, agent.http), person, uri)


@pytest.mark.parametrize(
    ("what", "status", "error", "reason"),
    [
        ("agent", 400, "unauthorized_client", "agent_disabled"),
        ("deleted agent", 401, "invalid_client", None),
        ("user", 400, "unknown_user_id", None),
        ("resource", 400, "invalid_target", None),
    ],
)
def test_a_request_is_refused_if_its_agent_user_or_resource_is_disabled(
    participants: _Participants, what: str, status: int, error: str, reason: str | None
) -> None:
    """The next request is refused, and the user is not asked."""
    assert participants.ask().status_code == 200
    participants.disable_or_delete(what)
    answer = participants.ask()

    assert (answer.status_code, answer.json()["error"]) == (status, error)
    assert answer.json().get("reason") == reason
    if what != "user":
        assert participants.person.waiting() == ()


@pytest.mark.parametrize(
    ("what", "cause"),
    [
        ("agent", "agent_disabled"),
        ("deleted agent", "agent_disabled"),
        ("resource", "resource_deleted"),
    ],
)
def test_a_request_cannot_be_approved_after_its_agent_or_resource_was_disabled(
    participants: _Participants, what: str, cause: str
) -> None:
    """Disabling and deleting cancel the pending request."""
    participants.ask_for_auth_req_id()
    waiting = participants.person.client.approval(participants.person.only_request().id)
    participants.disable_or_delete(what)
    with pytest.raises(AlreadyDecided) as refused:
        participants.person.approve(waiting)

    assert refused.value.code == "not_pending"
    assert refused.value.approval.state == "cancelled"
    assert state(participants.server, waiting.id) == ("cancelled", cause)
    assert story(participants.server, waiting.id) == ["approval.requested", "approval.cancelled"]


def test_a_disabled_user_cannot_decide(participants: _Participants) -> None:
    """Both approving and denying get 403, and the user's request is canceled."""
    participants.ask_for_auth_req_id()
    waiting = participants.person.client.approval(participants.person.only_request().id)
    participants.disable_or_delete("user")
    for answer in (participants.person.approve, participants.person.deny):
        with pytest.raises(ApiError) as refused:
            answer(waiting)
        assert (refused.value.status, refused.value.code) == (403, "forbidden")

    assert state(participants.server, waiting.id) == ("cancelled", "user_disabled")


@pytest.mark.parametrize("approved", [False, True], ids=["pending", "approved"])
@pytest.mark.parametrize(
    ("what", "cause", "status", "error", "reason"),
    [
        ("agent", "agent_disabled", 400, "unauthorized_client", "agent_disabled"),
        ("deleted agent", "agent_disabled", 401, "invalid_client", None),
        ("user", "user_disabled", 400, "access_denied", "cancelled"),
        ("resource", "resource_deleted", 400, "access_denied", "cancelled"),
    ],
)
def test_no_token_is_issued_if_an_agent_user_or_resource_is_disabled(  # noqa: PLR0913  # a table's columns
    participants: _Participants,
    what: str,
    cause: str,
    status: int,
    error: str,
    reason: str | None,
    *,
    approved: bool,
) -> None:
    """I5: the next poll returns the reason and no token, even if the request was approved."""
    handle = participants.ask_for_auth_req_id()
    waiting = participants.person.only_request()
    if approved:
        participants.person.approve(waiting)
    participants.disable_or_delete(what)
    answer = participants.agent.poll(handle)

    assert (answer.status_code, answer.json()["error"]) == (status, error)
    assert answer.json().get("reason") == reason
    assert state(participants.server, waiting.id) == ("cancelled", cause)
    assert "token.issued" not in story(participants.server, waiting.id)


def test_disabling_an_agent_cancels_its_requests_and_logs_the_counts(
    server: LiveServer, agent: Agent, person: Terminal
) -> None:
    """Disabling cancels three requests, revokes a token, and updates the approver's feed."""
    redeemed_handle = agent.request_approval(person.user)
    person.approve(person.only_request())
    agent.poll(redeemed_handle)
    agent.request_approval(person.user)
    person.approve(person.only_request())
    agent.request_approval(person.user)
    agent.request_approval(person.user)
    with open_feed(person) as line:
        agents = Agents(server.services.store, server.services.secrets)
        disabled = agents.disable(agent.key.id, by=BY)
        frames = [line.event("approval.cancelled") for _ in range(3)]
    (entry,) = entries(server, "agent.disabled", agent_id=agent.key.id)

    assert (disabled.tokens_revoked, disabled.requests_cancelled) == (1, 3)
    assert entry["facts"] == disabled.counts
    assert {frame["approval"]["reason"] for frame in frames} == {"agent_disabled"}
    assert person.waiting() == ()


def test_a_disabled_agent_gets_the_reason_only_if_it_authenticates(
    server: LiveServer, agent: Agent
) -> None:
    """A caller with a wrong secret must not learn that the agent is disabled."""
    Agents(server.services.store, server.services.secrets).disable(agent.key.id, by=BY)
    form = {"grant_type": "client_credentials", "scope": "payments:read"}
    authenticated = agent.http.post("/token", data=form, auth=agent.key.basic)
    unauthenticated = agent.http.post("/token", data=form, auth=(agent.key.id, "guess"))

    assert (authenticated.status_code, authenticated.json()["reason"]) == (400, "agent_disabled")
    assert authenticated.json()["error"] == "unauthorized_client"
    assert (unauthenticated.status_code, unauthenticated.json()["error"]) == (401, "invalid_client")
    assert "reason" not in unauthenticated.json()


def test_enabling_an_agent_does_not_restore_cancelled_requests(
    server: LiveServer, agent: Agent, person: Terminal
) -> None:
    """The agent must send a new request, even if the earlier one was approved."""
    handle = agent.request_approval(person.user)
    person.approve(person.only_request())
    agents = Agents(server.services.store, server.services.secrets)
    agents.disable(agent.key.id, by=BY)
    agents.enable(agent.key.id, by=BY)
    body = agent.poll(handle).json()
    agent.request_approval(person.user)

    assert (body["error"], body["reason"]) == ("access_denied", "cancelled")
    assert person.approve(person.only_request()).state == "approved"


def test_a_user_who_is_enabled_again_keeps_their_device(
    server: LiveServer, agent: Agent, person: Terminal
) -> None:
    """Their session works again, but their canceled requests stay canceled."""
    agent.request_approval(person.user)
    users = Users(server.services.store, server.services.secrets)
    users.disable(person.user, by=BY)
    users.enable(person.user, by=BY)
    pending_before = person.waiting()
    agent.request_approval(person.user)

    assert pending_before == ()
    assert person.approve(person.only_request()).state == "approved"


@pytest.mark.parametrize("what", ["agent", "user", "resource"])
def test_a_stored_response_is_not_repeated_if_its_agent_user_or_resource_is_disabled(
    participants: _Participants, what: str
) -> None:
    """A retry with the same Idempotency-Key gets no token."""
    handle = participants.ask_for_auth_req_id()
    participants.person.approve(participants.person.only_request())
    assert participants.agent.poll(handle, idempotency_key="k").status_code == 200
    participants.disable_or_delete(what)
    answer = participants.agent.poll(handle, idempotency_key="k")

    assert answer.status_code == 400
    assert "access_token" not in answer.json()

"""CIBA Core 7.3: the acknowledgement of an accepted request has its members and no others."""

import re

from server.protocol.names import PREFIX_APPROVAL
from tests.support.checks.refusals import assert_unchanged, check_problem, check_refusal
from tests.support.clients.agent import Agent
from tests.support.clients.terminal import Terminal
from tests.support.inputs.raw_api import RawApi
from tests.support.servers.server import LiveServer

_HANDLE = re.compile(r"[A-Za-z0-9._-]+")


def test_the_acknowledgement_has_exactly_its_members(agent: Agent, user: str) -> None:
    """The acknowledgement is JSON, is not stored, and says nothing about the user.

    CB-110, CB-113, CB-115, CL-02, CL-05 to CL-07.
    """
    response = agent.ask(user)
    body = response.json()

    assert response.status_code == 200
    assert response.headers["content-type"] == "application/json"
    assert response.headers["cache-control"] == "no-store"
    assert "www-authenticate" not in response.headers
    assert set(body) == {"auth_req_id", "expires_in", "interval", "fingerprint"}
    assert type(body["expires_in"]) is type(body["interval"]) is int
    assert body["expires_in"] > 0
    assert body["interval"] == 5
    assert re.fullmatch(r"[0-9a-f]{4}-[0-9a-f]{4}", body["fingerprint"])


def test_the_acknowledgement_has_the_same_members_at_every_risk(agent: Agent, user: str) -> None:
    """CB-115: the members do not reveal what the request is about."""
    assert set(agent.ask(user).json()) == set(agent.ask_payment(user).json())


def test_handles_are_long_random_and_plain(server: LiveServer, agent: Agent, user: str) -> None:
    """CB-111: a thousand handles differ, have 256 bits each, and use allowed characters only."""
    received = [agent.request_approval(user) for _ in range(50)]
    secrets = server.services.secrets
    generated = [secrets.auth_req_id(secrets.new_id(PREFIX_APPROVAL)) for _ in range(1_000)]

    assert len({*received, *generated}) == 1_050
    for handle in (*received, *generated):
        assert _HANDLE.fullmatch(handle)
        assert len(handle.removeprefix("sayso_ar_")) == 43


def test_expires_in_counts_from_the_request(agent: Agent, user: str) -> None:
    """CB-112: `expires_in` is the requested number of seconds."""
    assert [agent.ask(user, requested_expiry=n).json()["expires_in"] for n in (1, 2, 77)] == [
        1,
        2,
        77,
    ]


def test_the_own_client_id_in_the_body_is_accepted(agent: Agent, user: str) -> None:
    """CL-01: an agent that authenticates with Basic may repeat its client_id in the body."""
    assert agent.ask(user, client_id=agent.key.id).status_code == 200


def test_another_client_id_in_the_body_is_refused(
    server: LiveServer, agent: Agent, user: str
) -> None:
    """NG-064: an agent's own credentials do not authenticate a different client."""
    other = server.agent()
    with assert_unchanged(server):
        response = agent.ask(user, client_id=other.id)

    check_refusal(response, 401, "invalid_client")


def test_the_users_id_of_a_request_is_not_the_agents_handle(
    server: LiveServer, agent: Agent, person: Terminal
) -> None:
    """CB-116, NG-006: the ID that the user sees is not a handle, and the handle is not an ID."""
    body = agent.ask(person.user).json()
    handle = body["auth_req_id"]
    api = RawApi(person, agent.http)
    listing = api.call("GET", "/api/approvals?limit=200")
    newest = next(a for a in person.waiting() if a.fingerprint == body["fingerprint"])
    with assert_unchanged(server):
        swapped = agent.poll(newest.id)
        approval = api.call("GET", f"/api/approvals/{handle}")

    assert newest.id in listing.text
    assert handle not in listing.text
    check_refusal(swapped, 400, "invalid_grant")
    check_problem(approval, 404, "not_found")

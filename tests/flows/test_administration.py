"""Administration from a terminal on a real server: the app's keys sign what adds power."""

import json
from collections.abc import Iterator
from typing import Any

import httpx
import pytest

from approver_tui.client.devices.unlocking import temporary_high_key
from approver_tui.client.jose import signed_statement
from server.protocol.approvals.decisions import request_digest
from server.services.users.users import UserChanges, Users
from tests.support.checks.log_and_rows import entries
from tests.support.checks.refusals import check_problem
from tests.support.clients.agent import Agent
from tests.support.clients.terminal import PIN, Terminal
from tests.support.inputs.raw_api import RawApi
from tests.support.servers.server import BY, AgentKey, LiveServer


@pytest.fixture
def http(server: LiveServer) -> Iterator[httpx.Client]:
    """A connection to the server."""
    with server.client() as client:
        yield client


@pytest.fixture
def admin(server: LiveServer, person: Terminal) -> Terminal:
    """The user of this test, who is an administrator."""
    users = Users(server.services.store, server.services.secrets)
    users.update(person.user, UserChanges(roles=("admin",)), by=BY)
    return person


def _sign_statement(admin: Terminal, challenge: dict[str, Any]) -> str:
    with temporary_high_key(admin.client, PIN, challenge["subject"]) as key_pair:
        return signed_statement(
            key_pair.key,
            admin.client.signer,
            purpose=challenge["purpose"],
            subject=challenge["subject"],
            at=admin.client.now() // 1000,
            nonce=challenge["nonce"],
        )


def test_an_agent_registered_with_the_pin_works_immediately(
    server: LiveServer, http: httpx.Client, admin: Terminal
) -> None:
    """The refusal says what to sign, and the same request succeeds with that signature.

    The signature does not cover a changed request.
    """
    api, path = RawApi(admin, http), "/api/agents"
    body = json.dumps(
        {
            "name": f"made-by-{admin.user}",
            "owners": [admin.user],
            "resources": ["https://pay.example"],
            "scopes": ["payments:read"],
        }
    ).encode()
    challenge = check_problem(api.call("POST", path, content=body), 403, "statement_required")[
        "wanted"
    ]
    assert challenge["subject"] == request_digest("POST", path, body)
    headers = {"Sayso-Statement": _sign_statement(admin, challenge)}
    other = body.replace(b"payments:read", b"payments:transfer")
    refused = api.call("POST", path, content=other, headers=headers)
    check_problem(refused, 422, "invalid_statement")
    created = api.call("POST", path, content=body, headers=headers)
    assert created.status_code == 201, created.text
    agent = created.json()["agent"]
    (entry,) = entries(server, "agent.added", agent_id=agent["client_id"])
    assert entry["actor"] == f"user:{admin.client.profile.user_id}"
    key = AgentKey(agent["client_id"], created.json()["client_secret"], agent["name"])
    assert Agent(key, http).ask(admin.user).status_code == 200


@pytest.mark.parametrize(
    ("noun", "member"), [("audit", "id"), ("users", "id"), ("resources", "id"), ("actions", "id")]
)
def test_listed_objects_are_found_by_their_id(
    http: httpx.Client, admin: Terminal, noun: str, member: str
) -> None:
    """Each listed ID can be used in a path, and an ID that contains a space is not found."""
    api = RawApi(admin, http)
    (item,) = api.call("GET", f"/api/{noun}?limit=1").json()["items"]
    answer = api.call("GET", f"/api/{noun}/{item[member]}")
    assert answer.status_code == 200, answer.text
    check_problem(api.call("GET", f"/api/{noun}/a%20b"), 404, "not_found")

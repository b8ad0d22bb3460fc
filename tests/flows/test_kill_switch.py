"""Suspending an agent from a user's terminal revokes its tokens and requests within a second."""

import time
from collections.abc import Iterator

import httpx
import pytest

from tests.support.builders.token_chains import BANK, LiveChains
from tests.support.clients.agent import Agent
from tests.support.clients.feed_frames import open_feed
from tests.support.clients.terminal import Terminal
from tests.support.inputs.raw_api import RawApi
from tests.support.servers.server import BY, LiveServer

_MAX_SECONDS = 10.0  # a second, plus time for a busy machine


@pytest.fixture
def http(server: LiveServer) -> Iterator[httpx.Client]:
    """A connection to the server."""
    with server.client() as client:
        yield client


def _is_active(http: httpx.Client, secret: tuple[str, str], token: str) -> bool:
    answer = http.post("/introspect", data={"token": token}, auth=secret)
    assert answer.status_code == 200, answer.text
    return bool(answer.json()["active"])


def test_an_owner_suspends_an_agent_with_everything_issued_from_it(
    server: LiveServer, http: httpx.Client, person: Terminal
) -> None:
    """I6: this revokes its tokens, including exchanged ones, and cancels all of its requests."""
    chains = LiveChains(server, http, person.client.profile.user_id)
    chains.prepare()
    key, other = chains.agent(owners=(person.user,)), chains.agent(serves=(BANK,))
    for agent in (key, other):
        chains.consent(agent, "bank:read")
    bank = server.resources.rotate_secret(BANK, by=BY, overlap_ms=0)
    secret = (bank.resource.client_id, bank.secret)
    token = chains.exchanged(key, chains.user_token())
    child = chains.exchanged(other, token)
    agent, parameters = Agent(key, http), {"resource": BANK, "scope": "openid bank:write"}
    approved = agent.request_approval(person.user, **parameters)
    person.approve(person.only_request())
    pending = agent.request_approval(person.user, **parameters)
    assert _is_active(http, secret, token)
    assert _is_active(http, secret, child)

    api = RawApi(person, http)
    path = f"/api/agents/{key.id}/disable"
    with open_feed(person) as line:
        preview = api.call("GET", path).json()
        began = time.monotonic()
        disabled = api.call("POST", path)
        assert not _is_active(http, secret, token)
        took = time.monotonic() - began
        assert not _is_active(http, secret, child)
        events = [line.event("approval.cancelled") for _ in range(2)]
    assert disabled.json() == {
        **preview,
        "state": "disabled",
        "tokens_revoked": 2,
        "descendants_revoked": 1,
        "requests_cancelled": 2,
        "approved_cancelled": 1,
    }
    assert took < _MAX_SECONDS
    assert {frame["approval"]["reason"] for frame in events} == {"agent_disabled"}
    assert person.waiting() == ()
    for handle in (pending, approved):
        assert agent.poll(handle).json()["error"] == "unauthorized_client"
    refused = chains.exchange(key, chains.user_token())
    assert refused.json()["reason"] == "agent_disabled"

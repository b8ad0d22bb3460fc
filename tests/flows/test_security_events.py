"""Security events over a real server: an API polls, verifies and acknowledges them."""

from typing import Any

import httpx
import jwt
import pytest

from server.protocol.tokens.security_events import SESSION_REVOKED
from server.services.clients.agents import Agents
from tests.support.builders.installation import PAY
from tests.support.clients.agent import Agent
from tests.support.servers.server import BY, LiveServer

MAIL = "https://mail.example"
NOTHING = {"sets": {}, "moreAvailable": False}


@pytest.fixture
def pay(server: LiveServer) -> tuple[str, str]:
    """The credentials of the payment API."""
    rotated = server.resources.rotate_secret(PAY, by=BY, overlap_ms=0)
    return rotated.resource.client_id, rotated.secret


@pytest.fixture
def mail(server: LiveServer) -> tuple[str, str]:
    """The credentials of an API for which the agent has no token."""
    added = server.resources.add(MAIL, {}, {}, by=BY)
    return added.resource.client_id, added.secret


def _verify_event(http: httpx.Client, token: str) -> dict[str, Any]:
    """Verifies an event as a receiver does, with the keys that the metadata names."""
    metadata = http.get("/.well-known/ssf-configuration").json()
    keys = jwt.PyJWKSet.from_dict(http.get(metadata["jwks_uri"]).json())
    header = jwt.get_unverified_header(token)
    assert header["typ"] == "secevent+jwt"
    key = keys[header["kid"]]
    issuer, alg = metadata["issuer"], header["alg"]
    event: dict[str, Any] = jwt.decode(token, key, [alg], audience=PAY, issuer=issuer)
    return event


def test_an_api_is_told_that_an_agent_was_disabled(
    server: LiveServer, agent: Agent, pay: tuple[str, str], mail: tuple[str, str]
) -> None:
    """An API gets the event until the API acknowledges it; an unrelated API never gets it."""
    http = agent.http
    form = {"grant_type": "client_credentials", "scope": "payments:read"}
    token = http.post("/token", data=form, auth=agent.key.basic).json()["access_token"]
    client_id = jwt.decode(token, options={"verify_signature": False})["client_id"]
    (stream,) = http.get("/ssf/stream", auth=pay).json()
    endpoint = stream["delivery"]["endpoint_url"]
    assert http.post(endpoint, json={"returnImmediately": True}, auth=pay).json() == NOTHING

    Agents(server.services.store, server.services.secrets).disable(agent.key.name, by=BY)
    answer = http.post(endpoint, json={"maxEvents": 10}, auth=pay)
    assert (answer.status_code, answer.headers["Cache-Control"]) == (200, "no-store")
    ((jti, text),) = answer.json()["sets"].items()
    event = _verify_event(http, text)
    assert (event["jti"], event["sub_id"]["sub"]) == (jti, client_id)
    assert event["events"][SESSION_REVOKED]["initiating_entity"] == "admin"
    assert http.post(endpoint, json={"ack": [jti]}, auth=mail).json() == NOTHING
    assert http.post(endpoint, json={"ack": [jti]}, auth=pay).json() == NOTHING
    assert http.post(endpoint, json={}, auth=pay).json() == NOTHING


def test_a_wrong_or_malformed_poll_is_refused(agent: Agent, pay: tuple[str, str]) -> None:
    """A wrong secret gets 401, a wrong member gets 400, and creating a stream gets 405."""
    for wrong in (None, (pay[0], "wrong"), agent.key.basic):
        refused = agent.http.post("/ssf/poll", json={}, auth=wrong)
        assert (refused.status_code, refused.json()["code"]) == (401, "invalid_client")
    malformed = agent.http.post("/ssf/poll", json={"ack": 5}, auth=pay)
    assert (malformed.status_code, malformed.json()["member"]) == (400, "ack")
    created = agent.http.post("/ssf/stream", json={}, auth=pay)
    assert (created.status_code, set(created.headers["Allow"].split(", "))) == (
        405,
        {"GET", "HEAD"},
    )

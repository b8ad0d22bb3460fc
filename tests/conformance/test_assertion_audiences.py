"""DE-01: for older clients, the audience of an assertion may be an endpoint."""

import json
from typing import Any

import httpx
import pytest

from tests.support.builders.installation import PAY
from tests.support.checks.refusals import assert_unchanged, check_refusal
from tests.support.clients.agent import CIBA
from tests.support.inputs.handmade_jwts import Key, assertion_claims, assertion_form, new_key
from tests.support.servers.server import AgentKey, LiveServer


@pytest.fixture(scope="module")
def settings() -> dict[str, str]:
    """Settings with which the server accepts endpoint URLs as the audience."""
    return {"assertion_audience": "endpoints", "log_level": "debug"}


@pytest.fixture(scope="module")
def key() -> Key:
    """The key of this file's agent."""
    return new_key("ES256", "only")


@pytest.fixture(scope="module")
def keyed(server: LiveServer, key: Key) -> AgentKey:
    """An agent that authenticates with this file's key."""
    return server.agent(auth_method="private_key_jwt", jwks=json.dumps(key.jwk))


def _form(server: LiveServer, keyed: AgentKey, key: Key, audience: Any) -> dict[str, str]:
    claims = assertion_claims(keyed.id, audience, server.clock.now())
    return assertion_form(key.sign(claims))


@pytest.mark.parametrize("path", ["", "/token", "/bc-authorize"])
def test_an_endpoint_is_accepted_as_the_audience(
    server: LiveServer, http: httpx.Client, keyed: AgentKey, key: Key, user: str, path: str
) -> None:
    """CB-029, JB-21: the issuer and both endpoint URLs are accepted at both endpoints."""
    ask = {"login_hint": user, "scope": "openid payments:read", "resource": PAY}
    audience = server.url + path
    acknowledgement = http.post(
        "/bc-authorize", data={**ask, **_form(server, keyed, key, audience)}
    )
    assert acknowledgement.status_code == 200, acknowledgement.text
    poll = {"grant_type": CIBA, "auth_req_id": acknowledgement.json()["auth_req_id"]}
    polled = http.post("/token", data={**poll, **_form(server, keyed, key, audience)})

    check_refusal(polled, 400, "authorization_pending")


@pytest.mark.parametrize(
    "audience",
    [
        "https://evil.example/token",
        "{url}/",
        "{url}/token/",
        "{url}/jwks",
        "{url}/token?x=1",
        "/token",
        ["{url}/token"],
        ["{url}", "{url}/token"],
        ["{url}", "https://evil.example"],
    ],
    ids=str,
)
def test_any_other_audience_is_still_refused(
    server: LiveServer, http: httpx.Client, keyed: AgentKey, key: Key, audience: Any
) -> None:
    """JB-05, JB-18: the setting adds two URLs and changes nothing else."""
    if isinstance(audience, list):
        filled: Any = [text.format(url=server.url) for text in audience]
    else:
        filled = audience.format(url=server.url)
    ask = {"grant_type": "client_credentials", "scope": "payments:read"}
    with assert_unchanged(server):
        response = http.post("/token", data={**ask, **_form(server, keyed, key, filled)})

    check_refusal(response, 401, "invalid_client")

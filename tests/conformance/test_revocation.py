"""RFC 7009 over real HTTP: a client revokes its own tokens."""

import httpx
import pytest

from tests.support.builders.installation import PAY
from tests.support.clients.agent import Agent
from tests.support.servers.server import BY, AgentKey, LiveServer

_FORM = {"grant_type": "client_credentials", "scope": "payments:read"}


@pytest.fixture(scope="module")
def resource(server: LiveServer) -> AgentKey:
    """The payment API's credentials."""
    rotated = server.resources.rotate_secret(PAY, by=BY)
    return AgentKey(rotated.resource.client_id, rotated.secret, PAY)


@pytest.fixture
def token(agent: Agent) -> str:
    """A token for the payment API."""
    answer = agent.http.post("/token", data=_FORM, auth=agent.key.basic)
    access_token: str = answer.json()["access_token"]
    return access_token


def _revoke(http: httpx.Client, key: AgentKey, token: str, **more: str) -> httpx.Response:
    return http.post("/revoke", data={"token": token, **more}, auth=key.basic)


def _is_active(http: httpx.Client, resource: AgentKey, token: str) -> bool:
    answer = http.post("/introspect", data={"token": token}, auth=resource.basic)
    active: bool = answer.json()["active"]
    return active


@pytest.mark.parametrize("hint", ["access_token", "refresh_token", "x", ""])
def test_a_token_is_revoked_at_once_whatever_the_hint(
    agent: Agent, http: httpx.Client, resource: AgentKey, token: str, hint: str
) -> None:
    """RV-03 to RV-06, RV-13: the answer is 200, even if the revocation is repeated."""
    assert _is_active(http, resource, token)
    for _ in range(2):
        answer = _revoke(http, agent.key, token, token_type_hint=hint)
        assert (answer.status_code, answer.headers["Cache-Control"]) == (200, "no-store")
        assert not _is_active(http, resource, token)


def test_another_clients_token_is_not_revoked(
    server: LiveServer, http: httpx.Client, resource: AgentKey, token: str
) -> None:
    """RV-07, DE-08: the answer is the same as for an unknown token."""
    other_agent = server.agent()
    answers = {_revoke(http, other_agent, text).content for text in (token, "x")}
    assert answers == {b"{}"}
    assert _is_active(http, resource, token)


def test_revocation_needs_client_authentication(
    http: httpx.Client, resource: AgentKey, token: str
) -> None:
    """RV-01: the token endpoint's authentication is needed; a resource has no tokens to revoke."""
    nobody = http.post("/revoke", data={"token": token})
    assert (nobody.status_code, nobody.json()["error"]) == (401, "invalid_client")
    refused = _revoke(http, resource, token)
    assert (refused.status_code, refused.json()["error"]) == (400, "unauthorized_client")
    assert _is_active(http, resource, token)


def test_revocation_takes_only_a_posted_token(agent: Agent, http: httpx.Client, token: str) -> None:
    """RV-01, RV-02, RV-15: a GET and a missing token are refused, and a callback is ignored."""
    assert http.get("/revoke", params={"token": token}).status_code == 405
    empty = http.post("/revoke", data={}, auth=agent.key.basic)
    assert (empty.status_code, empty.json()["error"]) == (400, "invalid_request")
    callback = http.post("/revoke", data={"token": "x", "callback": "f"}, auth=agent.key.basic)
    assert callback.content == b"{}"


def test_discovery_lists_introspection_and_revocation(
    server: LiveServer, http: httpx.Client
) -> None:
    """RFC 8414 2: the metadata lists the endpoints and their authentication methods."""
    document = http.get("/.well-known/oauth-authorization-server").json()
    for name, path in (("introspection", "introspect"), ("revocation", "revoke")):
        assert document[f"{name}_endpoint"] == f"{server.url}/{path}"
        assert "client_secret_basic" in document[f"{name}_endpoint_auth_methods_supported"]
    assert "none" not in document["introspection_endpoint_auth_methods_supported"]
    assert "none" in document["revocation_endpoint_auth_methods_supported"]

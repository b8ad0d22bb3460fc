"""RFC 7009 through real HTTP: a client gives back what is its own."""

import httpx
import pytest

from tests.support.builders.installation import PAY
from tests.support.clients.agent import Agent
from tests.support.servers.server import BY, AgentKey, LiveServer

_FORM = {"grant_type": "client_credentials", "scope": "payments:read"}


@pytest.fixture(scope="module")
def resource(server: LiveServer) -> AgentKey:
    """The payment API's credentials."""
    given = server.resources.rotate_secret(PAY, by=BY)
    return AgentKey(given.resource.client_id, given.secret, PAY)


@pytest.fixture
def token(agent: Agent) -> str:
    """A token for the payment API."""
    answer = agent.http.post("/token", data=_FORM, auth=agent.key.basic)
    found: str = answer.json()["access_token"]
    return found


def _revoke(http: httpx.Client, key: AgentKey, token: str, **more: str) -> httpx.Response:
    return http.post("/revoke", data={"token": token, **more}, auth=key.basic)


def _active(http: httpx.Client, resource: AgentKey, token: str) -> bool:
    answer = http.post("/introspect", data={"token": token}, auth=resource.basic)
    found: bool = answer.json()["active"]
    return found


@pytest.mark.parametrize("hint", ["access_token", "refresh_token", "x", ""])
def test_a_token_ends_at_once_whatever_the_hint(
    agent: Agent, http: httpx.Client, resource: AgentKey, token: str, hint: str
) -> None:
    """RV-03 to RV-06, RV-13: exactly 200, the first time and again."""
    assert _active(http, resource, token)
    for _ in range(2):
        answer = _revoke(http, agent.key, token, token_type_hint=hint)
        assert (answer.status_code, answer.headers["Cache-Control"]) == (200, "no-store")
        assert not _active(http, resource, token)


def test_a_token_of_another_client_lives_on(
    server: LiveServer, http: httpx.Client, resource: AgentKey, token: str
) -> None:
    """RV-07, DE-08: and the answer is the one for a token that does not exist."""
    thief = server.agent()
    answers = {_revoke(http, thief, text).content for text in (token, "x")}
    assert answers == {b"{}"}
    assert _active(http, resource, token)


def test_the_client_proves_who_it_is(http: httpx.Client, resource: AgentKey, token: str) -> None:
    """RV-01: as at the token endpoint; a resource holds no tokens."""
    nobody = http.post("/revoke", data={"token": token})
    assert (nobody.status_code, nobody.json()["error"]) == (401, "invalid_client")
    refused = _revoke(http, resource, token)
    assert (refused.status_code, refused.json()["error"]) == (400, "unauthorized_client")
    assert _active(http, resource, token)


def test_only_a_post_with_a_token_is_answered(agent: Agent, http: httpx.Client, token: str) -> None:
    """RV-01, RV-02, RV-15."""
    assert http.get("/revoke", params={"token": token}).status_code == 405
    empty = http.post("/revoke", data={}, auth=agent.key.basic)
    assert (empty.status_code, empty.json()["error"]) == (400, "invalid_request")
    callback = http.post("/revoke", data={"token": "x", "callback": "f"}, auth=agent.key.basic)
    assert callback.content == b"{}"


def test_discovery_names_both_endpoints(server: LiveServer, http: httpx.Client) -> None:
    """RFC 8414 2: and how one authenticates there."""
    document = http.get("/.well-known/oauth-authorization-server").json()
    for name, path in (("introspection", "introspect"), ("revocation", "revoke")):
        assert document[f"{name}_endpoint"] == f"{server.url}/{path}"
        assert "client_secret_basic" in document[f"{name}_endpoint_auth_methods_supported"]
    assert "none" not in document["introspection_endpoint_auth_methods_supported"]
    assert "none" in document["revocation_endpoint_auth_methods_supported"]

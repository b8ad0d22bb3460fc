"""RFC 7662 and RFC 9701 over real HTTP: who may introspect, and what the answers hide."""

import base64
from dataclasses import replace

import httpx
import jwt
import pytest

from server.services.clients.agent_forms import NewAgent
from server.services.clients.agents import Agents
from server.services.clients.app_forms import NewApp
from server.services.clients.apps import Apps
from tests.support.builders.installation import PAY
from tests.support.clients.agent import Agent
from tests.support.inputs.dpop_proofs import proof, thumbprint
from tests.support.inputs.handmade_jwts import make_jwt, new_key
from tests.support.servers.server import BY, AgentKey, LiveServer

INACTIVE = {"active": False}


@pytest.fixture(scope="module")
def resource(server: LiveServer) -> AgentKey:
    """The payment API's credentials."""
    rotated = server.resources.rotate_secret(PAY, by=BY)
    return AgentKey(rotated.resource.client_id, rotated.secret, PAY)


@pytest.fixture
def token(agent: Agent) -> str:
    """A token for the payment API."""
    form = {"grant_type": "client_credentials", "scope": "payments:read"}
    answer = agent.http.post("/token", data=form, auth=agent.key.basic)
    access_token: str = answer.json()["access_token"]
    return access_token


def _ask(http: httpx.Client, key: AgentKey, token: str, **more: str) -> httpx.Response:
    return http.post("/introspect", data={"token": token, **more}, auth=key.basic)


def test_introspection_takes_only_posted_forms(
    http: httpx.Client, resource: AgentKey, token: str
) -> None:
    """IN-01: a token must not be in a URL, because URLs are logged."""
    got = http.get("/introspect", params={"token": token}, auth=resource.basic)
    assert (got.status_code, got.headers["Allow"]) == (405, "POST")
    in_url = http.post("/introspect", params={"token": token}, data={}, auth=resource.basic)
    as_json = http.post("/introspect", json={"token": token}, auth=resource.basic)
    for answer in (in_url, as_json):
        assert (answer.status_code, answer.json()["error"]) == (400, "invalid_request")


def test_introspection_needs_client_authentication(
    server: LiveServer, http: httpx.Client, resource: AgentKey, token: str
) -> None:
    """IN-02, IN-03: a client_id alone, or the token itself, is not enough."""
    services = server.services
    app = Apps(services.store, services.secrets).add(
        NewApp("page", auth_method="none", redirect_uris=("https://page.example/back",)), by=BY
    )
    for form, headers in (
        ({}, {}),
        ({"client_id": app.app.id}, {}),
        ({"client_id": resource.id}, {}),
        ({}, {"Authorization": f"Bearer {token}"}),
        ({}, {"Authorization": _basic(resource.id, "")}),
        ({}, {"Authorization": _basic(resource.id, "wrong")}),
        ({"client_id": resource.id, "client_secret": "wrong"}, {}),
    ):
        answer = http.post("/introspect", data={"token": token, **form}, headers=headers)
        assert (answer.status_code, answer.json()["error"]) == (401, "invalid_client"), form


def _basic(name: str, secret: str) -> str:
    return "Basic " + base64.b64encode(f"{name}:{secret}".encode()).decode()


def test_a_resource_may_send_its_secret_in_the_body(
    http: httpx.Client, resource: AgentKey, token: str
) -> None:
    """RFC 6749 2.3.1: the secret may come in the header or in the body, but not in both."""
    form = {"token": token, "client_id": resource.id, "client_secret": resource.secret}
    assert http.post("/introspect", data=form).json()["active"] is True
    assert http.post("/introspect", data=form, auth=resource.basic).status_code == 400


def test_a_repeated_or_missing_token_is_refused(
    http: httpx.Client, resource: AgentKey, token: str
) -> None:
    """IN-04: exactly one token parameter is required."""
    for body in ("", "token=", f"token={token}&token={token}"):
        answer = http.post(
            "/introspect",
            content=body,
            headers={"Content-Type": "application/x-www-form-urlencoded"},
            auth=resource.basic,
        )
        assert (answer.status_code, answer.json()["error"]) == (400, "invalid_request"), body


@pytest.mark.parametrize("hint", ["access_token", "refresh_token", "x", ""])
def test_a_token_type_hint_changes_nothing(
    http: httpx.Client, resource: AgentKey, token: str, hint: str
) -> None:
    """IN-05, IN-06: a wrong or unknown hint is ignored."""
    assert _ask(http, resource, token, token_type_hint=hint).json()["active"] is True


def test_an_active_token_is_described_and_not_cached(
    server: LiveServer, agent: Agent, http: httpx.Client, resource: AgentKey, token: str
) -> None:
    """IN-07, IN-17, IN-20: the members have the types of RFC 7662."""
    answer = _ask(http, resource, token)
    assert answer.headers["Cache-Control"] == "no-store"
    reply = answer.json()
    assert reply["active"] is True
    assert (reply["iss"], reply["aud"], reply["client_id"]) == (server.url, PAY, agent.key.id)
    assert all(isinstance(reply[name], int) for name in ("exp", "iat"))
    assert all(isinstance(reply[name], str) for name in ("scope", "sub", "jti", "token_type"))


def test_an_invalid_token_is_inactive_and_nothing_else(
    server: LiveServer, http: httpx.Client, resource: AgentKey, token: str
) -> None:
    """IN-08, IN-12, IN-21: the answer does not tell why a token is invalid."""
    header = jwt.get_unverified_header(token)
    claims = jwt.decode(token, options={"verify_signature": False})
    forged = new_key("ES256", header["kid"]).sign(claims, typ="at+jwt")
    other_issuer = new_key("ES256").sign({**claims, "iss": "https://other.example"}, typ="at+jwt")
    for text in (
        "x",
        token[:-2],
        token + "AA",
        make_jwt({**header, "alg": "none"}, claims),
        forged,
        other_issuer,
        "sayso_ar_" + "a" * 43,
        "sayso_rt_" + "a" * 43,
        resource.secret,
    ):
        answer = _ask(http, resource, text)
        assert (answer.status_code, answer.json()) == (200, INACTIVE), text
    assert server.url in str(claims)


def test_introspection_answers_only_the_audience_and_the_holder(
    server: LiveServer, agent: Agent, http: httpx.Client, token: str
) -> None:
    """IN-09, NG-080, RI-12, RI-14, AT-29: to any other client the token is inactive."""
    uri = f"https://{agent.key.name}.example"
    added = server.resources.add(uri, {}, {}, by=BY)
    other_resource = AgentKey(added.resource.client_id, added.secret, uri)
    for caller in (other_resource, server.agent()):
        assert _ask(http, caller, token).json() == INACTIVE
        signed = http.post(
            "/introspect",
            data={"token": token},
            auth=caller.basic,
            headers={"Accept": "application/token-introspection+jwt"},
        )
        claims = jwt.decode(signed.text, options={"verify_signature": False})
        assert claims["token_introspection"] == INACTIVE
        assert claims["aud"] == caller.id
    assert _ask(http, agent.key, token).json()["active"] is True


def test_a_signed_introspection_response_can_be_verified(
    server: LiveServer, http: httpx.Client, resource: AgentKey, token: str
) -> None:
    """IN-19: the caller verifies the response with a published key."""
    answer = http.post(
        "/introspect",
        data={"token": token},
        auth=resource.basic,
        headers={"Accept": "application/token-introspection+jwt"},
    )
    assert answer.headers["Content-Type"] == "application/token-introspection+jwt"
    header = jwt.get_unverified_header(answer.text)
    assert header["typ"] == "token-introspection+jwt"
    published = {key["kid"]: key for key in http.get("/jwks").json()["keys"]}
    claims = jwt.decode(
        answer.text,
        jwt.PyJWK(published[header["kid"]]),
        algorithms=[header["alg"]],
        audience=resource.id,
        issuer=server.url,
    )
    assert claims["token_introspection"] == _ask(http, resource, token).json()


def test_a_bound_token_shows_its_key(
    server: LiveServer, agent: Agent, http: httpx.Client, resource: AgentKey
) -> None:
    """IN-15, DP-30: the answer has the token's type and the thumbprint of its key."""
    key = new_key("ES256")
    form = {"grant_type": "client_credentials", "scope": "payments:read"}
    headers = {"DPoP": proof(key, f"{server.url}/token", server.clock.now())}
    answer = http.post("/token", data=form, auth=agent.key.basic, headers=headers).json()
    assert answer["token_type"] == "DPoP"
    reply = _ask(http, resource, answer["access_token"]).json()
    assert (reply["token_type"], reply["cnf"]) == ("DPoP", {"jkt": thumbprint(key)})


def test_disabling_an_agent_is_visible_to_the_next_introspection(
    server: LiveServer, http: httpx.Client, resource: AgentKey
) -> None:
    """IN-13: the server notices it even if another process disabled the agent."""
    agents = Agents(server.services.store, server.services.secrets)
    added = agents.add(
        NewAgent("short-lived", ("admin",), resources=(PAY,), scopes=("payments:read",)), by=BY
    )
    key = AgentKey(added.agent.id, added.secret, added.agent.name)
    form = {"grant_type": "client_credentials", "scope": "payments:read"}
    token = http.post("/token", data=form, auth=key.basic).json()["access_token"]
    assert _ask(http, resource, token).json()["active"] is True
    agents.disable("short-lived", by=BY)
    assert _ask(http, resource, token).json() == INACTIVE
    refused = _ask(http, key, token)
    assert (refused.status_code, refused.json()["error"]) == (400, "unauthorized_client")


def test_a_rotated_resource_secret_works_for_its_overlap(
    server: LiveServer, agent: Agent, http: httpx.Client
) -> None:
    """A resource's old secret works as long as an agent's old secret does."""
    uri = f"https://{agent.key.name}-rotates.example"
    added = server.resources.add(uri, {}, {}, by=BY)
    old = AgentKey(added.resource.client_id, added.secret, uri)
    new = replace(old, secret=server.resources.rotate_secret(uri, by=BY, overlap_ms=60_000).secret)
    assert [_ask(http, key, "x").status_code for key in (old, new)] == [200, 200]
    server.resources.rotate_secret(uri, by=BY, overlap_ms=0)
    assert [_ask(http, key, "x").status_code for key in (old, new)] == [401, 401]

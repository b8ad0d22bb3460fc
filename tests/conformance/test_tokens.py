"""RFC 9068, OpenID Connect Core 2, CIBA Core 10.1.1, RFC 8693 4.1: claims of our tokens."""

import base64
import hashlib
from typing import Any

import httpx
import jwt
import pytest

from approver_tui.client.devices.keys import KeyLevel
from approver_tui.client.jose import SigningKey
from server.services.audit import audit
from tests.support.builders.installation import PAY
from tests.support.checks.refusals import assert_unchanged, check_refusal
from tests.support.clients.agent import PAYMENT_DETAILS, Agent
from tests.support.clients.terminal import Terminal
from tests.support.inputs.signing import approval_key, decision
from tests.support.servers.server import LiveServer

_LINE = "https://line.example"


@pytest.fixture(scope="module")
def low_key(person: Terminal) -> SigningKey:
    """The key that approves low-risk requests, opened once for this file's tests."""
    return approval_key(person, KeyLevel.LOW)


def _approve_and_redeem(
    agent: Agent, person: Terminal, key: SigningKey, **parameters: Any
) -> dict[str, Any]:
    request = agent.ask(person.user, requested_expiry=1_800, **parameters).json()
    pending = next(a for a in person.waiting() if a.fingerprint == request["fingerprint"])
    approval = person.client.approval(pending.id)
    person.client.decide(pending.id, decision(person, approval, key))
    answer = agent.poll(request["auth_req_id"])
    assert answer.status_code == 200, answer.text
    return {**answer.json(), "auth_req_id": request["auth_req_id"], "approval": approval}


def _own_token(agent: Agent, **form: str) -> httpx.Response:
    parameters = {"grant_type": "client_credentials", "scope": "payments:read", **form}
    return agent.http.post("/token", data=parameters, auth=agent.key.basic)


def _verify(http: httpx.Client, token: str, audience: str, issuer: str) -> dict[str, Any]:
    """Verifies a token as a resource server does, by its kid, and returns the claims."""
    header = jwt.get_unverified_header(token)
    published = {key["kid"]: key for key in http.get("/jwks").json()["keys"]}
    key = jwt.PyJWK(published[header["kid"]])
    claims: dict[str, Any] = jwt.decode(
        token,
        key,
        algorithms=[header["alg"]],
        audience=audience,
        issuer=issuer,
        options={"require": ["iss", "aud", "exp", "iat", "sub"]},
    )
    return claims


def test_a_delegated_token_has_every_claim_in_its_type(
    server: LiveServer, agent: Agent, person: Terminal, low_key: SigningKey
) -> None:
    """All required claims are present and no others.

    AT-01 to AT-16, AT-30, BC-10, CL-17.
    """
    body = _approve_and_redeem(agent, person, low_key)
    header = jwt.get_unverified_header(body["access_token"])
    claims = _verify(agent.http, body["access_token"], PAY, server.url)
    approval = body["approval"]

    assert header.keys() == {"alg", "typ", "kid"}
    assert (header["typ"], header["alg"]) == ("at+jwt", "ES256")
    assert claims.keys() == {
        "iss",
        "sub",
        "sub_profile",
        "aud",
        "client_id",
        "act",
        "scope",
        "jti",
        "iat",
        "exp",
        "approval",
        "acr",
        "amr",
        "auth_time",
    }
    assert claims["iss"] == server.url
    assert claims["sub"] == person.client.profile.user_id
    assert claims["sub_profile"] == "user"
    assert claims["aud"] == PAY
    assert claims["client_id"] == agent.key.id
    assert claims["scope"] == "payments:read"
    assert type(claims["iat"]) is type(claims["exp"]) is type(claims["auth_time"]) is int
    assert claims["exp"] - claims["iat"] == body["expires_in"] == 300
    assert claims["iat"] <= server.clock.now() // 1000
    assert claims["auth_time"] <= claims["iat"]
    assert claims["approval"] == {
        "id": approval.id,
        "action_digest": approval.action_digest,
        "granted_digest": approval.action_digest,
        "single_use": False,
    }
    assert (claims["acr"], claims["amr"]) == ("urn:sayso:acr:signed", ["swk"])
    assert person.user not in str(claims)


def test_act_names_the_agent_and_its_issuer(
    server: LiveServer, agent: Agent, person: Terminal, low_key: SigningKey
) -> None:
    """RFC 8693 4.1: `act` is present whenever an agent acts for a user."""
    body = _approve_and_redeem(agent, person, low_key)
    claims = _verify(agent.http, body["access_token"], PAY, server.url)

    assert claims["act"] == {"sub": agent.key.id, "iss": server.url, "sub_profile": "ai_agent"}


def test_a_token_for_an_action_contains_it_exactly(
    server: LiveServer, agent: Agent, person: Terminal
) -> None:
    """RA-11, RA-13, RA-19: the token has the details that were shown; acr and amr name the PIN."""
    acknowledgement = agent.ask_payment(person.user).json()
    pending = next(a for a in person.waiting() if a.fingerprint == acknowledgement["fingerprint"])
    person.approve(pending)
    body = agent.poll(acknowledgement["auth_req_id"]).json()
    claims = _verify(agent.http, body["access_token"], PAY, server.url)

    assert claims["authorization_details"] == body["authorization_details"] == PAYMENT_DETAILS
    assert claims["approval"]["single_use"] is True
    assert (claims["acr"], claims["amr"]) == ("urn:sayso:acr:signed-pin", ["swk", "pin"])


@pytest.mark.parametrize("alg", ["ES256", "EdDSA", "RS256"])
def test_an_id_token_states_who_answered_which_request(
    server: LiveServer, person: Terminal, low_key: SigningKey, http: httpx.Client, alg: str
) -> None:
    """CB-150 to CB-154, CL-09, AT-28: it is signed for the agent and is not an access token."""
    agent = Agent(server.agent(id_token_alg=alg), http)
    body = _approve_and_redeem(agent, person, low_key, acr_values="urn:nobody:has")
    header = jwt.get_unverified_header(body["id_token"])
    claims = _verify(http, body["id_token"], agent.key.id, server.url)
    digest = hashlib.new("sha512" if alg == "EdDSA" else "sha256", body["access_token"].encode())
    half = digest.digest()[: digest.digest_size // 2]

    assert (header["alg"], header["typ"]) == (alg, "JWT")
    assert claims.keys() == {
        "iss",
        "sub",
        "aud",
        "iat",
        "exp",
        "at_hash",
        "urn:openid:params:jwt:claim:auth_req_id",
        "acr",
        "amr",
        "auth_time",
    }
    assert claims["sub"] == person.client.profile.user_id
    assert claims["aud"] == agent.key.id
    assert claims["urn:openid:params:jwt:claim:auth_req_id"] == body["auth_req_id"]
    assert claims["at_hash"] == base64.urlsafe_b64encode(half).rstrip(b"=").decode()
    assert claims["acr"] == "urn:sayso:acr:signed"


def test_an_id_token_works_as_the_next_hint(
    agent: Agent, person: Terminal, low_key: SigningKey
) -> None:
    """CB-151, CB-053: an ID token names the same user in a later request."""
    body = _approve_and_redeem(agent, person, low_key)
    again = agent.ask(person.user, login_hint=None, id_token_hint=body["id_token"])
    assert again.status_code == 200, again.text

    pending = next(a for a in person.waiting() if a.fingerprint == again.json()["fingerprint"])
    assert pending.agent.id == agent.key.id


def test_an_agents_own_token_has_the_client_as_its_subject(
    server: LiveServer, agent: Agent
) -> None:
    """AT-11, RI-13: the token has no user and no act, and comes without an ID token."""
    body = _own_token(agent).json()
    claims = _verify(agent.http, body["access_token"], PAY, server.url)

    assert body.keys() == {"access_token", "token_type", "expires_in", "scope"}
    assert claims.keys() == {
        "iss",
        "sub",
        "sub_profile",
        "aud",
        "client_id",
        "scope",
        "jti",
        "iat",
        "exp",
    }
    assert claims["sub"] == claims["client_id"] == agent.key.id
    assert claims["sub_profile"] == "ai_agent"
    assert claims["exp"] - claims["iat"] == body["expires_in"]


_AGENT_ONLY_REQUESTS = {
    "no-scope-or-resource": ({"scope": ""}, "invalid_target"),
    "no-scope": ({"scope": "", "resource": PAY}, "invalid_scope"),
    "openid": ({"scope": "openid payments:read"}, "invalid_scope"),
    "only-openid": ({"scope": "openid"}, "invalid_scope"),
    "AT-15-unknown": ({"scope": "payments:read payments:none", "resource": PAY}, "invalid_scope"),
    "too-much": ({"scope": "payments:transfer"}, "interaction_required"),
    "details": ({"authorization_details": "[]"}, "interaction_required"),
    "RI-04-unknown": ({"resource": "https://xyzzyplugh.example"}, "invalid_target"),
    "RI-02-fragment": ({"resource": f"{PAY}#x"}, "invalid_target"),
    "api": ({"resource": "{url}/api"}, "invalid_target"),
    "AT-18-two-owners": ({"scope": "payments:read line:read", "resource": ""}, "invalid_target"),
    "AT-15-not-here": ({"scope": "line:read", "resource": PAY}, "invalid_scope"),
}


@pytest.mark.parametrize("case", _AGENT_ONLY_REQUESTS)
def test_a_token_that_needs_a_user_is_not_issued_to_an_agent_alone(
    server: LiveServer, http: httpx.Client, case: str
) -> None:
    """AT-15, AT-18, RI-04: no scope about a user and nothing above medium risk is issued."""
    with server.services.store.read() as view:
        exists = view.directory.resource(_LINE) is not None
    if not exists:
        server.resources.add(_LINE, {"line:read": "low"}, {}, by=audit.OPERATOR)
    scopes = ("payments:read", "payments:transfer", "line:read")
    agent = Agent(server.agent(resources=(PAY, _LINE), scopes=scopes), http)
    form, error = _AGENT_ONLY_REQUESTS[case]
    filled = {name: value.format(url=server.url) for name, value in form.items()}
    with assert_unchanged(server):
        response = _own_token(agent, **filled)

    check_refusal(response, 400, error)


def test_no_two_tokens_share_an_id(server: LiveServer, agent: Agent) -> None:
    """AT-31: a hundred issued and ten thousand generated IDs are all different."""
    issued = [
        jwt.decode(_own_token(agent).json()["access_token"], options={"verify_signature": False})[
            "jti"
        ]
        for _ in range(100)
    ]
    generated = [server.services.secrets.new_id("sayso_at_") for _ in range(10_000)]

    assert len({*issued, *generated}) == 10_100
    assert all(token.startswith("sayso_at_") for token in issued)


def test_client_ids_and_user_ids_have_different_prefixes(server: LiveServer, agent: Agent) -> None:
    """AT-12, BC-14: no `sub` can name both a client and a user."""
    with server.services.store.read() as view:
        agents = {row.id for row in view.agents.all()}
        users = {row.id for row in view.users.all()}

    assert agents & users == set()
    assert all(name.startswith("sayso_ag_") for name in agents)
    assert all(name.startswith("sayso_us_") for name in users)
    assert agent.key.id in agents


@pytest.mark.parametrize("kind", ["access_token", "id_token"])
def test_an_agents_tokens_are_refused_by_our_own_api(
    agent: Agent, person: Terminal, low_key: SigningKey, kind: str
) -> None:
    """AT-20, AT-22, AT-28: our API needs a terminal's token, whatever the scheme is."""
    token = _approve_and_redeem(agent, person, low_key)[kind]
    for scheme in ("Bearer", "DPoP"):
        headers = {"Authorization": f"{scheme} {token}"}
        proof = person.client.session.transport.proof("GET", "/api/me", token)
        answer = agent.http.get("/api/me", headers={**headers, "DPoP": proof})
        assert answer.status_code == 401
        assert answer.json()["code"] == "invalid_token"

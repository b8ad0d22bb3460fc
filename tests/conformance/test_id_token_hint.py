"""CIBA Core 7.1, `id_token_hint`: our own ID token for this agent names its subject.

Any other token is refused.
"""

from typing import Any

import pytest

from server.services.audit import audit
from server.services.users.users import Users
from tests.support.builders.installation import PAY
from tests.support.checks.refusals import assert_unchanged, check_refusal
from tests.support.clients.agent import Agent, new_agent
from tests.support.inputs.handmade_jwts import hmac_jwt, make_jwt, new_key
from tests.support.servers.server import LiveServer


def _claims(server: LiveServer, agent: Agent, user: str, **changes: Any) -> dict[str, Any]:
    with server.services.store.read() as view:
        row = view.directory.find_user(user)
    assert row is not None
    now = server.clock.now() // 1000
    claims = {
        "iss": server.url,
        "sub": row.id,
        "aud": agent.key.id,
        "iat": now,
        "exp": now + 300,
        **changes,
    }
    return {name: value for name, value in claims.items() if value is not ...}


def _sign(server: LiveServer, claims: dict[str, Any], alg: str = "RS256", typ: str = "JWT") -> str:
    """Signs a token with our own key, as only the server can."""
    with server.services.store.read() as view:
        keys = view.directory.signing_keys()
    return server.services.signer.sign(keys, alg, typ, claims)


def _our_jwk(server: LiveServer, alg: str) -> dict[str, Any]:
    with server.services.store.read() as view:
        return next(dict(k.public_jwk) for k in view.directory.signing_keys() if k.alg == alg)


def _ask(agent: Agent, hint: str) -> Any:
    form = {"id_token_hint": hint, "scope": "openid payments:read", "resource": PAY}
    return agent.http.post("/bc-authorize", data=form, auth=agent.key.basic)


@pytest.mark.parametrize("alg", ["ES256", "EdDSA", "RS256"])
def test_an_own_id_token_names_its_subject(server: LiveServer, agent: Agent, alg: str) -> None:
    """CB-151: the subject of the ID token is the user who is asked."""
    user, _ = server.user()
    claims = _claims(server, agent, user)
    assert _ask(agent, _sign(server, claims, alg)).status_code == 200

    with server.services.store.read() as view:
        assert len(view.approvals.waiting(claims["sub"], view.now, 10, None)) == 1


_GOOD: dict[str, dict[str, Any]] = {
    "CB-053-expired": {"exp": 1_000_000_000, "iat": 999_999_000},
    "CB-053-no-exp": {"exp": ...},
    "aud-list": {"aud": ["another", "{agent}"]},
}


@pytest.mark.parametrize("case", _GOOD)
def test_an_expired_id_token_is_accepted_as_a_hint(
    server: LiveServer, agent: Agent, user: str, case: str
) -> None:
    """CB-053: an expired ID token still names its subject."""
    changes = {
        name: [v.format(agent=agent.key.id) for v in value] if isinstance(value, list) else value
        for name, value in _GOOD[case].items()
    }
    response = _ask(agent, _sign(server, _claims(server, agent, user, **changes)))

    assert response.status_code == 200, response.text


_BAD_CLAIMS: dict[str, dict[str, Any]] = {
    "CB-050-iss": {"iss": "https://evil.example"},
    "CB-050-iss-slash": {"iss": "{url}/"},
    "CB-050-iss-list": {"iss": ["{url}"]},
    "CB-050-no-iss": {"iss": ...},
    "CB-051-other-aud": {"aud": "sayso_ag_aaaaaaaaaaaaaaaa"},
    "CB-051-no-aud": {"aud": ...},
    "CB-051-empty-aud": {"aud": []},
    "CB-051-resource": {"aud": PAY},
    "CB-052-number-in-aud": {"aud": ["{agent}", 5]},
    "CB-052-null-in-aud": {"aud": [None, "{agent}"]},
    "CB-052-object-in-aud": {"aud": ["{agent}", {"a": 1}]},
    "CB-052-list-in-aud": {"aud": [["{agent}"]]},
    "CB-052-object": {"aud": {"{agent}": 1}},
    "CB-052-number": {"aud": 5},
    "NG-093-no-sub": {"sub": ...},
    "NG-093-number-sub": {"sub": 5},
    "NG-093-list-sub": {"sub": ["a"]},
}


@pytest.mark.parametrize("case", _BAD_CLAIMS)
def test_an_id_token_with_wrong_claims_is_refused(
    server: LiveServer, agent: Agent, user: str, case: str
) -> None:
    """CB-050 to CB-052, NG-012, NG-093: a valid signature of ours is not enough."""

    def filled(value: Any) -> Any:
        if isinstance(value, str):
            return value.format(url=server.url, agent=agent.key.id)
        return [filled(item) for item in value] if isinstance(value, list) else value

    changes = {name: filled(value) for name, value in _BAD_CLAIMS[case].items()}
    hint = _sign(server, _claims(server, agent, user, **changes))
    with assert_unchanged(server):
        response = _ask(agent, hint)

    check_refusal(response, 400, "invalid_request")


def _forgeries(server: LiveServer, agent: Agent, user: str) -> dict[str, str]:
    claims = _claims(server, agent, user)
    good = _sign(server, claims)
    rsa, own_jwk = new_key("RS256", "forger"), _our_jwk(server, "RS256")
    header = {"typ": "JWT", "kid": own_jwk["kid"]}
    head, body, signature = good.split(".")
    public = rsa.pem
    return {
        "CB-054-none": make_jwt({**header, "alg": "none"}, claims),
        "CB-054-none-upper": make_jwt({**header, "alg": "NONE"}, claims),
        "CB-054-no-alg": make_jwt(header, claims),
        "CB-054-hs256-modulus": hmac_jwt({**header, "alg": "HS256"}, claims, own_jwk["n"].encode()),
        "CB-054-hs256-pem": hmac_jwt({**header, "alg": "HS256"}, claims, public),
        "CB-054-unsigned": f"{head}.{body}.",
        "CB-054-other-alg": rsa.sign(claims, kid=_our_jwk(server, "ES256")["kid"], typ="JWT"),
        "CB-050-other-key": rsa.sign(claims, kid=own_jwk["kid"], typ="JWT"),
        "CB-050-unknown-kid": rsa.sign(claims, typ="JWT"),
        "CB-050-no-kid": rsa.sign(claims, kid=None, typ="JWT"),
        "CB-050-own-jwk": rsa.sign(claims, kid=own_jwk["kid"], typ="JWT", jwk=rsa.jwk),
        "CB-050-jku": rsa.sign(claims, kid=own_jwk["kid"], typ="JWT", jku="https://evil.example"),
        "CB-050-changed": f"{head}.{body[:-4]}AAAA.{signature}",
        "CB-050-cut": good[:-2],
        "CB-050-longer": f"{good}.{signature}",
        "CB-055-access-token": _sign(server, claims, typ="at+jwt"),
        "CB-055-long-type": _sign(server, claims, typ="application/at+jwt"),
        "CB-055-logout": _sign(server, claims, typ="logout+jwt"),
        "CB-055-decision": _sign(server, claims, typ="sayso-decision+jws"),
        "CB-055-assertion": _sign(server, claims, typ="client-authentication+jwt"),
        "not-json": make_jwt({**header, "alg": "RS256"}, 5),
        "no-jwt": "hello",
        "dots": "..",
        "long": "a" * 50_000,
        "unicode": "é.é.é",
        "escape": "\x1b[2J.a.b",
        "deep": make_jwt({"alg": "RS256", "kid": [[[[]]]]}, claims),
    }


_CASES = [
    *(f"CB-054-{kind}" for kind in ("none", "none-upper", "no-alg", "hs256-modulus", "hs256-pem")),
    *(f"CB-054-{kind}" for kind in ("unsigned", "other-alg")),
    *(f"CB-050-{kind}" for kind in ("other-key", "unknown-kid", "no-kid", "own-jwk", "jku")),
    *(f"CB-050-{kind}" for kind in ("changed", "cut", "longer")),
    *(f"CB-055-{kind}" for kind in ("access-token", "long-type", "logout", "decision")),
    *("CB-055-assertion", "not-json", "no-jwt", "dots", "long", "unicode", "escape", "deep"),
]


@pytest.mark.parametrize("case", _CASES)
def test_a_hint_that_is_not_an_own_id_token_is_refused(
    server: LiveServer, agent: Agent, user: str, case: str
) -> None:
    """CB-050, CB-054, CB-055: a forged or altered token, or one of another kind, is refused."""
    hint = _forgeries(server, agent, user)[case]
    with assert_unchanged(server):
        response = _ask(agent, hint)

    check_refusal(response, 400, "invalid_request")


@pytest.mark.parametrize("case", ["CB-056-disabled", "CB-056-unknown", "not-mine-to-ask"])
def test_an_unreachable_subject_is_like_an_unknown_user(
    server: LiveServer, user: str, case: str
) -> None:
    """CB-056: the user may be disabled, unknown, or one whom this agent may not ask."""
    other, _ = server.user()
    agent = new_agent(server, asks=(user,) if case == "not-mine-to-ask" else None)
    claims = _claims(server, agent, other)
    if case == "CB-056-unknown":
        claims["sub"] = "sayso_us_aaaaaaaaaaaaaaaa"
    if case == "CB-056-disabled":
        users = Users(server.services.store, server.services.secrets)
        users.disable(other, by=audit.OPERATOR)
    with assert_unchanged(server):
        response = _ask(agent, _sign(server, claims))
    agent.http.close()

    check_refusal(response, 400, "unknown_user_id")


def test_another_agents_id_token_is_refused_as_a_hint(
    server: LiveServer, agent: Agent, user: str
) -> None:
    """CB-051: an ID token works only for the agent that is its audience."""
    other = new_agent(server)
    hint = _sign(server, _claims(server, other, user))
    with assert_unchanged(server):
        response = _ask(agent, hint)

    check_refusal(response, 400, "invalid_request")
    assert _ask(other, hint).status_code == 200
    other.http.close()

"""RFC 7523 and RFC 10070: client authentication by a signed assertion.

Every failure gets the same 401, and the log has the reason.
"""

import json
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any

import httpx
import pytest

from server.services.audit import audit
from server.services.clients.agent_forms import AgentChanges
from server.services.clients.agents import Agents
from tests.support.builders.installation import PAY
from tests.support.checks.refusals import MARK, assert_unchanged, check_refusal
from tests.support.clients.agent import Agent
from tests.support.inputs.handmade_jwts import (
    Key,
    assertion_claims,
    assertion_form,
    hmac_jwt,
    make_jwt,
    new_key,
)
from tests.support.servers.server import AgentKey, LiveServer

BY = audit.OPERATOR
_ASK = {"grant_type": "client_credentials", "scope": "payments:read"}


@dataclass(frozen=True, slots=True)
class Keyed:
    """An agent that authenticates with a key of one algorithm."""

    server: LiveServer
    http: httpx.Client
    agent: AgentKey
    key: Key

    def claims(self, **changes: Any) -> dict[str, Any]:
        """Returns the claims of a valid assertion, with changes."""
        return assertion_claims(self.agent.id, self.server.url, self.server.clock.now(), **changes)

    def signed(self, header: dict[str, Any] | None = None, **changes: Any) -> str:
        """Returns an assertion signed by the registered key."""
        return self.key.sign(self.claims(**changes), **(header or {}))

    def token(self, assertion: str, **form: str) -> httpx.Response:
        """Requests a token with this assertion."""
        return self.http.post("/token", data={**_ASK, **assertion_form(assertion), **form})


@pytest.fixture(scope="module", params=["ES256", "EdDSA", "RS256"])
def keyed(request: pytest.FixtureRequest, server: LiveServer, http: httpx.Client) -> Keyed:
    """An agent with a key, once for each advertised algorithm."""
    key = new_key(request.param, f"key-{request.param}")
    return Keyed(server, http, _register_agent(server, key), key)


def _register_agent(server: LiveServer, *keys: Key) -> AgentKey:
    return server.agent(auth_method="private_key_jwt", jwks=_key_set(*keys))


def _key_set(*keys: Key) -> str:
    return json.dumps({"keys": [key.jwk for key in keys]})


_ACCEPTED: dict[str, tuple[dict[str, Any], dict[str, Any]]] = {
    "CL-18-plain": ({}, {}),
    "JB-20-typ-absent": ({"typ": None}, {}),
    "JB-20-typ-jwt": ({"typ": "JWT"}, {}),
    "JB-20-typ-lower": ({"typ": "jwt"}, {}),
    "JB-20-typ-own": ({"typ": "client-authentication+jwt"}, {}),
    "JB-20-typ-upper": ({"typ": "Client-Authentication+JWT"}, {}),
    "JB-20-typ-prefix": ({"typ": "application/client-authentication+jwt"}, {}),
    "kid-absent": ({"kid": None}, {}),
    "header-thumbprint": ({"x5t#S256": "MIIB"}, {}),
    "header-unknown": ({MARK: {"a": 1}}, {}),
    "JB-06-within-leeway": ({}, {"exp": -1}),
    "JB-07-nbf-now": ({}, {"nbf": 0}),
    "JB-07-nbf-long-ago": ({}, {"nbf": -1_000_000_000}),
    "JB-08-an-hour": ({}, {"exp": 3_590}),
    "JB-09-old-iat": ({}, {"iat": -86_400}),
    "JB-09-iat-within-leeway": ({}, {"iat": 3}),
    "fractions": ({}, {"exp": 60.5, "iat": -0.5}),
    "more-claims": ({}, {}),
}


@pytest.mark.parametrize("case", _ACCEPTED)
def test_a_valid_assertion_is_accepted(keyed: Keyed, case: str) -> None:
    """CB-028, JB-20, CL-18: type and kid are optional, and unknown header members are ignored."""
    header, times = _ACCEPTED[case]
    now = keyed.server.clock.now() / 1000
    moved = {
        name: now + by if isinstance(by, float) else int(now) + by for name, by in times.items()
    }
    extra = {"scope": MARK, "nonce": [1, {"a": None}]} if case == "more-claims" else {}
    response = keyed.token(keyed.signed(header, **moved, **extra))

    assert response.status_code == 200, response.text


def test_an_nbf_of_zero_is_in_the_past(keyed: Keyed) -> None:
    """JB-07: zero is a time like any other and does not mean that the claim is missing."""
    assert keyed.token(keyed.signed(nbf=0, iat=0)).status_code == 200


def _invalid_claims(keyed: Keyed) -> dict[str, dict[str, Any]]:
    url, now = keyed.server.url, keyed.server.clock.now() // 1000
    other = "sayso_ag_aaaaaaaaaaaaaaaa"
    return {
        "JB-03-no-iss": {"iss": None},
        "JB-03-other-iss": {"iss": other},
        "JB-03-issuer": {"iss": url},
        "JB-03-list-iss": {"iss": [keyed.agent.id]},
        "JB-03-number-iss": {"iss": 5},
        "JB-04-no-sub": {"sub": None},
        "JB-04-other-sub": {"sub": other},
        "JB-04-name": {"sub": keyed.agent.name, "iss": keyed.agent.name},
        "JB-04-list-sub": {"sub": [keyed.agent.id]},
        "JB-04-nul-sub": {"sub": f"{keyed.agent.id}\x00", "iss": f"{keyed.agent.id}\x00"},
        "JB-05-no-aud": {"aud": None},
        "JB-05-foreign": {"aud": "https://evil.example"},
        "JB-05-slash": {"aud": f"{url}/"},
        "JB-05-loopback-name": {"aud": url.replace("localhost", "127.0.0.1")},
        "JB-05-number": {"aud": 5},
        "JB-05-object": {"aud": {url: 1}},
        "JB-05-empty-list": {"aud": []},
        "JB-18-foreign-second": {"aud": [url, "https://evil.example"]},
        "JB-19-list-of-one": {"aud": [url]},
        "JB-21-token-endpoint": {"aud": f"{url}/token"},
        "JB-21-backchannel-endpoint": {"aud": f"{url}/bc-authorize"},
        "JB-06-no-exp": {"exp": None},
        "JB-06-past": {"exp": now - 10},
        "JB-06-zero": {"exp": 0},
        "JB-15-text-exp": {"exp": str(now + 60)},
        "JB-15-true-exp": {"exp": True},
        "JB-15-list-exp": {"exp": [now + 60]},
        "JB-15-nan-exp": {"exp": float("nan")},
        "JB-15-infinite-exp": {"exp": float("inf")},
        "JB-15-huge-exp": {"exp": 10**400},
        "JB-08-far": {"exp": now + 3_700},
        "JB-08-for-ever": {"exp": 2**52},
        "JB-07-future": {"nbf": now + 60},
        "JB-07-text": {"nbf": "0"},
        "JB-09-future": {"iat": now + 60},
        "JB-09-text": {"iat": "0"},
        "JB-10-no-jti": {"jti": None},
        "JB-10-empty-jti": {"jti": ""},
        "JB-10-number-jti": {"jti": 5},
        "JB-10-long-jti": {"jti": "j" * 257},
    }


_BAD_CLAIMS = [
    *(f"JB-03-{kind}" for kind in ("no-iss", "other-iss", "issuer", "list-iss", "number-iss")),
    *(f"JB-04-{kind}" for kind in ("no-sub", "other-sub", "name", "list-sub", "nul-sub")),
    *(f"JB-05-{kind}" for kind in ("no-aud", "foreign", "slash", "loopback-name", "number")),
    *("JB-05-object", "JB-05-empty-list", "JB-18-foreign-second", "JB-19-list-of-one"),
    *("JB-21-token-endpoint", "JB-21-backchannel-endpoint"),
    *("JB-06-no-exp", "JB-06-past", "JB-06-zero", "JB-15-text-exp", "JB-15-true-exp"),
    *("JB-15-list-exp", "JB-15-nan-exp", "JB-15-infinite-exp", "JB-15-huge-exp"),
    *("JB-08-far", "JB-08-for-ever", "JB-07-future", "JB-07-text", "JB-09-future", "JB-09-text"),
    *(f"JB-10-{kind}" for kind in ("no-jti", "empty-jti", "number-jti", "long-jti")),
]


@pytest.mark.parametrize("case", _BAD_CLAIMS)
def test_an_assertion_with_a_wrong_claim_is_refused(keyed: Keyed, case: str) -> None:
    """A wrong claim is refused, although the signature is valid.

    JB-03 to JB-10, JB-15, JB-18, JB-19, NG-061, NG-062, NG-093.
    """
    assertion = keyed.signed(**_invalid_claims(keyed)[case])
    with assert_unchanged(keyed.server):
        response = keyed.token(assertion)

    check_refusal(response, 401, "invalid_client")


_BAD_HEADERS: dict[str, dict[str, Any]] = {
    "JB-20-access-token": {"typ": "at+jwt"},
    "JB-20-proof": {"typ": "dpop+jwt"},
    "JB-20-request-object": {"typ": "oauth-authz-req+jwt"},
    "JB-20-decision": {"typ": "sayso-decision+jws"},
    "JB-20-logout": {"typ": "logout+jwt"},
    "JB-20-number": {"typ": 5},
    "NG-066-crit": {"crit": ["exp"]},
    "NG-066-crit-unknown": {"crit": [MARK], MARK: True},
    "NG-066-b64": {"crit": ["b64"], "b64": True},
    "NG-067-jku": {"jku": "https://evil.example/jwks"},
    "NG-067-x5u": {"x5u": "https://evil.example/cert"},
    "NG-067-x5c": {"x5c": ["MIIB"]},
    "kid-unknown": {"kid": MARK},
    "kid-empty": {"kid": ""},
    "kid-path": {"kid": "../../../dev/null"},
    "kid-quotes": {"kid": "' OR 1=1 --"},
    "kid-escape": {"kid": "\x1b[2J"},
    "kid-long": {"kid": "k" * 10_000},
    "b64-not-critical": {"b64": False},
}


@pytest.mark.parametrize("case", _BAD_HEADERS)
def test_an_assertion_with_an_unusual_header_is_refused(keyed: Keyed, case: str) -> None:
    """JB-20, NG-066, NG-067: the header may only name a registered key."""
    assertion = keyed.signed(_BAD_HEADERS[case])
    with assert_unchanged(keyed.server):
        response = keyed.token(assertion)

    check_refusal(response, 401, "invalid_client")


def _forgeries(keyed: Keyed) -> dict[str, str]:
    claims, kid = keyed.claims(), keyed.key.kid
    other = new_key("EdDSA" if keyed.key.alg == "ES256" else "ES256", kid)
    same = new_key(keyed.key.alg, f"{kid}-forged")
    good = keyed.signed()
    head, body, signature = good.split(".")
    hmac_header = {"alg": "HS256", "kid": kid, "typ": "JWT"}
    public = next(v for n, v in keyed.key.jwk.items() if n in {"x", "n"}).encode()
    return {
        "JB-02-none": make_jwt({"alg": "none", "kid": kid}, claims),
        "JB-02-none-mixed": make_jwt({"alg": "nOnE", "kid": kid}, claims),
        "JB-02-stripped": f"{head}.{body}.",
        "JB-02-no-alg": make_jwt({"kid": kid}, claims),
        "JB-11-another-key": same.sign(claims, kid=kid),
        "JB-11-another-key-no-kid": same.sign(claims, kid=None),
        "JB-11-own-jwk": same.sign(claims, kid=kid, jwk=same.jwk),
        "JB-12-another-alg": other.sign(claims, kid=kid),
        "JB-13-hs256-pem": hmac_jwt(hmac_header, claims, keyed.key.pem),
        "JB-13-hs256-jwk": hmac_jwt(hmac_header, claims, public),
        "JB-13-hs256-kid": hmac_jwt(hmac_header, claims, kid.encode()),
        "JB-13-hs256-empty": hmac_jwt(hmac_header, claims, b""),
        "changed-body": f"{head}.{body[:-3]}AAA.{signature}",
        "changed-signature": f"{head}.{body}.{'A' * len(signature)}",
        "cut": good[:-4],
        "four-parts": f"{good}.{signature}",
        "padded": f"{head}.{body}.{signature}==",
        "words": MARK,
        "dots": "..",
        "escape": "\x1b]52;c;aGk=\x07.a.b",
        "unicode": "é.é.é",
        "long": "a." * 20_000,
        "not-an-object": keyed.key.sign([claims]),
        "text": keyed.key.sign(b'"hello"'),
        "not-json": keyed.key.sign(b"{"),
        "not-utf8": keyed.key.sign(b"\xff\xfe"),
        "deep": keyed.key.sign(b'{"sub":' + b"[" * 5_000 + b"]" * 5_000 + b"}"),
        "sub-twice": keyed.key.sign(
            f'{{"sub":"x","sub":"{keyed.agent.id}","iss":"{keyed.agent.id}"}}'.encode()
        ),
    }


_FORGERIES = [
    *(f"JB-02-{kind}" for kind in ("none", "none-mixed", "stripped", "no-alg")),
    *(f"JB-11-{kind}" for kind in ("another-key", "another-key-no-kid", "own-jwk")),
    *("JB-12-another-alg", "JB-13-hs256-pem", "JB-13-hs256-jwk", "JB-13-hs256-kid"),
    *("JB-13-hs256-empty", "changed-body", "changed-signature", "cut", "four-parts", "padded"),
    *("words", "dots", "escape", "unicode", "long", "not-an-object", "text", "not-json"),
    *("not-utf8", "deep", "sub-twice"),
]


@pytest.mark.parametrize("case", _FORGERIES)
def test_a_forged_assertion_is_refused(keyed: Keyed, case: str) -> None:
    """JB-02, JB-11 to JB-13, NG-065, NG-067: only the registered key and algorithm count."""
    assertion = _forgeries(keyed)[case]
    with assert_unchanged(keyed.server):
        response = keyed.token(assertion)

    check_refusal(response, 401, "invalid_client")


@pytest.mark.parametrize(
    "case", ["JB-01-type", "JB-01-no-type", "JB-01-saml", "JB-01-no-assertion"]
)
def test_an_assertion_needs_its_type_parameter(keyed: Keyed, case: str) -> None:
    """JB-01: both parameters are required, and only one type is known."""
    form = assertion_form(keyed.signed())
    if case == "JB-01-no-assertion":
        form["client_assertion"] = ""
    else:
        valid_type = form["client_assertion_type"]
        kinds = {"type": MARK, "no-type": "", "saml": valid_type.replace("jwt", "saml2")}
        form["client_assertion_type"] = kinds[case.removeprefix("JB-01-")]
    with assert_unchanged(keyed.server):
        response = keyed.http.post("/token", data={**_ASK, **form})

    check_refusal(response, 401, "invalid_client")


def test_an_assertion_for_another_client_id_is_refused(keyed: Keyed, agent: Agent) -> None:
    """JB-14, NG-064: the body may repeat the client_id of the assertion but not change it."""
    other = new_key(keyed.key.alg, "other")
    registered = _register_agent(keyed.server, other)
    theirs = assertion_claims(keyed.agent.id, keyed.server.url, keyed.server.clock.now())
    with assert_unchanged(keyed.server):
        with_client_id = keyed.token(keyed.signed(), client_id=registered.id)
        with_secret_agent = keyed.token(keyed.signed(), client_id=agent.key.id)
        with_other_key = keyed.token(other.sign(theirs))
    for response in (with_client_id, with_secret_agent, with_other_key):
        check_refusal(response, 401, "invalid_client")

    assert keyed.token(keyed.signed(), client_id=keyed.agent.id).status_code == 200


def test_an_assertion_is_accepted_once_at_any_endpoint(keyed: Keyed, user: str) -> None:
    """CB-030, JB-10, JB-22, NG-060: an assertion used at one endpoint is refused at both."""
    first, second = keyed.signed(), keyed.signed()
    ask = {"login_hint": user, "scope": "openid payments:read", "resource": PAY}

    def backchannel(assertion: str) -> httpx.Response:
        form = {**ask, **assertion_form(assertion)}
        return keyed.http.post("/bc-authorize", data=form)

    assert keyed.token(first).status_code == 200
    assert backchannel(second).status_code == 200
    with assert_unchanged(keyed.server):
        replayed = [backchannel(first), keyed.token(first), keyed.token(second)]
    for response in replayed:
        check_refusal(response, 401, "invalid_client")


def test_a_repeated_jti_in_another_assertion_is_a_replay(keyed: Keyed) -> None:
    """JB-10: a replay is recognized by its jti, whatever the other bytes are."""
    assert keyed.token(keyed.signed(jti=f"once-{keyed.key.alg}")).status_code == 200
    with assert_unchanged(keyed.server):
        again = keyed.token(keyed.signed(jti=f"once-{keyed.key.alg}"))

    check_refusal(again, 401, "invalid_client")


def test_a_refused_assertion_does_not_consume_its_jti(keyed: Keyed) -> None:
    """A forger who knows a jti cannot consume it before the agent does."""
    claims = keyed.claims()
    forged = new_key(keyed.key.alg, f"{keyed.key.kid}-forged").sign(claims, kid=keyed.key.kid)
    check_refusal(keyed.token(forged), 401, "invalid_client")

    assert keyed.token(keyed.key.sign(claims)).status_code == 200


def test_one_of_twenty_concurrent_uses_of_an_assertion_succeeds(keyed: Keyed) -> None:
    """JB-22: exactly one of twenty concurrent uses succeeds."""
    assertion = keyed.signed()
    with ThreadPoolExecutor(20) as pool:
        answers = list(pool.map(keyed.token, [assertion] * 20))

    assert sorted({a.status_code for a in answers}) == [200, 401]
    assert [a.status_code for a in answers].count(200) == 1


def test_a_removed_key_is_refused_at_once(server: LiveServer, http: httpx.Client) -> None:
    """NG-063: two registered keys both work, and a removed one is refused immediately."""
    old, new = new_key("ES256", "old"), new_key("EdDSA", "new")
    agent = _register_agent(server, old, new)
    before = [Keyed(server, http, agent, key) for key in (old, new)]
    assert [k.token(k.signed()).status_code for k in before] == [200, 200]
    agents = Agents(server.services.store, server.services.secrets)
    agents.update(agent.id, AgentChanges(jwks=_key_set(new)), by=BY)
    with assert_unchanged(server):
        removed = before[0].token(before[0].signed())

    check_refusal(removed, 401, "invalid_client")
    assert before[1].token(before[1].signed()).status_code == 200


def test_secrets_and_keys_are_not_interchangeable(
    server: LiveServer, http: httpx.Client, agent: Agent
) -> None:
    """JB-16: client_secret_jwt is not supported, and no method can replace a different one."""
    claims = assertion_claims(agent.key.id, server.url, server.clock.now())
    by_secret = hmac_jwt({"alg": "HS256", "typ": "JWT"}, claims, agent.key.secret.encode())
    key = new_key("ES256", "only")
    keyed = Keyed(server, http, _register_agent(server, key), key)
    with assert_unchanged(server):
        answers = [
            keyed.token(by_secret),
            http.post("/token", data=_ASK, auth=(keyed.agent.id, "")),
            http.post("/token", data=_ASK, auth=(keyed.agent.id, key.kid)),
        ]
    for answer in answers:
        check_refusal(answer, 401, "invalid_client")


def test_an_assertion_beside_basic_is_refused(keyed: Keyed, agent: Agent) -> None:
    """JB-17: a request with both methods is refused even if both are valid."""
    with assert_unchanged(keyed.server):
        response = keyed.http.post(
            "/token", data={**_ASK, **assertion_form(keyed.signed())}, auth=agent.key.basic
        )

    check_refusal(response, 400, "invalid_request")

"""CIBA Core 7.1.1 and its FAPI-CIBA modules: signed requests.

If anything in a signed request is wrong, nobody is asked.
"""

import json
from dataclasses import dataclass
from typing import Any

import httpx
import pytest

from server.services.audit import audit
from server.services.clients.agent_forms import AgentChanges
from server.services.clients.agents import Agents
from tests.support.builders.installation import PAY
from tests.support.checks.refusals import assert_unchanged, check_refusal
from tests.support.clients.agent import CIBA, PAYMENT_DETAILS, Agent
from tests.support.clients.terminal import Terminal
from tests.support.inputs.handmade_jwts import (
    Key,
    assertion_claims,
    assertion_form,
    hmac_jwt,
    make_jwt,
    new_key,
    request_claims,
)
from tests.support.servers.server import AgentKey, LiveServer


@dataclass(frozen=True, slots=True)
class Signing:
    """An agent that signs its requests with a key of one algorithm."""

    server: LiveServer
    http: httpx.Client
    agent: AgentKey
    key: Key
    user: str

    def claims(self, **changes: Any) -> dict[str, Any]:
        """Returns the claims of a valid request, with changes; times are seconds from now."""
        now = self.server.clock.now()
        moved = {
            name: now // 1000 + value if name in {"exp", "iat", "nbf"} and value else value
            for name, value in changes.items()
        }
        parameters = {"scope": "openid payments:read", "resource": PAY, "login_hint": self.user}
        return request_claims(self.agent.id, self.server.url, now, **{**parameters, **moved})

    def signed(self, header: dict[str, Any] | None = None, **changes: Any) -> str:
        """Returns a request signed by the registered key."""
        return self.key.sign(self.claims(**changes), **(header or {}))

    def ask(self, request: str, **form: str) -> httpx.Response:
        """Sends this request to the backchannel endpoint."""
        data = {"request": request, **form}
        return self.http.post("/bc-authorize", data=data, auth=self.agent.basic)


@pytest.fixture(scope="module", params=["ES256", "EdDSA", "RS256", "PS256"])
def signing(
    request: pytest.FixtureRequest, server: LiveServer, http: httpx.Client, user: str
) -> Signing:
    """An agent with a key, once for each advertised algorithm."""
    key = new_key(request.param, f"signing-{request.param}")
    return Signing(server, http, _register_agent(server, key, request.param), key, user)


@pytest.fixture(scope="module")
def es256(server: LiveServer, http: httpx.Client, user: str) -> Signing:
    """An agent that signs with ES256."""
    key = new_key("ES256", "signing")
    return Signing(server, http, _register_agent(server, key, "ES256"), key, user)


def _register_agent(server: LiveServer, key: Key, alg: str = "") -> AgentKey:
    return server.agent(jwks=json.dumps({"keys": [key.jwk]}), request_alg=alg)


def test_each_advertised_request_algorithm_works(http: httpx.Client, signing: Signing) -> None:
    """CB-004, CB-006, FC-S1: a request object and client authentication are enough."""
    metadata = http.get("/.well-known/openid-configuration").json()
    advertised = metadata["backchannel_authentication_request_signing_alg_values_supported"]
    answer = signing.ask(signing.signed())

    assert signing.key.alg in advertised
    assert answer.status_code == 200, answer.text
    assert set(advertised) == {"ES256", "EdDSA", "Ed25519", "RS256", "PS256"}


_ACCEPTED: dict[str, tuple[dict[str, Any], dict[str, Any]]] = {
    "CB-101-typ-absent": ({"typ": None}, {}),
    "CB-101-typ-jwt": ({"typ": "JWT"}, {}),
    "CB-101-typ-own": ({"typ": "oauth-authz-req+jwt"}, {}),
    "CB-101-typ-any-case": ({"typ": "OautH-auThZ-REQ+jWt"}, {}),
    "CB-101-typ-prefix": ({"typ": "application/oauth-authz-req+jwt"}, {}),
    "kid-absent": ({"kid": None}, {}),
    "header-thumbprint": ({"x5t#S256": "MIIB"}, {}),
    "header-unknown": ({"other": {"a": 1}}, {}),
    "aud-list": ({}, {"aud": ["{issuer}"]}),
    "CB-103-same-client-id": ({}, {"client_id": "{agent}"}),
    "CB-073-number": ({}, {"requested_expiry": 30}),
    "FC-08-string": ({}, {"requested_expiry": "30"}),
    "FC-06": ({}, {"binding_message": "1234"}),
    "FC-07": ({}, {"scope": "payments:read openid"}),
    "within-leeway": ({}, {"exp": 3_590, "nbf": 3, "iat": 3}),
    "unknown-claim": ({}, {"foo": {"bar": 1.5}}),
}


@pytest.mark.parametrize("case", _ACCEPTED)
def test_a_valid_signed_request_is_accepted(es256: Signing, case: str) -> None:
    """FC-06 to FC-08, CB-073, CB-101: every form that the specifications allow is accepted."""
    header, changes = _ACCEPTED[case]
    replacements = {"{issuer}": es256.server.url, "{agent}": es256.agent.id}
    filled = {
        name: [replacements[key] for key in value]
        if isinstance(value, list)
        else replacements.get(value, value)
        for name, value in changes.items()
        if not isinstance(value, dict)
    }
    answer = es256.ask(es256.signed(header, **filled))

    assert answer.status_code == 200, answer.text
    if "requested_expiry" in changes:
        assert answer.json()["expires_in"] == 30


_BAD_CLAIMS: dict[str, dict[str, Any]] = {
    "FC-11-CB-091-no-aud": {"aud": None},
    "FC-12-CB-095-other-aud": {"aud": "https://www.other1.example.com/"},
    "FC-13-CB-092-no-iss": {"iss": None},
    "FC-14-CB-096-other-iss": {"iss": "sayso_ag_aaaaaaaaaaaaaaaa"},
    "FC-15-CB-093-no-exp": {"exp": None},
    "FC-16-CB-097-expired": {"exp": -60},
    "FC-17-exp-far-ahead": {"exp": 70 * 60},
    "FC-18-CB-094-no-iat": {"iat": None},
    "FC-17-lifetime": {"exp": 40 * 60, "nbf": -30 * 60},
    "FC-19-no-nbf": {"nbf": None},
    "FC-20-nbf-ahead": {"nbf": 10 * 60},
    "FC-21-nbf-long-past": {"nbf": -70 * 60},
    "FC-22-no-jti": {"jti": None},
    "CB-103-other-client-id": {"client_id": "sayso_ag_aaaaaaaaaaaaaaaa"},
    "FC-27-two-hints": {"login_hint_token": "x"},
    "CB-072-expiry": {"requested_expiry": 0},
    "CB-041-no-openid": {"scope": "payments:read"},
    "nested-request": {"request": "a.b.c"},
    "request-uri": {"request_uri": "https://evil.example"},
    "scope-list": {"scope": ["openid"]},
    "hint-number": {"login_hint": 5},
}


@pytest.mark.parametrize("case", _BAD_CLAIMS)
def test_a_signed_request_with_a_wrong_claim_is_refused(es256: Signing, case: str) -> None:
    """FC-11 to FC-22, FC-27, CB-091 to CB-097, CB-103: a valid signature is not enough."""
    with assert_unchanged(es256.server):
        answer = es256.ask(es256.signed(**_BAD_CLAIMS[case]))

    check_refusal(answer, 400, "invalid_request")


def test_claims_that_cannot_be_read_have_their_own_error(es256: Signing) -> None:
    """The signature is valid, so the error is about the claims."""
    answer = es256.ask(es256.signed(binding_message="a\0b"))
    description = check_refusal(answer, 400, "invalid_request")["error_description"]
    assert description.startswith("The claims of the signed request are not valid: ")


def test_a_wrong_parameter_inside_has_its_own_error(es256: Signing) -> None:
    """FC-10, CB-183, CB-181: the error is the same as for an unsigned request."""
    cases = {
        "invalid_binding_message": {"binding_message": "\U0001f600" * 450},
        "unknown_user_id": {"login_hint": "nobody-at-all"},
        "invalid_scope": {"scope": "openid admin:all"},
    }
    for error, changes in cases.items():
        with assert_unchanged(es256.server):
            answer = es256.ask(es256.signed(**changes))
        check_refusal(answer, 400, error)


def _forgeries(es256: Signing) -> dict[str, str]:
    claims = es256.claims()
    head, body, signature = es256.key.sign(claims).split(".")
    other = new_key("ES256", "somebody-else")
    rsa = new_key("RS256", "signing")
    header = {"kid": es256.key.kid}
    assertion = assertion_claims(es256.agent.id, es256.server.url, es256.server.clock.now())
    return {
        "FC-23-none": make_jwt({**header, "alg": "none"}, claims),
        "CB-090-hs256": hmac_jwt({**header, "alg": "HS256"}, claims, es256.key.pem),
        "FC-24-signature": f"{head}.{body}.{signature[:-8]}AAAAAAAA",
        "FC-24-changed": f"{head}.{body[:-4]}AAAA.{signature}",
        "FC-25-CB-012-rs256": rsa.sign(claims),
        "FC-26-other-key": other.sign(claims),
        "CB-104-other-key-same-kid": other.sign(claims, kid=es256.key.kid),
        "CB-105-crit": es256.key.sign(claims, crit=["b64"], b64=True),
        "CB-105-jwk": other.sign(claims, jwk=other.jwk, kid=None),
        "CB-105-jku": es256.key.sign(claims, jku="https://evil.example"),
        "CB-105-x5c": es256.key.sign(claims, x5c=["MIIB"]),
        "CB-099-jwe": f"{head}.{body}.{body}.{body}.{signature}",
        "CB-101-access-token": es256.key.sign(claims, typ="at+jwt"),
        "CB-101-assertion": es256.key.sign(claims, typ="client-authentication+jwt"),
        "CB-101-dpop": es256.key.sign(claims, typ="dpop+jwt"),
        "CB-102-assertion": es256.key.sign(assertion),
        "CB-102-whole-assertion": es256.key.sign({**claims, "sub": es256.agent.id}),
        "not-a-jwt": "hello",
        "list": es256.key.sign([1]),
        "two-names": es256.key.sign(b'{"iss":"a","iss":"b"}'),
        "no-json": es256.key.sign(b"\xff"),
        "long": "a." * 30_000,
    }


_FORGED = [
    *("FC-23-none", "CB-090-hs256", "FC-24-signature", "FC-24-changed", "FC-25-CB-012-rs256"),
    *("FC-26-other-key", "CB-104-other-key-same-kid", "CB-105-crit", "CB-105-jwk", "CB-105-jku"),
    *("CB-105-x5c", "CB-099-jwe", "CB-101-access-token", "CB-101-assertion", "CB-101-dpop"),
    *("CB-102-assertion", "CB-102-whole-assertion", "not-a-jwt", "list", "two-names", "no-json"),
    "long",
]


@pytest.mark.parametrize("case", _FORGED)
def test_a_request_not_signed_by_this_agent_is_refused(es256: Signing, case: str) -> None:
    """A forged request, or a JWT of another kind, is refused.

    FC-23 to FC-26, CB-090, CB-099, CB-101, CB-102, CB-104, CB-105.
    """
    forged = _forgeries(es256)[case]
    with assert_unchanged(es256.server):
        answer = es256.ask(forged)

    check_refusal(answer, 400, "invalid_request")


def test_only_the_registered_request_algorithm_is_accepted(
    server: LiveServer, http: httpx.Client, user: str
) -> None:
    """CB-012: another registered key of a different algorithm is refused."""
    first, second = new_key("ES256", "first"), new_key("EdDSA", "second")
    keys = json.dumps({"keys": [first.jwk, second.jwk]})
    agent = server.agent(jwks=keys, request_alg="ES256")
    good, other = (Signing(server, http, agent, key, user) for key in (first, second))
    with assert_unchanged(server):
        refused = other.ask(other.signed())

    check_refusal(refused, 400, "invalid_request")
    assert good.ask(good.signed()).status_code == 200


def test_an_agent_that_must_sign_sends_no_plain_request(es256: Signing) -> None:
    """CB-013, FC-42, DE-13: an unsigned request of such an agent is refused."""
    plain = {"scope": "openid payments:read", "resource": PAY, "login_hint": es256.user}
    with assert_unchanged(es256.server):
        answer = es256.http.post("/bc-authorize", data=plain, auth=es256.agent.basic)

    check_refusal(answer, 400, "invalid_request")


def test_an_agent_may_sign_its_requests_without_having_to(
    server: LiveServer, http: httpx.Client, user: str
) -> None:
    """DE-13: an agent with keys may sign its requests without having to."""
    key = new_key("ES256", "free")
    free = Signing(server, http, _register_agent(server, key), key, user)
    plain = Agent(free.agent, http).ask(user)

    assert plain.status_code == 200, plain.text
    assert free.ask(free.signed()).status_code == 200


def test_a_signed_request_of_an_agent_without_keys_is_refused(agent: Agent) -> None:
    """CB-104: the server has no key with which to verify it."""
    answer = agent.http.post(
        "/bc-authorize", data={"request": new_key("ES256").sign({})}, auth=agent.key.basic
    )
    check_refusal(answer, 400, "invalid_request")


@pytest.mark.parametrize(
    "beside",
    [
        {"scope": "openid payments:transfer"},
        {"login_hint": "admin"},
        {"id_token_hint": "x"},
        {"binding_message": "other"},
        {"requested_expiry": "5"},
        {"client_notification_token": "a" * 32},
        {"supersedes": "sayso_ar_x"},
    ],
)
def test_parameters_beside_a_signed_request_are_refused(
    es256: Signing, beside: dict[str, str]
) -> None:
    """CB-047, CB-098: every parameter must be signed, and only one user may be named."""
    with assert_unchanged(es256.server):
        answer = es256.ask(es256.signed(), **beside)

    check_refusal(answer, 400, "invalid_request")


def test_a_signed_request_is_accepted_once(es256: Signing) -> None:
    """CB-100: a repeated signed request is refused, and nobody is asked."""
    signed_request = es256.signed()
    assert es256.ask(signed_request).status_code == 200
    with assert_unchanged(es256.server):
        again = es256.ask(signed_request)

    check_refusal(again, 400, "invalid_request")


def test_a_repeated_signed_request_with_its_key_returns_the_same_handle(es256: Signing) -> None:
    """A client that lost the answer may repeat the request with its Idempotency-Key."""
    signed_request, headers = es256.signed(), {"Idempotency-Key": "signed-once"}
    first, second = (
        es256.http.post(
            "/bc-authorize",
            data={"request": signed_request},
            auth=es256.agent.basic,
            headers=headers,
        )
        for _ in range(2)
    )

    assert first.status_code == second.status_code == 200, second.text
    assert first.json()["auth_req_id"] == second.json()["auth_req_id"]


def test_a_signed_request_is_not_an_assertion(
    server: LiveServer, http: httpx.Client, user: str
) -> None:
    """CB-102: a signed request does not authenticate the client, so both JWTs are needed."""
    key = new_key("ES256", "both")
    agent = server.agent(auth_method="private_key_jwt", jwks=json.dumps(key.jwk))
    both = Signing(server, http, agent, key, user)
    for request in (both.signed(), both.signed({"typ": "oauth-authz-req+jwt"})):
        answer = http.post("/bc-authorize", data={"request": request, **assertion_form(request)})
        check_refusal(answer, 401, "invalid_client")
    claims = assertion_claims(agent.id, server.url, server.clock.now())
    proof = assertion_form(key.sign(claims))
    answer = http.post("/bc-authorize", data={"request": both.signed(), **proof})

    assert answer.status_code == 200, answer.text


def test_the_signed_request_is_what_the_user_sees_and_the_token_has(
    server: LiveServer, http: httpx.Client, person: Terminal
) -> None:
    """FC-02: the whole flow works, with details and a message."""
    key = new_key("PS256", "whole")
    agent = _register_agent(server, key, "PS256")
    signing_agent = Signing(server, http, agent, key, person.user)
    acknowledgement = signing_agent.ask(
        signing_agent.signed(
            scope="openid payments:transfer",
            authorization_details=PAYMENT_DETAILS,
            binding_message="invoice 4711",
        )
    )
    assert acknowledgement.status_code == 200, acknowledgement.text
    (pending,) = (
        a for a in person.waiting() if a.fingerprint == acknowledgement.json()["fingerprint"]
    )
    person.approve(pending)
    form = {"grant_type": CIBA, "auth_req_id": acknowledgement.json()["auth_req_id"]}
    token = http.post("/token", data=form, auth=agent.basic)

    assert token.status_code == 200, token.text
    assert token.json()["authorization_details"] == PAYMENT_DETAILS
    assert token.json()["scope"] == "openid payments:transfer"


def test_a_removed_request_key_is_refused(es256: Signing) -> None:
    """A request signed with a key that was removed is refused."""
    agents = Agents(es256.server.services.store, es256.server.services.secrets)
    newer = new_key("ES256", "newer")
    changes = AgentChanges(jwks=json.dumps(newer.jwk))
    agents.update(es256.agent.name, changes, by=audit.OPERATOR)
    with assert_unchanged(es256.server):
        answer = es256.ask(es256.signed())
    back = AgentChanges(jwks=json.dumps(es256.key.jwk))
    agents.update(es256.agent.name, back, by=audit.OPERATOR)

    check_refusal(answer, 400, "invalid_request")

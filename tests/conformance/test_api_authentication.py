"""The JSON API with invalid tokens and DPoP proofs (RFC 9068 4, RFC 9449 4.3 and 7)."""

import json
from typing import Any

import jwt
import pytest

from approver_tui.client.jose import SigningKey
from server.http.route import Caller
from server.http.routes import ROUTES
from tests.support.checks.refusals import assert_unchanged, check_problem
from tests.support.inputs.handmade_jwts import hmac_jwt, make_jwt, new_key
from tests.support.inputs.raw_api import RawApi, private_jwk, with_id
from tests.support.servers.server import LiveServer


def test_the_unchanged_call_is_accepted(api: RawApi) -> None:
    """The call that the tests below change is valid, and its scheme is case-insensitive."""
    assert api.call("GET", "/api/me").status_code == 200
    assert api.call("GET", "/api/me", authorization=f"dpop {api.token}").status_code == 200


_AUTHORIZATIONS = {
    "DP-50-bearer": "Bearer {token}",
    "DP-52-basic": "Basic {token}",
    "DP-53-two": "DPoP {token}, DPoP {token}",
    "DP-53-two-schemes": "DPoP {token} Bearer {token}",
    "no-token": "DPoP",
    "no-scheme": "{token}",
    "words": "DPoP xyzzyplugh",
    "cut": "DPoP {cut}",
    "longer": "DPoP {token}A",
    "four-parts": "DPoP {token}.{cut}",
    "padded": "DPoP {token}==",
    "changed": "DPoP {changed}",
    "none": "DPoP {none}",
    "long": "DPoP " + "a" * 7_000,
}


@pytest.mark.parametrize("case", _AUTHORIZATIONS)
def test_another_authorization_header_is_refused(api: RawApi, case: str) -> None:
    """DP-50 to DP-53, NG-109, MC-18: a bound token is not a bearer token."""
    head, body, signature = api.token.split(".")
    claims = jwt.decode(api.token, options={"verify_signature": False})
    parts = {
        "token": api.token,
        "cut": api.token[:-3],
        "changed": f"{head}.{body[:-3]}AAA.{signature}",
        "none": make_jwt({"alg": "none", "typ": "at+jwt"}, claims),
    }
    response = api.call("GET", "/api/me", authorization=_AUTHORIZATIONS[case].format(**parts))

    check_problem(response, 401, "invalid_token")


_USER_ROUTES = [route for route in ROUTES if route.caller is Caller.PERSON]


@pytest.mark.parametrize("route", _USER_ROUTES, ids=lambda route: route.name)
def test_a_bound_token_is_refused_as_a_bearer_token_everywhere(
    server: LiveServer, api: RawApi, route: Any
) -> None:
    """DP-54, NG-087: each route refuses a bound token as a bearer token or without its proof."""
    path = with_id(route.path)
    with assert_unchanged(server):
        answers = [
            api.call(route.method, path, authorization=f"Bearer {api.token}"),
            api.http.request(route.method, path, headers={"Authorization": f"Bearer {api.token}"}),
            api.http.request(route.method, path, headers={"Authorization": f"DPoP {api.token}"}),
        ]
    for answer in answers[:2]:
        check_problem(answer, 401, "invalid_token")
    check_problem(answers[2], 401, "invalid_dpop_proof")


def test_a_token_in_the_query_is_refused(api: RawApi) -> None:
    """MC-17: a token must not come in the query or body (RFC 6750 2.2, 2.3)."""
    proof = api.proof(api.claims("GET", "/api/me"))
    query = api.http.get("/api/me", params={"access_token": api.token}, headers={"DPoP": proof})

    check_problem(query, 401, "invalid_token")


_TOKEN_CLAIMS: dict[str, dict[str, Any]] = {
    "AT-21-iss": {"iss": "https://evil.example"},
    "AT-22-aud": {"aud": "https://pay.example"},
    "AT-22-aud-list": {"aud": ["{url}/api"]},
    "AT-22-issuer": {"aud": "{url}"},
    "AT-25-expired": {"exp": 1_000_000_000},
    "AT-25-no-exp": {"exp": None},
    "AT-25-text": {"exp": "4000000000"},
    "other-client": {"client_id": "sayso_ag_aaaaaaaaaaaaaaaa"},
    "DP-20-no-cnf": {"cnf": None},
    "DP-20-cnf-text": {"cnf": "x"},
    "DP-20-no-jkt": {"cnf": {}},
    "DP-20-other-jkt": {"cnf": {"jkt": "n4bQgYhMfWWaL-qgxVrQFaO_TxsrC4Is0V1sFbDwCgg"}},
    "no-session": {"sid": None},
    "unknown-session": {"sid": "sayso_se_aaaaaaaaaaaaaaaa"},
    "session-list": {"sid": ["x"]},
}


@pytest.mark.parametrize("case", _TOKEN_CLAIMS)
def test_an_own_token_with_wrong_claims_is_refused(
    server: LiveServer, api: RawApi, case: str
) -> None:
    """AT-21, AT-22, AT-25, MC-14, DP-20, NG-093: a valid signature of ours is not enough."""
    claims = jwt.decode(api.token, options={"verify_signature": False})
    claims |= json.loads(json.dumps(_TOKEN_CLAIMS[case]).replace("{url}", server.url))
    claims = {name: value for name, value in claims.items() if value is not None}
    with server.services.store.read() as view:
        keys = view.directory.signing_keys()
    token = server.services.signer.sign(keys, "ES256", "at+jwt", claims)
    session = api.person.client.session.transport
    proof = session.proof("GET", "/api/me", token)
    response = api.call("GET", "/api/me", authorization=f"DPoP {token}", proof=proof)

    check_problem(response, 401, "invalid_token")


@pytest.mark.parametrize("typ", ["JWT", "id_token", "logout+jwt", "dpop+jwt", ""])
def test_a_token_of_another_type_is_refused(server: LiveServer, api: RawApi, typ: str) -> None:
    """AT-20: a token with the right claims and key, but of a different type, is refused."""
    claims = jwt.decode(api.token, options={"verify_signature": False})
    with server.services.store.read() as view:
        keys = view.directory.signing_keys()
    token = server.services.signer.sign(keys, "ES256", typ, claims)
    proof = api.person.client.session.transport.proof("GET", "/api/me", token)
    response = api.call("GET", "/api/me", authorization=f"DPoP {token}", proof=proof)

    check_problem(response, 401, "invalid_token")


_CLAIMS: dict[str, dict[str, Any]] = {
    "DP-03-no-jti": {"jti": None},
    "DP-03-empty-jti": {"jti": ""},
    "DP-03-number-jti": {"jti": 5},
    "DP-03-long-jti": {"jti": "j" * 129},
    "DP-04-no-htm": {"htm": None},
    "DP-05-no-htu": {"htu": None},
    "DP-06-no-iat": {"iat": None},
    "DP-06-text-iat": {"iat": "now"},
    "DP-06-true-iat": {"iat": True},
    "DP-06-fraction-iat": {"iat": 1.5},
    "DP-06-huge-iat": {"iat": 10**300},
    "DP-14-other-method": {"htm": "POST"},
    "DP-14-lower-case": {"htm": "get"},
    "DP-14-number": {"htm": 5},
    "DP-15-other-path": {"htu": "{url}/api/devices"},
    "DP-15-other-host": {"htu": "https://evil.example/api/me"},
    "DP-15-other-port": {"htu": "http://localhost:1/api/me"},
    "DP-15-other-scheme": {"htu": "{https}/api/me"},
    "DP-15-userinfo": {"htu": "{user}/api/me"},
    "DP-15-path-alone": {"htu": "/api/me"},
    "DP-15-list": {"htu": ["{url}/api/me"]},
    "DP-15-escape": {"htu": "{url}/api/me\n"},
    "DP-15-slash": {"htu": "{url}/api/me/"},
    "DP-16-old": {"iat": -62},
    "DP-17-future": {"iat": 60},
    "DP-19-no-ath": {"ath": None},
    "DP-19-other-ath": {"ath": "n4bQgYhMfWWaL-qgxVrQFaO_TxsrC4Is0V1sFbDwCgg"},
    "DP-19-number-ath": {"ath": 5},
}


@pytest.mark.parametrize("case", _CLAIMS)
def test_a_proof_for_another_request_is_refused(api: RawApi, case: str) -> None:
    """DP-03 to DP-06, DP-14 to DP-19: a proof is valid for one call only."""
    issuer = api.person.client.profile.issuer
    changes = dict(_CLAIMS[case])
    moved = changes.get("iat")
    if type(moved) is int and abs(moved) < 1_000:
        changes["iat"] = api.person.client.now() // 1000 + moved
    text = json.dumps(changes).replace("{url}", issuer)
    text = text.replace("{https}", issuer.replace("http:", "https:"))
    text = text.replace("{user}", issuer.replace("//", "//admin@"))
    response = api.call("GET", "/api/me", proof=api.proof(_proof_claims(api, json.loads(text))))

    check_problem(response, 401, "invalid_dpop_proof")
    assert "invalid_dpop_proof" in response.headers["www-authenticate"]


def _proof_claims(api: RawApi, changes: dict[str, Any]) -> dict[str, Any]:
    return api.claims("GET", "/api/me", **changes)


@pytest.mark.parametrize(
    "spelling",
    ["{url}/api/me?x=1", "{url}/api/me#x", "{ip}/api/me", "{six}/api/me", "{upper}/api/me"],
)
def test_an_equivalent_htu_is_accepted(api: RawApi, spelling: str) -> None:
    """DP-15, DP-22: query and fragment are ignored, and each name of this machine works."""
    issuer = api.person.client.profile.issuer
    names = {
        "url": issuer,
        "ip": issuer.replace("localhost", "127.0.0.1"),
        "six": issuer.replace("localhost", "[::1]"),
        "upper": issuer.replace("localhost", "LOCALHOST"),
    }
    proof = api.proof(api.claims("GET", "/api/me", htu=spelling.format(**names)))

    assert api.call("GET", "/api/me", proof=proof).status_code == 200


def _proofs(api: RawApi) -> dict[str, str]:
    claims, key = api.claims("GET", "/api/me"), api.key
    header = {"typ": "dpop+jwt", "alg": "HS256", "jwk": key.jwk}
    good = api.proof(claims)
    head, body, signature = good.split(".")
    rsa = new_key("RS256", "proof")
    return {
        "DP-02-words": "xyzzyplugh",
        "DP-02-dots": "..",
        "DP-02-four-parts": f"{good}.{signature}",
        "DP-02-two-in-one": f"{good}, {good}",
        "DP-02-padded": f"{good}==",
        "DP-02-long": "a." * 3_000,
        "DP-07-jwt": api.proof(claims, typ="JWT"),
        "DP-07-token": api.proof(claims, typ="at+jwt"),
        "DP-07-upper": api.proof(claims, typ="DPOP+JWT"),
        "DP-08-none": make_jwt({**header, "alg": "none"}, claims, b"x"),
        "DP-09-symmetric": hmac_jwt(header, claims, key.scalar),
        "DP-10-rs256": rsa.sign(claims, typ="dpop+jwt", jwk=rsa.jwk, kid=None),
        "DP-11-no-jwk": api.proof(claims, jwk=None),
        "DP-11-jwk-text": api.proof(claims, jwk="x"),
        "DP-11-jwk-empty": api.proof(claims, jwk={}),
        "DP-11-off-curve": api.proof(claims, jwk={**key.jwk, "y": key.jwk["x"]}),
        "DP-11-other-curve": api.proof(claims, jwk={**key.jwk, "crv": "P-384"}),
        "DP-12-other-key": api.proof(claims, jwk=SigningKey.generate().jwk),
        "DP-12-changed": f"{head}.{body[:-2]}AA.{signature}",
        "DP-12-cut": good[:-4],
        "DP-13-private": api.proof(claims, jwk=private_jwk(key)),
        "DP-23-crit": api.proof(claims, crit=["exp"]),
        "DP-23-x5c": api.proof(claims, x5c=["MIIB"]),
        "DP-23-jku": api.proof(claims, jku="https://evil.example"),
        "claims-list": api.proof([claims]),
        "claims-text": api.proof(b"{"),
        "claims-twice": api.proof(b'{"htm":"GET","htm":"GET"}'),
        "claims-deep": api.proof(b'{"a":' + b"[" * 900 + b"]" * 900 + b"}"),
    }


_PROOFS = [
    *(f"DP-02-{kind}" for kind in ("words", "dots", "four-parts", "two-in-one", "padded", "long")),
    *("DP-07-jwt", "DP-07-token", "DP-07-upper", "DP-08-none", "DP-09-symmetric", "DP-10-rs256"),
    *(f"DP-11-{kind}" for kind in ("no-jwk", "jwk-text", "jwk-empty", "off-curve", "other-curve")),
    *("DP-12-other-key", "DP-12-changed", "DP-12-cut", "DP-13-private", "DP-23-crit", "DP-23-x5c"),
    *("DP-23-jku", "claims-list", "claims-text", "claims-twice", "claims-deep"),
]


@pytest.mark.parametrize("case", _PROOFS)
def test_an_invalid_proof_is_refused(api: RawApi, case: str) -> None:
    """A proof is one JWT that is signed by the key inside it, and by no other key.

    DP-02, DP-07 to DP-13, DP-23, DP-55.
    """
    response = api.call("GET", "/api/me", proof=_proofs(api)[case])

    check_problem(response, 401, "invalid_dpop_proof")


def test_no_proof_and_two_proofs_are_refused(api: RawApi) -> None:
    """DP-01, DP-51: a call needs exactly one DPoP header."""
    first, second = (api.proof(api.claims("GET", "/api/me")) for _ in range(2))
    token = ("Authorization", f"DPoP {api.token}")
    none = api.http.get("/api/me", headers=[token])
    two = api.http.get("/api/me", headers=[token, ("DPoP", first), ("DPoP", second)])
    empty = api.http.get("/api/me", headers=[token, ("DPoP", "")])
    for response in (none, two, empty):
        check_problem(response, 401, "invalid_dpop_proof")


def test_a_proof_is_accepted_once(api: RawApi) -> None:
    """DP-21: a used proof is refused by the same route."""
    proof = api.proof(api.claims("GET", "/api/me"))
    assert api.call("GET", "/api/me", proof=proof).status_code == 200

    check_problem(api.call("GET", "/api/me", proof=proof), 401, "invalid_dpop_proof")


def test_a_valid_proof_of_another_key_is_refused(api: RawApi) -> None:
    """DP-20: a stolen token is useless without its key."""
    proof = api.proof(api.claims("GET", "/api/me"), SigningKey.generate())

    check_problem(api.call("GET", "/api/me", proof=proof), 401, "invalid_token")

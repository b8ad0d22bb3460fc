"""The JSON API and invalid calls of every kind at every route (RFC 9449, RFC 9457)."""

import json
import re
import time
from collections.abc import Iterator
from typing import Any

import httpx
import jwt
import pytest

from approver_tui.client.jose import SigningKey, dpop_proof
from server.http.route import Caller
from server.http.routes import ROUTES
from server.services.users.users import UserChanges, Users
from tests.support.builders.installation import PAY
from tests.support.checks.refusals import check_problem, check_refusal, unchanged
from tests.support.clients.agent import Agent
from tests.support.clients.terminal import Terminal, new_person
from tests.support.inputs.handmade_jwts import by_hand, new_key, with_secret
from tests.support.inputs.raw_api import RawApi, private_jwk
from tests.support.servers.server import BY, LiveServer

_PUBLIC = {
    "GET /jwks",
    "GET /.well-known/openid-configuration",
    "GET /.well-known/oauth-authorization-server",
    "GET /.well-known/ssf-configuration",
    "GET /api/openapi.json",
    "GET /healthz",
    "GET /readyz",
    "GET /metrics",
    "POST /api/passkeys/offer",
}
"""What anybody may read, on purpose."""

_BEFORE_SIGN_IN = {
    "POST /api/passkeys/options": (422, "invalid_body"),
    "POST /api/passkeys": (422, "invalid_body"),
    "POST /api/passkeys/sign-in": (422, "invalid_body"),
    "POST /api/passkeys/sign-out": (403, "stale_page"),
}
"""What a browser does that is not signed in yet: a code or a passkey in the body says who it is."""

_METHODS = ("GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS")
_PATHS = sorted({route.path for route in ROUTES})
_MAX_LINE = 4_000


@pytest.fixture(scope="module")
def api(person: Terminal, http: httpx.Client) -> RawApi:
    """The API with and without this file's user."""
    return RawApi(person, http)


def _filled(path: str) -> str:
    return path.replace("<id>", "sayso_ap_aaaaaaaaaaaaaaaa")


@pytest.mark.parametrize("route", ROUTES, ids=lambda route: route.name)
def test_every_route_requires_authentication_or_is_listed_as_public(
    server: LiveServer, http: httpx.Client, route: Any
) -> None:
    """Without credentials: 401 with the challenge of its kind, or one of a short list."""
    form = {"grant_type": "client_credentials"} if route.caller is Caller.CLIENT else None
    with unchanged(server):
        response = http.request(route.method, _filled(route.path), data=form)

    if route.path == "/userinfo":  # no token, hence no error about one (RFC 6750 3.1)
        assert response.status_code == 401
        assert "DPoP" in response.headers["www-authenticate"]
    elif route.path.startswith("/register"):
        wants_json = route.body is not None
        code = "invalid_client_metadata" if wants_json else "invalid_token"
        check_refusal(response, 400 if wants_json else 401, code)
    elif route.name in _BEFORE_SIGN_IN:
        check_problem(response, *_BEFORE_SIGN_IN[route.name])
    elif route.caller is Caller.ANYBODY:
        assert route.name in _PUBLIC
        assert response.status_code == 200
    elif route.caller is Caller.CLIENT:
        check_refusal(response, 401, "invalid_client")
    elif route.caller is Caller.RESOURCE:
        check_problem(response, 401, "invalid_client")
        assert response.headers["www-authenticate"].startswith("Basic ")
    else:
        check_problem(response, 401, "invalid_token")
        challenge = response.headers["www-authenticate"]
        assert challenge.startswith("DPoP ")
        assert 'algs="ES256"' in challenge


@pytest.mark.parametrize("path", _PATHS)
def test_other_methods_are_405_with_the_allowed_ones(
    server: LiveServer, api: RawApi, path: str
) -> None:
    """The answer is JSON, for every path."""
    allowed = {route.method for route in ROUTES if _leads(route.path, path)}
    allowed |= {"HEAD"} if "GET" in allowed else set()
    for method in set(_METHODS) - allowed:
        with unchanged(server):
            response = api.call(method, _filled(path))
        assert response.status_code == 405, (method, response.text)
        assert set(response.headers["allow"].split(", ")) == allowed
        if method != "HEAD":
            if path.startswith("/api/"):
                check_problem(response, 405, "method_not_allowed")
            else:
                check_refusal(response, 405, "invalid_request")


def _leads(pattern: str, path: str) -> bool:
    """Reports whether a path also matches another route, where a name could be."""
    return re.fullmatch(re.sub(r"<\w+>", r"\\w+", pattern), _filled(path)) is not None


_NOWHERE = [
    "/token/",
    "/TOKEN",
    "/token/x",
    "/api",
    "/api/",
    "/api/approvals/",
    "/api/approvals/a/b",
    "/api/approvals/a/decision/",
    "/api//me",
    "/api/me/",
    "/authorize/",
    "/introspect/x",
    "/%00",
    "/%1b%5b2J",
    "/%ff",
    "/static/x",
    "/.env",
    "/" + "a" * _MAX_LINE,
]


@pytest.mark.parametrize("path", _NOWHERE, ids=lambda path: f"{path[:24]}-{len(path)}")
def test_an_unknown_path_is_404(http: httpx.Client, path: str) -> None:
    """The answer has the format of its side, redirects nowhere and repeats nothing."""
    base = str(http.base_url).rstrip("/")
    request = http.build_request("GET", base)
    request.url = request.url.copy_with(raw_path=path.encode())
    response = http.send(request)

    assert response.status_code == 404
    if response.request.url.raw_path.startswith(b"/api/"):
        check_problem(response, 404, "not_found")
    else:
        check_refusal(response, 404, "invalid_request")


def test_the_unchanged_call_is_accepted(api: RawApi) -> None:
    """The following tests change it; the scheme is case-insensitive."""
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
        "none": by_hand({"alg": "none", "typ": "at+jwt"}, claims),
    }
    response = api.call("GET", "/api/me", authorization=_AUTHORIZATIONS[case].format(**parts))

    check_problem(response, 401, "invalid_token")


_OF_PEOPLE = [route for route in ROUTES if route.caller is Caller.PERSON]


@pytest.mark.parametrize("route", _OF_PEOPLE, ids=lambda route: route.name)
def test_a_bound_token_is_refused_as_a_bearer_token_everywhere(
    server: LiveServer, api: RawApi, route: Any
) -> None:
    """DP-54, NG-087: each route of the API refuses it, with or without its proof."""
    path = _filled(route.path)
    with unchanged(server):
        answers = [
            api.call(route.method, path, authorization=f"Bearer {api.token}"),
            api.http.request(route.method, path, headers={"Authorization": f"Bearer {api.token}"}),
            api.http.request(route.method, path, headers={"Authorization": f"DPoP {api.token}"}),
        ]
    for answer in answers[:2]:
        check_problem(answer, 401, "invalid_token")
    check_problem(answers[2], 401, "invalid_dpop_proof")


def test_a_token_in_the_query_is_refused(api: RawApi) -> None:
    """MC-17: RFC 6750 2.2 and 2.3 are not offered."""
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
    """AT-21, AT-22, AT-25, MC-14, DP-20, NG-093: signed by us, but not for this API."""
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
    """AT-20: the same claims, the same key, another type."""
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
    """DP-03 to DP-06, DP-14 to DP-19: each call has its own proof."""
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
    """DP-15, DP-22: query and fragment do not count; this machine has three names."""
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
        "DP-08-none": by_hand({**header, "alg": "none"}, claims, b"x"),
        "DP-09-symmetric": with_secret(header, claims, key.scalar),
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
        "DP-23-kid": api.proof(claims, kid="x"),
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
    *("DP-12-other-key", "DP-12-changed", "DP-12-cut", "DP-13-private", "DP-23-crit", "DP-23-kid"),
    *("DP-23-jku", "claims-list", "claims-text", "claims-twice", "claims-deep"),
]


@pytest.mark.parametrize("case", _PROOFS)
def test_an_invalid_proof_is_refused(api: RawApi, case: str) -> None:
    """DP-55: DP-02, DP-07 to DP-13, DP-23: one JWT signed by the key inside it, and by no other."""
    response = api.call("GET", "/api/me", proof=_proofs(api)[case])

    check_problem(response, 401, "invalid_dpop_proof")


def test_no_proof_and_two_proofs_are_refused(api: RawApi) -> None:
    """DP-01, DP-51: exactly one header."""
    first, second = (api.proof(api.claims("GET", "/api/me")) for _ in range(2))
    token = ("Authorization", f"DPoP {api.token}")
    none = api.http.get("/api/me", headers=[token])
    two = api.http.get("/api/me", headers=[token, ("DPoP", first), ("DPoP", second)])
    empty = api.http.get("/api/me", headers=[token, ("DPoP", "")])
    for response in (none, two, empty):
        check_problem(response, 401, "invalid_dpop_proof")


def test_a_proof_is_accepted_once(api: RawApi) -> None:
    """DP-21: no other route accepts it again."""
    proof = api.proof(api.claims("GET", "/api/me"))
    assert api.call("GET", "/api/me", proof=proof).status_code == 200

    check_problem(api.call("GET", "/api/me", proof=proof), 401, "invalid_dpop_proof")


def test_a_valid_proof_of_another_key_is_refused(api: RawApi) -> None:
    """DP-20: a stolen token alone is useless."""
    proof = api.proof(api.claims("GET", "/api/me"), SigningKey.generate())

    check_problem(api.call("GET", "/api/me", proof=proof), 401, "invalid_token")


_BODIES: dict[str, bytes] = {
    "empty": b"",
    "not-json": b"{",
    "form": b"decision=x",
    "list": b"[]",
    "null": b"null",
    "text": b'"x"',
    "no-members": b"{}",
    "unknown-member": b'{"xyzzyplugh":1}',
    "wrong-types": b'{"decision":5,"statement":5,"x":5,"for":5,"name":5,"approval_keys":5}',
    "nulls": b'{"decision":null,"statement":null,"x":null,"for":null,"name":null}',
    "twice": b'{"decision":"a","decision":"b"}',
    "nan": b'{"decision":NaN}',
    "large-number": b'{"decision":' + b"9" * 6_000 + b"}",
    "surrogate": b'{"decision":"\\ud800","statement":"\\ud800"}',
    "not-utf8": b'{"decision":"\xff"}',
    "nul": b"\x00",
    "deep": b"[" * 50_000,
    "trailing": b'{"decision":"a"} x',
    "long-name": b'{"' + b"a" * 60_000 + b'":1}',
    "70-KB": b'{"decision":"' + b"a" * 70_000 + b'"}',
}
_WITH_BODY = [
    route for route in ROUTES if route.body is not None and route.caller is not Caller.CLIENT
]


@pytest.fixture(scope="module")
def administrator(server: LiveServer, http: httpx.Client) -> Iterator[RawApi]:
    """The API with an administrator."""
    made = new_person(server)
    users = Users(server.services.store, server.services.secrets)
    users.update(made.user, UserChanges(roles=("admin",)), by=BY)
    yield RawApi(made, http)
    made.client.close()


@pytest.mark.parametrize("route", _WITH_BODY, ids=lambda route: route.name)
def test_an_invalid_body_is_refused(
    server: LiveServer, api: RawApi, administrator: RawApi, route: Any
) -> None:
    """Every body of the table at every route: 422 with a message, and nothing changes.

    The poll for security events answers 400, as RFC 8936 2.4 says.
    """
    status = 400 if route.path == "/ssf/poll" else 422
    api = api if route.rule is None else administrator
    basic = None
    if route.caller is Caller.RESOURCE:
        given = server.resources.rotate_secret(PAY, by=BY)
        basic = httpx.BasicAuth(given.resource.client_id, given.secret)
    for name, body in _BODIES.items():
        if body == b"{}" and not any(f.is_required() for f in route.body.model_fields.values()):
            continue  # this one fits
        with unchanged(server):
            response = api.call(route.method, _filled(route.path), content=body, auth=basic)
        if route.rule is None:
            problem = check_problem(response, status, "invalid_body")
        else:  # what is to be changed is looked for first; a file has errors of its own
            problem = response.json()
            assert problem["code"] in {"invalid_body", "invalid", "not_found"}, response.text
        assert len(problem["detail"]) < 600, name
    with unchanged(server):
        huge = api.call(
            route.method,
            _filled(route.path),
            content=b'{"x":"' + b"a" * 1_000_000 + b'"}',
            headers={"Connection": "close"},
            auth=basic,
        )
    if route.path.startswith("/api/"):
        check_problem(huge, 413, "request_entity_too_large")
    else:
        check_refusal(huge, 413, "invalid_request")


_QUERIES = [
    "limit=0",
    "limit=-1",
    "limit=201",
    "limit=abc",
    "limit=1.5",
    "limit=",
    "limit=٣",
    "limit=" + "9" * _MAX_LINE,
    "limit=" + "9" * 5_000,
    "state=xyzzyplugh",
    "state=",
    "state=waiting%00",
    "cursor=5",
    "cursor=a.b",
    "cursor=.",
    "cursor=1.",
    "cursor=-1.sayso_ap_a",
    "cursor=1.%00",
    "cursor=1.%1b%5b2J",
    "cursor=99999999999999999999.sayso_ap_a",
    "cursor=" + "9" * 5_000 + ".sayso_ap_a",
    "cursor=1." + "a" * _MAX_LINE,
]


@pytest.mark.parametrize("query", _QUERIES, ids=lambda query: f"{query[:20]}-{len(query)}")
@pytest.mark.parametrize("state", ["waiting", "decided"])
def test_an_invalid_query_is_refused(api: RawApi, state: str, query: str) -> None:
    """Numbers, cursors and states are checked, however long."""
    extra = "" if query.startswith("state=") else f"&state={state}"
    response = api.call("GET", f"/api/approvals?{query}{extra}")

    check_problem(response, 422, "invalid_body")


_IDS = ["x", "%00", "a%00b", "%1b%5b2J", "..", "%2e%2e", "%ff", "é", "' OR 1=1 --", "%25"]
_IDS += ["sayso_ap_aaaaaaaaaaaaaaaa", "sayso_dv_aaaaaaaaaaaaaaaa", "a" * _MAX_LINE, "%e2%80%ae"]


@pytest.mark.parametrize("name", _IDS, ids=lambda name: f"{ascii(name)[:20]}-{len(name)}")
def test_an_unknown_or_impossible_id_is_not_found(
    server: LiveServer, api: RawApi, name: str
) -> None:
    """The status is 404 in both cases."""
    statement = {"statement": "a.b.c"}
    calls: list[tuple[str, str, dict[str, Any]]] = [
        ("DELETE", f"/api/devices/{name}", {}),
        ("GET", f"/api/approvals/{name}", {}),
        ("POST", f"/api/approvals/{name}/decision", {"json": {"decision": "a.b.c"}}),
        ("POST", f"/api/devices/{name}/unlock", {"json": statement}),
        ("POST", f"/api/devices/{name}/vouch", {"json": statement}),
    ]
    for method, path, rest in calls:
        request = api.http.build_request(method, path)
        shown = request.url.path
        proof = api.proof(api.claims(method, request.url.raw_path.decode()))
        with unchanged(server):
            response = api.call(method, path, proof=proof, **rest)
        assert response.status_code in {404, 405}, (shown, response.status_code, response.text)
        assert response.headers["content-type"].startswith("application/")


def test_another_users_device_is_not_found(server: LiveServer, api: RawApi) -> None:
    """It cannot be unlocked, vouched for or revoked, and is not listed."""
    other = new_person(server)
    theirs = other.client.profile.device_id
    statement = {"statement": "a.b.c"}
    with unchanged(server):
        answers = [
            api.call("POST", f"/api/devices/{theirs}/unlock", json=statement),
            api.call("POST", f"/api/devices/{theirs}/vouch", json=statement),
            api.call("DELETE", f"/api/devices/{theirs}"),
        ]
    for answer in answers:
        check_problem(answer, 404, "not_found")

    assert theirs not in api.call("GET", "/api/devices").text
    assert other.client.me().device is not None
    other.client.close()


def test_a_session_without_a_device_reads_but_decides_nothing(
    server: LiveServer, http: httpx.Client, agent: Agent
) -> None:
    """The session must register a device first."""
    user, code = server.user()
    agent.asked(user)
    key, issuer = SigningKey.generate(), server.url
    session = _Fresh(key, issuer, http)
    token = session.enroll(code)
    with server.services.store.read() as view:
        found = view.directory.user_called(user)
        assert found is not None
        (waiting,) = view.approvals.waiting(found.id, view.now, 1, None)
    path = f"/api/approvals/{waiting.id}"
    with unchanged(server):
        answers = [
            session.call("GET", path, token),
            session.call("POST", f"{path}/decision", token, json={"decision": "a.b.c"}),
            session.call(
                "POST", "/api/devices/self/pin", token, json={"x": "A" * 43, "for": "session"}
            ),
        ]
    for answer in answers:
        check_problem(answer, 403, "forbidden")

    assert session.call("GET", "/api/me", token).json()["device"] is None


class _Fresh:
    """A terminal with a token and no device."""

    def __init__(self, key: SigningKey, issuer: str, http: httpx.Client) -> None:
        self._key, self._issuer, self._http = key, issuer, http

    def enroll(self, code: str) -> str:
        form = {
            "grant_type": "urn:sayso:grant-type:enrolment",
            "client_id": "sayso-approver",
            "code": code,
        }
        answer = self._http.post(
            "/token", data=form, headers={"DPoP": self._proof("POST", "/token")}
        )
        assert answer.status_code == 200, answer.text
        token: str = answer.json()["access_token"]
        return token

    def call(self, method: str, path: str, token: str, **rest: Any) -> httpx.Response:
        headers = {"Authorization": f"DPoP {token}", "DPoP": self._proof(method, path, token)}
        return self._http.request(method, path, headers=headers, **rest)

    def _proof(self, method: str, path: str, token: str | None = None) -> str:
        at = int(time.time())
        uri = self._issuer + path
        return dpop_proof(self._key, method=method, uri=uri, at=at, access_token=token)


def test_the_feed_is_refused_before_the_handshake(server: LiveServer, person: Terminal) -> None:
    """An HTTP error states the reason; it is never an internal error."""
    upgrade = {
        "Connection": "Upgrade",
        "Upgrade": "websocket",
        "Sec-WebSocket-Version": "13",
        "Sec-WebSocket-Key": "dGhlIHNhbXBsZSBub25jZQ==",
    }
    with server.client() as alone:
        check_problem(alone.get("/api/feed", headers=upgrade), 401, "invalid_token")
    for cursor in ("abc", "-1", "9" * 30, "٣x", "1.5", "%00"):
        with server.client() as alone:  # the connection ends with its handshake
            api = RawApi(person, alone)
            answer = api.call("GET", f"/api/feed?cursor={cursor}", headers=upgrade)
        check_problem(answer, 422, "invalid_body")
    for method in ("GET", "POST", "PUT", "DELETE"):
        with server.client() as alone:
            plain = RawApi(person, alone).call(method, "/api/feed")
        assert 400 <= plain.status_code < 500, plain.text
        assert plain.headers["content-type"] == "application/problem+json"

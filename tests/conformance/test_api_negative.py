"""The JSON API and invalid calls of every kind at every route (RFC 9449, RFC 9457)."""

import re
import time
from collections.abc import Iterator
from typing import Any

import httpx
import pytest

from approver_tui.client.jose import SigningKey, dpop_proof
from server.http.route import Caller
from server.http.routes import ROUTES
from server.services.users.users import UserChanges, Users
from tests.support.builders.installation import PAY
from tests.support.checks.refusals import assert_unchanged, check_problem, check_refusal
from tests.support.clients.agent import Agent
from tests.support.clients.terminal import Terminal, new_person
from tests.support.inputs.raw_api import RawApi, with_id
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
"""Routes that are public on purpose."""
_BEFORE_SIGN_IN = {
    "POST /api/passkeys/options": (422, "invalid_body"),
    "POST /api/passkeys": (422, "invalid_body"),
    "POST /api/passkeys/sign-in": (422, "invalid_body"),
    "POST /api/passkeys/sign-out": (403, "stale_page"),
}
"""Routes for browsers that are not signed in: a code or passkey in the body identifies the user."""
_METHODS = ("GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS")
_PATHS = sorted({route.path for route in ROUTES})
_MAX_LINE = 4_000


@pytest.mark.parametrize("route", ROUTES, ids=lambda route: route.name)
def test_every_route_requires_authentication_or_is_listed_as_public(
    server: LiveServer, http: httpx.Client, route: Any
) -> None:
    """Without credentials a route answers 401 with its challenge, unless it is in a short list."""
    form = {"grant_type": "client_credentials"} if route.caller is Caller.CLIENT else None
    with assert_unchanged(server):
        response = http.request(route.method, with_id(route.path), data=form)

    if route.path == "/userinfo":  # without a token there is no error code (RFC 6750 3.1)
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
def test_other_methods_get_405_with_the_allowed_ones(
    server: LiveServer, api: RawApi, path: str
) -> None:
    """Each path answers in JSON and lists the methods that it allows."""
    allowed = {route.method for route in ROUTES if _matches_route(route.path, path)}
    allowed |= {"HEAD"} if "GET" in allowed else set()
    for method in set(_METHODS) - allowed:
        with assert_unchanged(server):
            response = api.call(method, with_id(path))
        assert response.status_code == 405, (method, response.text)
        assert set(response.headers["allow"].split(", ")) == allowed
        if method != "HEAD":
            if path.startswith("/api/"):
                check_problem(response, 405, "method_not_allowed")
            else:
                check_refusal(response, 405, "invalid_request")


def _matches_route(pattern: str, path: str) -> bool:
    """Returns whether the path also matches a route that has a name at that position."""
    return re.fullmatch(re.sub(r"<\w+>", r"\\w+", pattern), with_id(path)) is not None


_UNKNOWN_PATHS = [
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


@pytest.mark.parametrize("path", _UNKNOWN_PATHS, ids=lambda path: f"{path[:24]}-{len(path)}")
def test_an_unknown_path_is_404(http: httpx.Client, path: str) -> None:
    """The error has the format of its API, redirects nowhere and repeats nothing."""
    base = str(http.base_url).rstrip("/")
    request = http.build_request("GET", base)
    request.url = request.url.copy_with(raw_path=path.encode())
    response = http.send(request)

    assert response.status_code == 404
    if response.request.url.raw_path.startswith(b"/api/"):
        check_problem(response, 404, "not_found")
    else:
        check_refusal(response, 404, "invalid_request")


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
_BODY_ROUTES = [
    route for route in ROUTES if route.body is not None and route.caller is not Caller.CLIENT
]


@pytest.fixture(scope="module")
def administrator(server: LiveServer, http: httpx.Client) -> Iterator[RawApi]:
    """The API, called with the credentials of an administrator."""
    terminal = new_person(server)
    users = Users(server.services.store, server.services.secrets)
    users.update(terminal.user, UserChanges(roles=("admin",)), by=BY)
    yield RawApi(terminal, http)
    terminal.client.close()


@pytest.mark.parametrize("route", _BODY_ROUTES, ids=lambda route: route.name)
def test_an_invalid_body_is_refused(
    server: LiveServer, api: RawApi, administrator: RawApi, route: Any
) -> None:
    """Every body of the table gets 422 with a message at every route, and changes nothing.

    The poll for security events answers 400, as RFC 8936 2.4 requires.
    """
    status = 400 if route.path == "/ssf/poll" else 422
    api = api if route.rule is None else administrator
    basic = None
    if route.caller is Caller.RESOURCE:
        rotated = server.resources.rotate_secret(PAY, by=BY)
        basic = httpx.BasicAuth(rotated.resource.client_id, rotated.secret)
    for name, body in _BODIES.items():
        if body == b"{}" and not any(f.is_required() for f in route.body.model_fields.values()):
            continue  # this body is valid here
        with assert_unchanged(server):
            response = api.call(route.method, with_id(route.path), content=body, auth=basic)
        if route.rule is None:
            problem = check_problem(response, status, "invalid_body")
        else:  # the object is looked up first, and a file has its own errors
            problem = response.json()
            assert problem["code"] in {"invalid_body", "invalid", "not_found"}, response.text
        assert len(problem["detail"]) < 600, name
    with assert_unchanged(server):
        huge = api.call(
            route.method,
            with_id(route.path),
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
    """Numbers, cursors and states are checked, whatever their length."""
    extra = "" if query.startswith("state=") else f"&state={state}"
    response = api.call("GET", f"/api/approvals?{query}{extra}")

    check_problem(response, 422, "invalid_body")


_IDS = ["x", "%00", "a%00b", "%1b%5b2J", "..", "%2e%2e", "%ff", "é", "' OR 1=1 --", "%25"]
_IDS += ["sayso_ap_aaaaaaaaaaaaaaaa", "sayso_dv_aaaaaaaaaaaaaaaa", "a" * _MAX_LINE, "%e2%80%ae"]


@pytest.mark.parametrize("name", _IDS, ids=lambda name: f"{ascii(name)[:20]}-{len(name)}")
def test_an_unknown_or_impossible_id_is_not_found(
    server: LiveServer, api: RawApi, name: str
) -> None:
    """An unknown ID and a malformed ID both get 404 (or 405 if they change the path)."""
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
        with assert_unchanged(server):
            response = api.call(method, path, proof=proof, **rest)
        assert response.status_code in {404, 405}, (shown, response.status_code, response.text)
        assert response.headers["content-type"].startswith("application/")


def test_another_users_device_is_not_found(server: LiveServer, api: RawApi) -> None:
    """Another user's device is not listed and cannot be unlocked, vouched for or revoked."""
    other = new_person(server)
    theirs = other.client.profile.device_id
    statement = {"statement": "a.b.c"}
    with assert_unchanged(server):
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


def test_a_session_without_a_device_gets_nothing_but_its_account(
    server: LiveServer, http: httpx.Client, agent: Agent
) -> None:
    """A session must register a device before it can read or decide requests."""
    user, code = server.user()
    agent.request_approval(user)
    key, issuer = SigningKey.generate(), server.url
    session = _SessionWithoutDevice(key, issuer, http)
    token = session.enroll(code)
    with server.services.store.read() as view:
        row = view.directory.find_user(user)
        assert row is not None
        (pending,) = view.approvals.waiting(row.id, view.now, 1, None)
    path = f"/api/approvals/{pending.id}"
    with assert_unchanged(server):
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


class _SessionWithoutDevice:
    """A terminal that has a token but has registered no device."""

    def __init__(self, key: SigningKey, issuer: str, http: httpx.Client) -> None:
        self._key, self._issuer, self._http = key, issuer, http

    def enroll(self, code: str) -> str:
        form = {
            "grant_type": "urn:sayso:grant-type:enrollment",
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
    """The refusal is an HTTP error that states the reason, and never an internal error."""
    upgrade = {
        "Connection": "Upgrade",
        "Upgrade": "websocket",
        "Sec-WebSocket-Version": "13",
        "Sec-WebSocket-Key": "dGhlIHNhbXBsZSBub25jZQ==",
    }
    with server.client() as connection:
        check_problem(connection.get("/api/feed", headers=upgrade), 401, "invalid_token")
    for cursor in ("abc", "-1", "9" * 30, "٣x", "1.5", "%00"):
        with server.client() as connection:  # the connection ends with its handshake
            api = RawApi(person, connection)
            answer = api.call("GET", f"/api/feed?cursor={cursor}", headers=upgrade)
        check_problem(answer, 422, "invalid_body")
    for method in ("GET", "POST", "PUT", "DELETE"):
        with server.client() as connection:
            plain = RawApi(person, connection).call(method, "/api/feed")
        assert 400 <= plain.status_code < 500, plain.text
        assert plain.headers["content-type"] == "application/problem+json"

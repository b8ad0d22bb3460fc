"""No request body causes an internal error: each route gets its valid body with one change.

Each member is replaced by values of other kinds, omitted and repeated. Writes are rolled back, so
that each body meets the same installation.
"""

import json
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager, suppress
from typing import Any

import pytest

from approver_tui.client.jose import DECISION, STATEMENT, SigningKey, b64, dpop_proof
from server.http.route import Route
from server.http.routes import ROUTES
from server.protocol import base64url, names
from server.protocol.tokens.token_exchange import ACCESS_TOKEN
from server.services.devices.statements import Statements
from server.services.users.device_auth import DeviceAuthentication
from server.storage.store import SqlStore
from tests.support.browsers.browser import VERIFIER, request_of
from tests.support.builders.admins import AdminSiteTemplate
from tests.support.builders.installation import PAY
from tests.support.builders.site import FORM, ISSUER, Answer
from tests.support.clients.agent import PAYMENT_DETAILS
from tests.support.inputs import mutations
from tests.support.inputs.handmade_jwts import assertion_claims, assertion_form, request_claims
from tests.support.inputs.valid_bodies import CASE, RULE
from tests.support.inputs.valid_calls import World, basic, make_world


class _Undo(Exception):
    """Raised to roll back a transaction."""


@pytest.fixture(scope="module")
def world(staff_template: AdminSiteTemplate, tmp_path_factory: Any) -> Iterator[World]:
    """The installation; every write after its setup is rolled back."""
    made = make_world(staff_template.copy_to(tmp_path_factory.mktemp("mutated") / "data"))
    with pytest.MonkeyPatch.context() as patches:
        for name in ("write", "administer"):
            patches.setattr(SqlStore, name, _roll_back(getattr(SqlStore, name)))
        yield made
    made.local.services.store.close()


def _roll_back(real: Any) -> Any:
    @contextmanager
    def unit(store: SqlStore) -> Iterator[Any]:
        with suppress(_Undo), real(store) as rows:
            yield rows
            raise _Undo

    return unit


@pytest.fixture
def trusted(monkeypatch: pytest.MonkeyPatch) -> None:
    """Accept every statement as signed, and authenticate each caller only once."""
    monkeypatch.setattr(Statements, "check", lambda *_, **__: "high")
    monkeypatch.setattr(Statements, "check_with_pin", lambda *_, **__: None)
    known: dict[str | None, Any] = {}
    authenticate = DeviceAuthentication.authenticate

    def remembered(self: DeviceAuthentication, call: Any) -> Any:
        if call.authorization not in known:
            known[call.authorization] = authenticate(self, call)
        return known[call.authorization]

    monkeypatch.setattr(DeviceAuthentication, "authenticate", remembered)


_JSON_ROUTES = [route for route in ROUTES if route.body is not None]
_OTHER_STATUS = {
    "POST /api/passkeys": 422,  # the attestation comes from no authenticator
    "POST /api/grants": 404,  # reads its own write, which was rolled back
    "POST /api/approvals/<id>/report": 404,  # this route reads its own write too
}


@pytest.mark.usefixtures("trusted")
@pytest.mark.parametrize("route", _JSON_ROUTES, ids=lambda route: route.name)
def test_a_changed_json_body_is_accepted_or_refused_with_a_reason(
    world: World, route: Route
) -> None:
    """The unchanged body is accepted, so any refusal is due to the change."""
    call = world.call(route)
    valid = call.send(json.dumps(call.body).encode())
    assert valid.status == _OTHER_STATUS.get(route.name, route.status), valid.body
    _check_answers(call.send, mutations.bodies(call.body))


def _check_answers(send: Callable[[bytes], Answer], bodies: Iterable[tuple[str, bytes]]) -> None:
    wrong = []
    for what, body in bodies:
        answer = send(body)
        if answer.status >= 500 or (answer.status >= 400 and not _has_code_and_text(answer)):
            wrong.append((what, answer.status, answer.body[:200]))
        if len(wrong) == _ENOUGH:  # logging each failure takes long
            break
    assert wrong == []


_ENOUGH = 3


def _has_code_and_text(answer: Answer) -> bool:
    """Tell whether a refusal has a code and a text."""
    problem = answer.json
    text = problem.get("detail") or problem.get("error_description")
    return bool(problem.get("code") or problem.get("error")) and bool(text)


@pytest.mark.usefixtures("trusted")
@pytest.mark.parametrize(
    ("path", "member", "name", "valid"),
    [
        ("/api/policy/test", "table", "cases", CASE),
        ("/api/policy", "document", "rules", RULE),
    ],
    ids=lambda part: part if isinstance(part, str) else "",
)
def test_a_changed_rule_or_case_is_accepted_or_refused_with_a_reason(
    world: World, path: str, member: str, name: str, valid: Mapping[str, Any]
) -> None:
    """Policy rules and test cases are TOML inside a member of the body."""
    call = world.call(next(route for route in ROUTES if route.name == f"POST {path}"))
    texts = [*mutations.tomls(name, valid)]
    assert len(texts) > 100
    _check_answers(
        call.send, ((text, json.dumps({**call.body, member: text}).encode()) for text in texts)
    )


_Signed = tuple[str, Mapping[str, Any], SigningKey]


def _decision(world: World) -> _Signed:
    me = world.person
    jws = me.decision(world.small, me.low, granted=None)
    return f"/api/approvals/{world.small}/decision", _payload(jws), me.low


def _statement(world: World) -> _Signed:
    me = world.person
    jws = me.statement("pin", world.pin_nonce, me.high)
    return "/api/devices/self/pin/confirmation", _payload(jws), me.high


def _payload(jws: str) -> Mapping[str, Any]:
    found: dict[str, Any] = json.loads(base64url.decode(jws.split(".")[1]))
    return found


@pytest.mark.parametrize(
    ("signed", "member", "typ"),
    [(_decision, "decision", DECISION), (_statement, "statement", STATEMENT)],
    ids=["decision", "statement"],
)
def test_a_changed_member_of_a_signed_body_is_refused_with_a_reason(
    world: World, signed: Callable[[World], _Signed], member: str, typ: str
) -> None:
    """The device's own key signs each changed header and payload."""
    path, payload, key = signed(world)
    me = world.person
    header = {"alg": "ES256", "kid": key.thumbprint, "typ": typ}

    def send(raw: bytes) -> Answer:
        return me.call("POST", path, {member: raw.decode()})

    valid = json.dumps(payload).encode()
    assert send(_jws(key, _to_json(header), valid)).status == 200
    _check_answers(
        send, ((what, _jws(key, _to_json(header), raw)) for what, raw in _mutate(payload))
    )
    _check_answers(send, ((what, _jws(key, raw, valid)) for what, raw in _mutate(header)))


def _mutate(valid: Any) -> Iterator[tuple[str, bytes]]:
    return mutations.bodies(valid)


def _to_json(value: Any) -> bytes:
    return json.dumps(value).encode()


def _jws(key: SigningKey, header: bytes, payload: bytes) -> bytes:
    text = f"{b64(header)}.{b64(payload)}".encode()
    return text + b"." + b64(key.sign(text)).encode()


_BACKCHANNEL = {
    "scope": "openid payments:transfer",
    "login_hint": "stranger",
    "resource": PAY,
    "authorization_details": json.dumps(PAYMENT_DETAILS),
    "binding_message": "INV-2291 is due",
    "requested_expiry": "60",
    "acr_values": "urn:sayso:acr:signed-pin",
    "client_notification_token": "t" * 32,
    "user_code": "blue whale 7",
    "risk": "high",
}
_EXCHANGE = {
    "grant_type": names.GRANT_TOKEN_EXCHANGE,
    "subject_token": "TOKEN",
    "subject_token_type": ACCESS_TOKEN,
    "resource": PAY,
    "audience": PAY,
    "scope": "payments:read",
    "requested_token_type": ACCESS_TOKEN,
}
_TOKENS: Mapping[str, Mapping[str, str]] = {
    "ciba": {
        "grant_type": names.GRANT_CIBA,
        "auth_req_id": "HANDLE",
        "resource": PAY,
        "scope": "openid payments:transfer",
        "authorization_details": json.dumps(PAYMENT_DETAILS),
    },
    "alone": {
        "grant_type": names.GRANT_CLIENT_CREDENTIALS,
        "resource": PAY,
        "scope": "payments:read",
    },
    "alone with details": {
        "grant_type": names.GRANT_CLIENT_CREDENTIALS,
        "resource": PAY,
        "authorization_details": json.dumps(PAYMENT_DETAILS),
    },
    "exchange": _EXCHANGE,
}
_APP_TOKENS: Mapping[str, Mapping[str, str]] = {
    "code": {
        "grant_type": names.GRANT_AUTHORIZATION_CODE,
        "code": "x" * 43,
        "redirect_uri": "https://chat.example/callback",
        "code_verifier": VERIFIER,
        "resource": PAY,
    },
    "refresh": {
        "grant_type": names.GRANT_REFRESH_TOKEN,
        "refresh_token": "x" * 43,
        "scope": "payments:read",
        "resource": PAY,
    },
    "device": {"grant_type": names.GRANT_DEVICE_CODE, "device_code": "x" * 43},
}
_TERMINAL_TOKENS: Mapping[str, Mapping[str, str]] = {
    "enrollment": {
        "grant_type": names.GRANT_ENROLLMENT,
        "code": "CODE",
        "client_id": names.APPROVER_CLIENT,
    },
    "session": {
        "grant_type": names.GRANT_REFRESH_TOKEN,
        "refresh_token": "SESSION",
        "client_id": names.APPROVER_CLIENT,
    },
}
_CLAIMS = {
    "id_token": {"acr": {"essential": True, "values": ["urn:sayso:acr:password"]}},
    "userinfo": {"email": None},
}
_PUSHED = {
    **request_of("", scope="openid payments:read", resource=PAY),
    "claims": json.dumps(_CLAIMS),
    "prompt": "login",
    "max_age": "60",
    "login_hint": "stranger",
    "acr_values": "urn:sayso:acr:password",
    "response_mode": "form_post",
    "authorization_details": json.dumps(PAYMENT_DETAILS),
}
_TOKEN_FORM = {"token": "TOKEN", "token_type_hint": "access_token"}
_FORMS: Mapping[str, tuple[str, str, Mapping[str, str]]] = {
    "asks": ("/bc-authorize", "agent", _BACKCHANNEL),
    **{name: ("/token", "agent", form) for name, form in _TOKENS.items()},
    **{name: ("/token", "app", form) for name, form in _APP_TOKENS.items()},
    **{name: ("/token", "terminal", form) for name, form in _TERMINAL_TOKENS.items()},
    "pushes": ("/par", "app", {name: _PUSHED[name] for name in _PUSHED if name != "client_id"}),
    "terminal": (
        "/device_authorization",
        "terminal",
        {"client_id": names.APPROVER_CLIENT, "device_name": "laptop"},
    ),
    "app on a device": (
        "/device_authorization",
        "app",
        {"scope": "openid payments:read", "resource": PAY},
    ),
    "introspects": ("/introspect", "resource", _TOKEN_FORM),
    "revokes": ("/revoke", "agent", _TOKEN_FORM),
}


_NEED_MORE = {"ciba", "alone with details", "exchange", "code", "refresh", "device"}
"""Forms that also need an approval, a consent or a browser to be accepted."""


@pytest.mark.parametrize("what", _FORMS)
def test_a_changed_form_parameter_is_accepted_or_refused_with_a_reason(
    world: World, what: str
) -> None:
    """Every endpoint that takes a form is tested, once for each grant."""
    path, who, valid = _FORMS[what]
    real = {
        "TOKEN": world.tokens[1],
        "HANDLE": world.handle,
        "CODE": world.code,
        "SESSION": world.person.refresh_token,
    }
    form = {name: real.get(value, value) for name, value in valid.items()}
    headers = {"content-type": FORM, **_credentials(world, who)}
    terminal = world.person
    proofs = [terminal.token_proof()] if who == "terminal" and path == "/token" else []
    if who == "terminal" and not proofs:
        proofs = [dpop_proof(terminal.session, method="POST", uri=ISSUER + path, at=terminal.now)]

    def send(body: bytes) -> Answer:
        return world.local.send("POST", path, headers=headers, proofs=proofs, body=body)

    valid = send(mutations.form(form))
    assert valid.status in {200, 201} or what in _NEED_MORE, valid.body
    _check_answers(send, mutations.forms(form))


def _credentials(world: World, who: str) -> Mapping[str, str]:
    authorizations = {
        "agent": basic(world.agent.id, world.agent.secret),
        "app": basic(*world.app),
        "resource": world.resource,
    }
    return {"authorization": authorizations[who]} if who in authorizations else {}


def test_every_form_route_is_tested() -> None:
    """The forms include those of the authorization request."""
    assert {route.path for route in ROUTES if route.form} == {path for path, *_ in _FORMS.values()}


def test_a_changed_browser_authorization_request_is_a_page_or_a_redirect(world: World) -> None:
    """/authorize accepts the parameters of /par, by GET and by POST."""
    client = world.local.app.test_client()
    valid = {**_PUSHED, "client_id": world.app[0]}
    for _, body in mutations.forms(valid):
        for answer in (
            client.get(f"/authorize?{body.decode()}"),
            client.post("/authorize", data=body, content_type=FORM),
        ):
            assert answer.status_code < 500, body


@pytest.mark.parametrize("kind", ["request", "assertion", "proof"])
def test_a_changed_claim_of_a_signed_agent_token_is_refused_with_a_reason(
    world: World, kind: str
) -> None:
    """The tokens are a request object, a client assertion and a DPoP proof."""
    agent, now = world.agent, world.local.clock.now()
    asked = {**_BACKCHANNEL, "authorization_details": PAYMENT_DETAILS, "requested_expiry": 60}
    headers = {"content-type": FORM, **_credentials(world, "agent")}
    alone = {"grant_type": names.GRANT_CLIENT_CREDENTIALS, "scope": "payments:read"}

    def send(raw: bytes) -> Answer:
        jws = raw.decode()
        if kind == "request":
            body = mutations.form({"request": jws})
            return world.local.send("POST", "/bc-authorize", headers=headers, body=body)
        if kind == "assertion":
            return world.local.post_form("/token", {**alone, **assertion_form(jws)})
        body = mutations.form(alone)
        return world.local.send("POST", "/token", headers=headers, proofs=[jws], body=body)

    claims: Mapping[str, Any] = {
        "request": request_claims(agent.id, ISSUER, now, **asked),
        "assertion": assertion_claims(world.signer, ISSUER, now),
        "proof": {"jti": "a", "htm": "POST", "htu": f"{ISSUER}/token", "iat": now // 1000},
    }[kind]
    header = {"kid": world.key.kid, "alg": "ES256", "typ": "JWT"}
    if kind == "proof":
        jwk = {name: world.key.jwk[name] for name in ("kty", "crv", "x", "y")}
        header = {"alg": "ES256", "typ": "dpop+jwt", "jwk": jwk}
    key = SigningKey(world.key.private)
    valid = _to_json(claims)
    assert send(_jws(key, _to_json(header), valid)).status == 200
    _check_answers(
        send, ((what, _jws(key, _to_json(header), raw)) for what, raw in _mutate(claims))
    )
    _check_answers(send, ((what, _jws(key, raw, valid)) for what, raw in _mutate(header)))

"""Each handle is accepted where it belongs, so a refusal elsewhere is due to its kind."""

import httpx

from tests.support.clients.terminal import Terminal
from tests.support.inputs import handles
from tests.support.inputs.handle_endpoints import places, word
from tests.support.servers.server import LiveServer

_ANSWERS = {
    "basic name": ("agent", 200, "done"),
    "basic password": ("agent secret", 200, "done"),
    "client_assertion": ("assertion", 200, "done"),
    "proof": ("proof", 200, "done"),
    "token of an invitation": ("initial token", 201, "done"),
    "token of a registration": ("registration token", 200, "done"),
    "auth_req_id": ("auth_req_id", 400, "authorization_pending"),
    "subject_token": ("delegated token", 200, "done"),
    "subject_token of an app": ("subject token", 400, "interaction_required"),
    "actor_token": ("access token", 200, "done"),
    "login_hint": ("user", 200, "done"),
    "id_token_hint": ("ID token", 200, "done"),
    "login_hint_token": ("login_hint_token", 200, "done"),
    "request": ("request object", 200, "done"),
    "token to consume": ("single-use token", 200, "done"),
    "code": ("authorization code", 200, "done"),
    "refresh_token of an app": ("app's refresh token", 200, "done"),
    "device_code of an app": ("app's device code", 400, "authorization_pending"),
    "client_id of a sign-in": ("app", 303, "elsewhere"),
    "request_uri": ("request_uri", 303, "elsewhere"),
    "requested_actor": ("agent", 303, "elsewhere"),
    "id_token_hint of a logout": ("app's ID token", 200, "page"),
    "token of userinfo": ("app's access token", 200, "done"),
    "code of enrollment": ("enrollment code", 200, "done"),
    "refresh_token": ("refresh token", 200, "done"),
    "device_code": ("device code", 400, "authorization_pending"),
    "user code": ("user code", 303, "elsewhere"),
    "token of the API": ("session token", 200, "done"),
    "approval of the API": ("approval", 200, "done"),
    "statement": ("statement", 200, "done"),
    "decision": ("decision", 200, "done"),
    "cookie of a passkey": ("passkey cookie", 200, "done"),
    "token of a page": ("page token", 200, "done"),
    "ticket of the feed": ("feed ticket", 200, "done"),
    "cookie of a sign-in": ("sign-in cookie", 303, "elsewhere"),
    "flow to go on with": ("sign-in flow", 200, "page"),
    "token of a form": ("form token", 303, "access_denied"),
    "flow of a consent": ("sign-in flow", 303, "access_denied"),
    "standing grant of the API": ("standing grant", 200, "done"),
    "incident of the API": ("incident", 200, "done"),
    "group of the API": ("group", 200, "done"),
    "invitation of the API": ("invitation", 200, "done"),
    "deputy of the API": ("deputy", 204, "page"),
    "push subscription of the API": ("push subscription", 204, "page"),
    "consent of the API": ("consent", 200, "done"),
    "device of the API": ("device", 204, "page"),
}
"""Position → the accepted kind and the answer. The last one revokes the rest, so order matters."""


def test_each_position_accepts_its_own_kind_of_handle(
    server: LiveServer, http: httpx.Client, person: Terminal
) -> None:
    """All handles belong to one installation, and each is used once."""
    world = handles.world(server, http, person)
    calls = places(world)
    assert set(calls) - set(_ANSWERS) == {"subject_token that is an ID token"}
    for position, (kind, status, text) in _ANSWERS.items():
        answer = calls[position](world.handles[kind])
        assert word(answer) == (status, text), (position, kind, answer.text[:400])

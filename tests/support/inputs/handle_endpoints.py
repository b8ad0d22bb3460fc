"""Every endpoint that takes a handle: something that the server issues or that a caller signs.

Owns: sending any handle to any endpoint, and reading the result from the response.
"""

import json
import re
from collections.abc import Callable
from urllib.parse import parse_qsl, urlsplit

import httpx

from server.protocol.names import (
    APPROVER_CLIENT,
    ASSERTION_TYPE,
    GRANT_AUTHORIZATION_CODE,
    GRANT_CIBA,
    GRANT_CLIENT_CREDENTIALS,
    GRANT_DEVICE_CODE,
    GRANT_ENROLLMENT,
    GRANT_REFRESH_TOKEN,
    GRANT_TOKEN_EXCHANGE,
)
from server.protocol.tokens.token_exchange import ACCESS_TOKEN
from tests.support.browsers.browser import CALLBACK, VERIFIER, request_of
from tests.support.builders.clock import DAY
from tests.support.builders.installation import PAY
from tests.support.builders.token_chains import BANK
from tests.support.clients.agent import PAYMENT_DETAILS
from tests.support.inputs import browser_endpoints
from tests.support.inputs.dpop_proofs import proof
from tests.support.inputs.handles import World
from tests.support.inputs.handmade_jwts import Key, assertion_claims, assertion_form
from tests.support.inputs.raw_api import RawApi

ID_TOKEN = "urn:ietf:params:oauth:token-type:id_token"

Endpoint = Callable[[str], httpx.Response]


def places(world: World) -> dict[str, Endpoint]:
    """Return every endpoint by its name."""
    return {
        **_client_endpoints(world),
        **_agent_endpoints(world),
        **_app_endpoints(world),
        **_person_endpoints(world),
        **browser_endpoints.passkey_endpoints(world),
        **browser_endpoints.sign_in_endpoints(world),
        **browser_endpoints.record_endpoints(world),
    }


def word(answer: httpx.Response) -> tuple[int, str]:
    """Return the status and the error of a response, `page` for a page."""
    if (where := answer.headers.get("location")) is not None:
        query = dict(parse_qsl(urlsplit(where).query))
        return answer.status_code, query.get("error", "elsewhere")
    if not answer.headers.get("content-type", "").startswith("application/"):
        return answer.status_code, "page"
    body = answer.json()
    return answer.status_code, str(body.get("error") or body.get("code") or "done")


def _client_endpoints(world: World) -> dict[str, Endpoint]:
    """Return the endpoints where clients authenticate."""
    own = {"grant_type": GRANT_CLIENT_CREDENTIALS, "scope": "payments:read", "resource": PAY}
    me, post = world.agent.key, world.http.post

    def assertion(handle: str) -> httpx.Response:
        proved = {"client_assertion": handle, "client_assertion_type": ASSERTION_TYPE}
        return post("/token", data={**own, **proved})

    def register(handle: str) -> httpx.Response:
        _forget_guesses(world)
        return post("/register", json={}, headers={"Authorization": f"Bearer {handle}"})

    def registration(handle: str) -> httpx.Response:
        _forget_guesses(world)
        path = f"/register/{world.registered}"
        return world.http.get(path, headers={"Authorization": f"Bearer {handle}"})

    return {
        "basic name": lambda h: post("/token", data=own, auth=(h, me.secret)),
        "basic password": lambda h: post("/token", data=own, auth=(me.id, h)),
        "client_assertion": assertion,
        "proof": lambda h: post("/token", data=own, auth=me.basic, headers={"DPoP": h}),
        "token of an invitation": register,
        "token of a registration": registration,
    }


def _agent_endpoints(world: World) -> dict[str, Endpoint]:
    """Return the endpoints to which agents send users' handles and tokens."""

    def grant(kind: str, **form: str) -> httpx.Response:
        parameters = {"grant_type": kind, **form}
        return world.http.post("/token", data=parameters, auth=world.agent.key.basic)

    def exchange(**form: str) -> httpx.Response:
        members = {"subject_token_type": ACCESS_TOKEN, "scope": "payments:read", **form}
        return grant(GRANT_TOKEN_EXCHANGE, resource=PAY, **members)

    def ask(**hint: str) -> httpx.Response:
        form = {"scope": "openid payments:read", "resource": PAY, **hint}
        return world.http.post("/bc-authorize", data=form, auth=world.agent.key.basic)

    def hinted(handle: str) -> httpx.Response:
        form = {"scope": "openid", "login_hint_token": handle}
        return world.http.post("/bc-authorize", data=form, auth=world.bot.basic)

    def request(handle: str) -> httpx.Response:
        claims = assertion_claims(world.keyed.id, world.server.url, world.server.clock.now())
        proved = assertion_form(world.key.sign(claims))
        return world.http.post("/bc-authorize", data={"request": handle, **proved})

    subject_token = world.handles["delegated token"]
    return {
        "auth_req_id": lambda h: grant(GRANT_CIBA, auth_req_id=h),
        "subject_token": lambda h: exchange(subject_token=h),
        "subject_token of an app": lambda h: world.chains.exchange(world.bot, h, resource=BANK),
        "subject_token that is an ID token": lambda h: exchange(
            subject_token=h, subject_token_type=ID_TOKEN
        ),
        "actor_token": lambda h: exchange(
            subject_token=subject_token, actor_token=h, actor_token_type=ACCESS_TOKEN
        ),
        "login_hint": lambda h: ask(login_hint=h),
        "id_token_hint": lambda h: ask(id_token_hint=h),
        "login_hint_token": hinted,
        "request": request,
        "token to consume": lambda h: _consume(world, h),
    }


def _consume(world: World, handle: str) -> httpx.Response:
    body = {"token": handle, "authorization_details": PAYMENT_DETAILS, "execution_id": "once"}
    return world.http.post("/api/approvals/consume", json=body, auth=world.resource.basic)


def _app_endpoints(world: World) -> dict[str, Endpoint]:
    """Return the endpoints that apps and their users' browsers call."""
    app = world.app

    def token(grant: str, **form: str) -> httpx.Response:
        return world.http.post("/token", data={"grant_type": grant, **form}, auth=app.basic)

    def code(handle: str) -> httpx.Response:
        rest = {"redirect_uri": CALLBACK, "code_verifier": VERIFIER}
        return token(GRANT_AUTHORIZATION_CODE, code=handle, **rest)

    def authorize(**parameters: str) -> httpx.Response:
        with world.server.client() as browser:
            return browser.get("/authorize", params=parameters)

    def acting(handle: str) -> httpx.Response:
        more = {"scope": "openid payments:read", "resource": PAY, "requested_actor": handle}
        return authorize(**request_of(app.id, **more))

    def leaving(handle: str) -> httpx.Response:
        with world.server.client() as browser:
            return browser.get("/logout", params={"id_token_hint": handle})

    def userinfo(handle: str) -> httpx.Response:
        return world.http.get("/userinfo", headers={"Authorization": f"Bearer {handle}"})

    return {
        "code": code,
        "refresh_token of an app": lambda h: token(GRANT_REFRESH_TOKEN, refresh_token=h),
        "device_code of an app": lambda h: token(GRANT_DEVICE_CODE, device_code=h),
        "client_id of a sign-in": lambda h: authorize(**request_of(h)),
        "request_uri": lambda h: authorize(client_id=app.id, request_uri=h),
        "requested_actor": acting,
        "id_token_hint of a logout": leaving,
        "token of userinfo": userinfo,
    }


def _person_endpoints(world: World) -> dict[str, Endpoint]:
    """Return the endpoints for terminals and new devices, and the page where codes are typed."""
    raw = RawApi(world.person, world.http)

    def terminal(grant: str, **form: str) -> httpx.Response:
        parameters = {"grant_type": grant, "client_id": APPROVER_CLIENT, **form}
        proved = world.person.client.session.transport.proof("POST", "/token", None)
        return world.http.post("/token", data=parameters, headers={"DPoP": proved})

    def begun(
        handle: str, grant: str = GRANT_DEVICE_CODE, name: str = "device_code"
    ) -> httpx.Response:
        key = Key("ES256", world.device.private, "")
        proved = proof(key, f"{world.server.url}/token", world.server.clock.now())
        form = {"grant_type": grant, "client_id": APPROVER_CLIENT, name: handle}
        return world.http.post("/token", data=form, headers={"DPoP": proved})

    def typed(handle: str) -> httpx.Response:
        _forget_guesses(world)
        with world.server.client() as browser:
            page = browser.get("/device").text
            (token,) = re.findall(r'name="form" value="([^"]+)"', page)
            form = {"form": token, "name": world.person.user, "user_code": handle}
            return browser.post("/device", data=form)

    def bearer(handle: str) -> httpx.Response:
        proved = raw.proof(raw.claims("GET", "/api/me"))
        return raw.call("GET", "/api/me", authorization=f"DPoP {handle}", proof=proved)

    path = f"/api/approvals/{world.handles['approval']}/decision"
    confirmation = "/api/devices/self/pin/confirmation"
    return {
        "code of enrollment": lambda h: begun(h, GRANT_ENROLLMENT, "code"),
        "refresh_token": lambda h: terminal(GRANT_REFRESH_TOKEN, refresh_token=h),
        "device_code": begun,
        "user code": typed,
        "token of the API": bearer,
        "approval of the API": lambda h: raw.call("GET", f"/api/approvals/{h}"),
        "decision": lambda h: raw.call("POST", path, content=_json(decision=h)),
        "statement": lambda h: raw.call("POST", confirmation, content=_json(statement=h)),
        "device of the API": lambda h: raw.call("DELETE", f"/api/devices/{h}"),
    }


def _json(**members: str) -> bytes:
    return json.dumps(members).encode()


def _forget_guesses(world: World) -> None:
    """Reset the counters of wrong guesses, so that earlier handles do not matter."""
    with world.server.services.store.write() as tx:
        tx.counters.prune(tx.now + DAY)

"""Clients written by others sign users in by browser and by device, and register (RFC 7591).

Both libraries check state, nonce, `iss`, the ID token and its subject themselves.
"""

import json
import re
from collections.abc import Iterator
from typing import Any

import httpx
import jwt
import pytest

from approver_tui.state.approvals.approvals import Kind
from server.crypto.passwords import Argon2Passwords
from server.protocol.names import APPROVER_CLIENT, GRANT_DEVICE_CODE, GRANT_REFRESH_TOKEN
from server.services.clients.app_forms import NewApp
from server.services.clients.apps import Apps
from server.services.clients.invitations import Invitations, NewInvitation
from server.services.users.passwords import Passwords
from tests.support.browsers.browser import CALLBACK, PASSWORD, Browser
from tests.support.builders.installation import BY, PAY
from tests.support.clients.agent import PAYMENT_DETAILS, Agent
from tests.support.clients.terminal import Terminal
from tests.support.clients.third_party import LIBRARIES, client_settings, run_client
from tests.support.servers.server import AgentKey, LiveServer

pytestmark = pytest.mark.clients

OAUTH4WEBAPI, OPENID_CLIENT = LIBRARIES


@pytest.fixture(params=LIBRARIES)
def library(request: pytest.FixtureRequest) -> str:
    """Each of the two libraries."""
    name: str = request.param
    return name


@pytest.fixture
def browser(server: LiveServer, person: Terminal) -> Iterator[Browser]:
    """A browser in which a user with a password may sign in."""
    Passwords(server.services.store, Argon2Passwords()).set(person.user, PASSWORD, by=BY)
    with server.client() as http:
        yield Browser(http, server.url)


def _add_app(server: LiveServer, name: str, **members: Any) -> AgentKey:
    apps = Apps(server.services.store, server.services.secrets)
    added = apps.add(NewApp(name, (CALLBACK,), resources=(PAY,), **members), by=BY)
    return AgentKey(added.app.id, added.secret or "", name)


_WAYS = {
    "secret": ("client_secret_basic", {}),
    "pushed": ("client_secret_post", {"pushed": True}),
    "public-dpop": ("none", {"dpop": True}),
    "pushed-dpop": ("client_secret_basic", {"pushed": True, "dpop": True}),
}


@pytest.mark.parametrize("way", _WAYS)
def test_other_clients_sign_a_user_in(
    server: LiveServer, person: Terminal, browser: Browser, library: str, way: str
) -> None:
    """CL-09, BC-13, MD-12: the client uses PKCE, the ID token, userinfo and a refresh token."""
    method, options = _WAYS[way]
    app = _add_app(server, f"{library}-{way}", auth_method=method)
    arguments = client_settings(server, app, method)
    parameters = {"scope": "openid profile"}
    with run_client(
        library,
        "authorization_code",
        **arguments,
        redirect_uri=CALLBACK,
        parameters=parameters,
        **options,
    ) as client:
        url = client.read_event("visit")["url"]
        browser.open(url.removeprefix(server.url))
        browser.sign_in(person.user)
        client.resume(url=browser.answer("allow").url)
        result = client.read_event("done")

    assert result["tokens"]["token_type"] == ("dpop" if "dpop" in options else "bearer")
    assert result["id"]["sub"] == result["user"]["sub"] == person.client.profile.user_id
    assert (result["id"]["aud"], result["user"]["name"]) == (app.id, person.user)
    refreshed = result["refreshed"]
    assert refreshed["access_token"] != result["tokens"]["access_token"]
    assert refreshed["refresh_token"] != result["tokens"]["refresh_token"]


@pytest.mark.parametrize("way", ["secret", "pushed-dpop"])
def test_other_clients_get_a_single_action_approved(
    server: LiveServer, person: Terminal, browser: Browser, library: str, way: str
) -> None:
    """RA-08, RA-11, RA-13: the details are shown, signed, and in the answer and the token."""
    method, options = _WAYS[way]
    scopes = ("payments:transfer",)
    app = _add_app(server, f"{library}-{way}-pays", auth_method=method, scopes=scopes)
    arguments = client_settings(server, app, method)
    parameters = {
        "scope": "openid payments:transfer",
        "resource": PAY,
        "authorization_details": json.dumps(PAYMENT_DETAILS),
    }
    with run_client(
        library,
        "authorization_code",
        **arguments,
        redirect_uri=CALLBACK,
        parameters=parameters,
        **options,
    ) as client:
        browser.open(client.read_event("visit")["url"].removeprefix(server.url))
        page = browser.sign_in(person.user)
        assert "Pay EUR 4,820.00 to Nordwind Logistik GmbH" in page.text
        browser.answer("allow")
        pending = person.only_request()
        assert (pending.kind, pending.agent.name) == (Kind.APP_ACTION, app.name)
        person.approve(pending)
        client.resume(url=browser.again().url)
        result = client.read_event("done")

    assert result["tokens"]["authorization_details"] == PAYMENT_DETAILS
    assert "refresh_token" not in result["tokens"]
    claims = jwt.decode(result["tokens"]["access_token"], options={"verify_signature": False})
    assert (claims["aud"], claims["authorization_details"]) == (PAY, PAYMENT_DETAILS)
    assert claims["approval"]["id"] == pending.id


def test_a_users_refusal_reaches_other_clients(
    server: LiveServer, person: Terminal, browser: Browser, library: str
) -> None:
    """BC-13, MC-08: the client accepts the error because it has `state` and `iss`."""
    app = _add_app(server, f"{library}-no", auth_method="client_secret_basic")
    arguments = client_settings(server, app)
    parameters = {"scope": "openid profile"}
    with run_client(
        library, "authorization_code", **arguments, redirect_uri=CALLBACK, parameters=parameters
    ) as client:
        browser.open(client.read_event("visit")["url"].removeprefix(server.url))
        browser.sign_in(person.user)
        client.resume(url=browser.answer("deny").url)
        assert client.read_event("refused")["error"] == "access_denied"


def _enter_code(server: LiveServer, name: str, address: str) -> None:
    """Opens the URL that the device shows, fills in the page and sends it."""
    with server.client() as browser:
        page = browser.get(address.removeprefix(server.url))
        fields = dict(re.findall(r'name="(form|user_code)" value="([^"]+)"', page.text))
        assert fields.keys() == {"form", "user_code"}
        assert browser.post("/device", data={**fields, "name": name}).is_redirect


@pytest.mark.parametrize("says", ["yes", "no"])
def test_other_clients_sign_a_device_in(
    server: LiveServer, person: Terminal, library: str, says: str
) -> None:
    """CL-11, DG-07, DG-15, DG-18: the client polls until the user decides."""
    arguments = {**client_settings(server, AgentKey(APPROVER_CLIENT, "", ""), "none")}
    parameters = {"device_name": "kiosk"}
    with run_client(
        library, "device_code", **arguments, parameters=parameters, overrides={"interval": 0.2}
    ) as client:
        device_codes = client.read_event("asked")["asked"]
        assert device_codes.keys() >= {"device_code", "user_code", "verification_uri", "expires_in"}
        assert device_codes["interval"] > 0
        if library == OAUTH4WEBAPI:
            client.read_event("authorization_pending")
        _enter_code(server, person.user, device_codes["verification_uri_complete"])
        pending = person.only_request()
        person.approve(pending) if says == "yes" else person.deny(pending)
        client.resume()
        message = client.read_event("done" if says == "yes" else "refused")

    if says == "no":
        assert (message["status"], message["error"]) == (400, "access_denied")
        return
    assert message["tokens"]["token_type"] == message["refreshed"]["token_type"] == "dpop"
    assert message["tokens"]["refresh_token"] != message["refreshed"]["refresh_token"]


def test_other_clients_register(
    server: LiveServer, http: httpx.Client, person: Terminal, library: str
) -> None:
    """CL-13, DC-02: an invitation allows the registration, and the registered client works."""
    ceiling = {"resources": (PAY,), "scopes": ("payments:read",)}
    invitations = Invitations(server.services.store, server.services.secrets)
    token = invitations.issue(NewInvitation(person.user, **ceiling), by=BY).token
    metadata = {"client_name": f"{library}-made"}
    arguments = {"issuer": server.url, "token": token, "metadata": metadata}
    with run_client(library, "registration", **arguments) as client:
        registered = client.read_event("done")["client"]

    assert (registered["client_name"], registered["client_secret_expires_at"]) == (
        f"{library}-made",
        0,
    )
    key = AgentKey(registered["client_id"], registered["client_secret"], "made")
    assert Agent(key, http).request_approval(person.user)
    person.deny(person.only_request())


@pytest.mark.parametrize("method", ["client_secret_basic", "none"])
def test_other_clients_sign_an_app_in_on_a_device(
    server: LiveServer, person: Terminal, library: str, method: str
) -> None:
    """DG-03, DG-04, DG-18, DG-20: an app with the grant succeeds with and without a secret."""
    grants = (GRANT_DEVICE_CODE, GRANT_REFRESH_TOKEN)
    scopes = ("payments:read",)
    app = _add_app(
        server, f"{library}-{method}-tv", auth_method=method, grant_types=grants, scopes=scopes
    )
    arguments = client_settings(server, app, method)
    parameters = {"scope": "openid payments:read", "resource": PAY}
    with run_client(
        library, "device_code", **arguments, parameters=parameters, overrides={"interval": 0.2}
    ) as client:
        device_codes = client.read_event("asked")["asked"]
        if library == OAUTH4WEBAPI:
            client.read_event("authorization_pending")
        _enter_code(server, person.user, device_codes["verification_uri_complete"])
        pending = person.only_request()
        assert pending.agent.name == app.name
        person.approve(pending)
        client.resume()
        result = client.read_event("done")

    assert result["tokens"]["scope"] == result["refreshed"]["scope"] == "openid payments:read"
    assert result["tokens"]["id_token"]
    assert result["tokens"]["token_type"] == "dpop"

"""Every step from sign-in to a payment that another agent executes, over real HTTP."""

import json
from collections.abc import Iterator
from typing import Any

import httpx
import pytest

from server.protocol.names import GRANT_CIBA
from server.services.clients.app_forms import NewApp
from server.services.clients.apps import Apps
from server.services.users.passwords import Passwords
from tests.support.browsers.browser import CALLBACK, PASSWORD, VERIFIER, Browser
from tests.support.builders.installation import PAY
from tests.support.builders.token_chains import LiveChains
from tests.support.clients.agent import PAYMENT_DETAILS
from tests.support.clients.terminal import Terminal
from tests.support.servers.server import BY, AgentKey, LiveServer

SCOPES = ("payments:read", "payments:transfer")


@pytest.fixture
def http(server: LiveServer) -> Iterator[httpx.Client]:
    """The connection that this test's clients share."""
    with server.client() as client:
        yield client


@pytest.fixture
def app(server: LiveServer) -> tuple[str, str]:
    """The ID and the secret of a chat app."""
    services = server.services
    new = NewApp(
        "chat",
        redirect_uris=(CALLBACK,),
        auth_method="client_secret_basic",
        resources=(PAY,),
        scopes=SCOPES,
    )
    added = Apps(services.store, services.secrets).add(new, by=BY)
    return added.app.id, added.secret


@pytest.fixture
def assistant(server: LiveServer) -> AgentKey:
    """The agent for which the app asks."""
    return server.agent(resources=(PAY,), scopes=SCOPES)


@pytest.fixture
def payer(server: LiveServer) -> AgentKey:
    """The agent behind the payment API."""
    return server.agent(resources=(PAY,), scopes=SCOPES, serves=(PAY,))


def _sign_in(
    server: LiveServer, app: tuple[str, str], assistant: AgentKey, person: Terminal
) -> str:
    """Signs the user in and returns the app's token, with which the assistant may act."""
    services = server.services
    Passwords(services.store, services.passwords).set(person.user, PASSWORD, by=BY)
    with server.client() as http:
        browser = Browser(http, server.url)
        parameters = {"scope": " ".join(SCOPES), "resource": PAY, "requested_actor": assistant.id}
        browser.authorize(app[0], **parameters)
        assert assistant.name in browser.sign_in(person.user).text
        browser.answer("allow")
        for approval in person.waiting():
            person.approve(approval)
        code = browser.again().answer["code"]
        form = {
            "grant_type": "authorization_code",
            "code": code,
            "redirect_uri": CALLBACK,
            "code_verifier": VERIFIER,
        }
        token: str = http.post("/token", data=form, auth=app).json()["access_token"]
    return token


def _ask_with_hint(http: httpx.Client, agent: AgentKey, hint: str) -> httpx.Response:
    form = {"scope": "openid", "login_hint_token": hint, "binding_message": "INV-2291 is due"}
    return http.post("/bc-authorize", data=form, auth=agent.basic)


def _is_active(http: httpx.Client, agent: AgentKey, token: str) -> bool:
    answer = http.post("/introspect", data={"token": token}, auth=agent.basic)
    active: bool = answer.json()["active"]
    return active


def test_from_sign_in_to_a_payment_by_another_agent_and_its_revocation(
    server: LiveServer,
    http: httpx.Client,
    app: tuple[str, str],
    assistant: AgentKey,
    payer: AgentKey,
    person: Terminal,
) -> None:
    """The app's token leads to an exchange, a payment and a chain; revoking it revokes them all."""
    chains = LiveChains(server, http, person.client.profile.user_id)
    token = _sign_in(server, app, assistant, person)
    assert chains.claims(token)["may_act"]["sub"] == assistant.id

    # A low-risk scope is granted immediately.
    reading = chains.exchanged(assistant, token, resource=PAY, scope="payments:read")
    assert chains.claims(reading)["act"]["sub"] == assistant.id

    # A payment needs an approval. The hint contains all details of the exchange.
    details = json.dumps(PAYMENT_DETAILS)
    paying: dict[str, Any] = {
        "resource": PAY,
        "scope": "payments:transfer",
        "authorization_details": details,
    }
    refused = chains.exchange(assistant, token, **paying).json()
    assert refused["error"] == "interaction_required"
    request = _ask_with_hint(http, assistant, refused["login_hint_token"]).json()
    again = _ask_with_hint(http, assistant, refused["login_hint_token"])
    assert (again.status_code, again.json()["error"]) == (400, "invalid_request")
    pending = person.only_request()
    assert pending.fingerprint == request["fingerprint"]
    person.approve(pending)
    poll = {"grant_type": GRANT_CIBA, "auth_req_id": request["auth_req_id"]}
    signed = http.post("/token", data=poll, auth=assistant.basic).json()["access_token"]
    claims = chains.claims(signed)
    assert claims["authorization_details"] == PAYMENT_DETAILS
    assert claims["exp"] <= chains.claims(token)["exp"]
    assert chains.row(signed).parent_id == chains.claims(token)["jti"]

    # The agent behind the API executes the payment with a token derived from the approval's.
    executed = chains.exchanged(payer, signed, **paying)
    act = chains.claims(executed)["act"]
    assert (act["sub"], act["act"]["sub"]) == (payer.id, assistant.id)
    assert chains.claims(executed)["approval"] == claims["approval"]
    assert _is_active(http, payer, executed)

    # The app revokes its token, which revokes every token derived from it.
    http.post("/revoke", data={"token": token}, auth=app).raise_for_status()
    for derived in (reading, signed, executed):
        assert not _is_active(http, payer, derived)
    assert chains.exchange(payer, signed, **paying).status_code == httpx.codes.BAD_REQUEST

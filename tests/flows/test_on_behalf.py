"""From sign-in to a payment that another agent executes: every step over real HTTP."""

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
    """The connection of this test's clients."""
    with server.client() as client:
        yield client


@pytest.fixture
def app(server: LiveServer) -> tuple[str, str]:
    """Id and secret of a chat app."""
    services = server.services
    new = NewApp(
        "chat",
        redirect_uris=(CALLBACK,),
        auth_method="client_secret_basic",
        resources=(PAY,),
        scopes=SCOPES,
    )
    given = Apps(services.store, services.secrets).add(new, by=BY)
    return given.app.id, given.secret


@pytest.fixture
def assistant(server: LiveServer) -> AgentKey:
    """The agent for which the app asks."""
    return server.agent(resources=(PAY,), scopes=SCOPES)


@pytest.fixture
def payer(server: LiveServer) -> AgentKey:
    """The agent behind the payment API."""
    return server.agent(resources=(PAY,), scopes=SCOPES, serves=(PAY,))


def _signed_in(
    server: LiveServer, app: tuple[str, str], assistant: AgentKey, person: Terminal
) -> str:
    """The app's token, with which the assistant may act: the user signed for both."""
    services = server.services
    Passwords(services.store, services.passwords).set(person.user, PASSWORD, by=BY)
    with server.client() as http:
        browser = Browser(http, server.url)
        asked = {"scope": " ".join(SCOPES), "resource": PAY, "requested_actor": assistant.id}
        browser.authorize(app[0], **asked)
        assert assistant.name in browser.sign_in(person.user).text
        browser.answer("allow")
        for waiting in person.waiting():
            person.approve(waiting)
        code = browser.again().answer["code"]
        form = {
            "grant_type": "authorization_code",
            "code": code,
            "redirect_uri": CALLBACK,
            "code_verifier": VERIFIER,
        }
        token: str = http.post("/token", data=form, auth=app).json()["access_token"]
    return token


def _asked(http: httpx.Client, agent: AgentKey, hint: str) -> httpx.Response:
    form = {"scope": "openid", "login_hint_token": hint, "binding_message": "INV-2291 is due"}
    return http.post("/bc-authorize", data=form, auth=agent.basic)


def _active(http: httpx.Client, agent: AgentKey, token: str) -> bool:
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
    """Consent, exchange, a signed approval, a chain; one revocation by the app ends all of it."""
    chains = LiveChains(server, http, person.client.profile.user_id)
    token = _signed_in(server, app, assistant, person)
    assert chains.claims(token)["may_act"]["sub"] == assistant.id

    # What carries little risk comes at once.
    reading = chains.exchanged(assistant, token, resource=PAY, scope="payments:read")
    assert chains.claims(reading)["act"]["sub"] == assistant.id

    # A payment is asked for, with everything that the exchange was about.
    sent = json.dumps(PAYMENT_DETAILS)
    paying: dict[str, Any] = {
        "resource": PAY,
        "scope": "payments:transfer",
        "authorization_details": sent,
    }
    refused = chains.exchange(assistant, token, **paying).json()
    assert refused["error"] == "interaction_required"
    asked = _asked(http, assistant, refused["login_hint_token"]).json()
    again = _asked(http, assistant, refused["login_hint_token"])
    assert (again.status_code, again.json()["error"]) == (400, "invalid_request")
    waiting = person.only()
    assert waiting.fingerprint == asked["fingerprint"]
    person.approve(waiting)
    poll = {"grant_type": GRANT_CIBA, "auth_req_id": asked["auth_req_id"]}
    signed = http.post("/token", data=poll, auth=assistant.basic).json()["access_token"]
    claims = chains.claims(signed)
    assert claims["authorization_details"] == PAYMENT_DETAILS
    assert claims["exp"] <= chains.claims(token)["exp"]
    assert chains.row(signed).parent_id == chains.claims(token)["jti"]

    # The agent behind the API carries it out, in the chain and for that answer.
    carried = chains.exchanged(payer, signed, **paying)
    act = chains.claims(carried)["act"]
    assert (act["sub"], act["act"]["sub"]) == (payer.id, assistant.id)
    assert chains.claims(carried)["approval"] == claims["approval"]
    assert _active(http, payer, carried)

    # The app gives its token back: nothing that came from it counts any more.
    http.post("/revoke", data={"token": token}, auth=app).raise_for_status()
    for one in (reading, signed, carried):
        assert not _active(http, payer, one)
    assert chains.exchange(payer, signed, **paying).status_code == httpx.codes.BAD_REQUEST

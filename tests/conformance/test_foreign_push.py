"""Web push with an independent push service that verifies our key and decrypts.

It shares no code with the server's library or with the push service of the other tests.
"""

import json
from collections.abc import Iterator, Mapping
from typing import Any

import httpx
import pytest

from tests.support.browsers.web_person import WebPerson, new_web_person
from tests.support.checks.log_and_rows import subscriptions
from tests.support.checks.waiting import until
from tests.support.clients.agent import Agent
from tests.support.clients.third_party import foreign_push_service
from tests.support.servers.server import LiveServer

pytestmark = pytest.mark.clients

PATH = "/api/push-subscriptions"
A_KEY = "BP4z9KsN6nGRTbVYI_c7VJSPQTBtkgcy27mlmlMoZIIgDll6e3vCYLocInmYWAmS6TlzAC8wEqKK6PBru3jl7A8"
"""The key of a different sender, from the example in RFC 8291."""


@pytest.fixture(scope="module")
def foreign() -> Iterator[httpx.Client]:
    """The independent push service, shared by this file's tests."""
    with foreign_push_service() as http:
        yield http


@pytest.fixture(scope="module")
def settings(foreign: httpx.Client) -> dict[str, str]:
    """Settings in which the operator has allowed this push service."""
    return {"push_origins": str(foreign.base_url).rstrip("/")}


@pytest.fixture
def eva(server: LiveServer) -> WebPerson:
    """A user who subscribes in a browser."""
    return new_web_person(server)


def _subscribe(foreign: httpx.Client, eva: WebPerson, key: str) -> str:
    """Subscribes for senders with this key; returns the service's name for the subscription."""
    options = {"userVisibleOnly": "true", "applicationServerKey": key}
    answer = foreign.post("/subscribe", json=options)
    assert answer.is_success, answer.text
    created = answer.json()["data"]
    subscription = {"endpoint": created["endpoint"], "keys": created["keys"]}
    assert eva.http.post(PATH, json=subscription).is_success
    name: str = created["clientHash"]
    return name


def _our_key(eva: WebPerson) -> str:
    key: str = eva.http.get(PATH).json()["public_key"]
    return key


def _read(foreign: httpx.Client, name: str) -> list[Mapping[str, Any]]:
    """Returns the messages that the service has decrypted."""
    answer = foreign.post("/get-notifications", json={"clientHash": name})
    return [json.loads(text) for text in answer.json()["data"]["messages"]]


def test_an_independent_push_service_accepts_our_key_and_decrypts_the_message(
    foreign: httpx.Client, eva: WebPerson, agent: Agent
) -> None:
    """RFC 8292 2 and 4, RFC 8291 3.4 and 4: the message reveals nothing of the request."""
    name = _subscribe(foreign, eva, _our_key(eva))
    agent.ask_payment(eva.name, binding_message="Secret words")
    (message,) = until(lambda: _read(foreign, name), 30)
    assert (message["kind"], message["risk"], message["n"]) == ("ask", "high", 1)
    assert not [word for word in ("Secret", "Nordwind", agent.key.name) if word in str(message)]


def test_an_independent_push_service_refuses_another_key(
    foreign: httpx.Client, eva: WebPerson, agent: Agent
) -> None:
    """The service refuses a message signed by a different key, and the user sees the problem."""
    name = _subscribe(foreign, eva, A_KEY)
    agent.ask_payment(eva.name)
    (shown,) = until(lambda: [o for o in eva.http.get(PATH).json()["items"] if o["problem"]], 30)
    assert shown["problem"] == "status 400"
    assert _read(foreign, name) == []


def test_a_subscription_that_the_push_service_expired_is_removed(
    server: LiveServer, foreign: httpx.Client, eva: WebPerson, agent: Agent
) -> None:
    """The server removes a subscription for which the service answers 410."""
    name = _subscribe(foreign, eva, _our_key(eva))
    foreign.post(f"/expire-subscription/{name}")
    agent.ask_payment(eva.name)
    until(lambda: not subscriptions(server, eva.name), 30)

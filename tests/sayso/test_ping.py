"""Pings: who may wake a waiting agent, and how soon the agent then knows the decision."""

import asyncio
import contextlib
import json
import threading
import time
from collections.abc import Iterator
from typing import Any

import httpx
import pytest
import uvicorn
from werkzeug.serving import make_server

from sayso import Agent, Denied, Refused
from sayso.asking import Asking
from sayso.credentials import Credentials
from sayso.ping import Pings
from sayso.transport import Reply, Sleep
from tests.support.checks.waiting import until
from tests.support.clients.kit import READ, next_request, run_in_background
from tests.support.clients.terminal import Terminal
from tests.support.inputs.doc_pages import DocPage
from tests.support.servers.ports import free_port
from tests.support.servers.server import LiveServer

_SOON_SECONDS = 20.0
"""Seconds within which an agent that only polls would not poll again."""


def _body(auth_req_id: object) -> bytes:
    return json.dumps({"auth_req_id": auth_req_id}).encode()


def test_a_ping_wakes_only_the_request_that_it_names() -> None:
    """All calls that wait for this request are woken, and each only once per ping."""
    pings = Pings(b"seed")
    bearer = f"Bearer {pings.token}"
    with pings.waiting("a") as first, pings.waiting("a") as second, pings.waiting("b") as other:
        waited = [first.next, second.next, other.next]
        assert pings.receive(bearer, _body("c")) == 204
        assert [future.done() for future in waited] == [False, False, False]
        assert pings.receive(bearer, _body("a")) == 204
        assert [future.done() for future in waited] == [True, True, False]
        assert not first.next.done()
    assert pings.receive(bearer, _body("a")) == 204


@pytest.mark.parametrize(
    ("authorization", "body", "status"),
    [
        (None, _body("a"), 401),
        ("Bearer ", _body("a"), 401),
        ("Bearer {other}", _body("a"), 401),
        ("Bearer {token}x", _body("a"), 401),
        ("Bearer é", _body("a"), 401),
        ("Basic {token}", _body("a"), 401),
        ("Bearer {token}", b"", 400),
        ("Bearer {token}", b"[" * 4000, 400),
        ("Bearer {token}", b"[]", 400),
        ("Bearer {token}", b"\xff", 400),
        ("Bearer {token}", _body(["a"]), 400),
        ("Bearer {token}", _body("a") + b" " * 5000, 400),
        ("bearer {token}", _body("a"), 204),
    ],
)
def test_an_invalid_ping_does_not_wake_a_request(
    authorization: str | None, body: bytes, status: int
) -> None:
    """The token is shared by the server and this agent; a different agent has its own."""
    pings, other = Pings(b"seed"), Pings(b"another seed")
    header = authorization and authorization.format(token=pings.token, other=other.token)
    with pings.waiting("a") as wake:
        waited = wake.next
        assert pings.receive(header, body) == status
        assert waited.done() == (status == 204)


def test_a_pinged_agent_polls_once_and_then_sleeps_until_it_is_pinged() -> None:
    """It sends a token that is the same after a restart, and it holds no connection open."""
    asking = Asking("https://sayso.example", Credentials.create("c", "s", None), ping=True)
    flow: Any = asking.ask("ana", None, {"scope": "payments:read"})
    next(flow)
    names = ("token_endpoint", "backchannel_authentication_endpoint")
    endpoints = {name: f"https://sayso.example/{name}" for name in names}
    probe = flow.send(Reply(200, {}, {"issuer": "https://sayso.example", **endpoints}, 0.0))
    assert probe.url == endpoints["token_endpoint"]
    request = flow.send(Reply(400, {}, {"error": "invalid_grant"}, 0.0))
    token = request.form["client_notification_token"]
    assert token == Pings(Credentials.create("c", "s", None).seed()).token
    poll = flow.send(Reply(200, {}, {"auth_req_id": "h", "expires_in": 600, "interval": 5}, 0.0))
    assert "Prefer" not in poll.headers
    sleep = flow.send(Reply(400, {}, {"error": "authorization_pending"}, 0.0))
    assert isinstance(sleep, Sleep)
    assert sleep.seconds == 60
    assert sleep.until is not None
    assert asking.pinged(f"Bearer {token}", _body("h")) == 204
    assert sleep.until.done()


def test_an_agent_that_polls_does_not_accept_pings() -> None:
    """The error says that the agent must be created with `ping=True`."""
    asking = Asking("https://sayso.example", Credentials.create("c", "s", None))
    with pytest.raises(ValueError, match="ping=True"):
        asking.pinged("Bearer x", _body("a"))


@pytest.mark.parametrize(
    ("delivery", "ping", "remedy"),
    [
        ("ping", False, "pass ping=True to Agent"),
        ("push", False, "does not receive pushes"),
        ("push", True, "ping=True needs an agent that is registered with `--delivery ping`"),
    ],
)
def test_an_agent_with_the_wrong_ping_is_refused_before_anyone_is_asked(
    server: LiveServer, person: Terminal, delivery: str, ping: Any, remedy: str
) -> None:
    """The error names the argument, and the person has no request."""
    key = server.agent(delivery=delivery, notification_endpoint="https://agent.example/sayso")
    agent = Agent(server.url, key.id, secret=key.secret, ping=ping)
    with agent, pytest.raises(Refused, match=remedy):
        agent.ask(person.user, **READ)
    assert person.waiting() == ()


@pytest.fixture
def page(server: LiveServer, monkeypatch: pytest.MonkeyPatch) -> tuple[DocPage, int]:
    """The page with its agent, and the port at which the agent is pinged."""
    port = free_port()
    endpoint = f"http://localhost:{port}/sayso"
    key = server.agent(delivery="ping", notification_endpoint=endpoint)
    names = {"ISSUER": server.url, "AGENT_ID": key.id, "AGENT_SECRET": key.secret}
    for name, value in names.items():
        monkeypatch.setenv(name, value)
    doc_page = DocPage("docs/callbacks.md")
    doc_page.run()
    return doc_page, port


def test_a_ping_wakes_a_thread(page: tuple[DocPage, int], person: Terminal) -> None:
    """With the page's Flask app, an approval and a denial arrive long before the next poll."""
    names = page[0].names
    with _in_a_thread(make_server("127.0.0.1", page[1], names["app"])), names["agent"] as agent:
        for decide in (person.approve, person.deny):
            with run_in_background(agent.ask, person.user, **READ) as result:
                request = next_request(person)
                time.sleep(1)
                decided_at = time.monotonic()
                decide(request)
                if decide == person.approve:
                    assert result.result(_SOON_SECONDS).granted == ()
                else:
                    with pytest.raises(Denied):
                        result.result(_SOON_SECONDS)
                assert time.monotonic() - decided_at < _SOON_SECONDS
        unauthenticated = httpx.post(f"http://localhost:{page[1]}/sayso", json={}, trust_env=False)
        assert unauthenticated.status_code == 401


async def test_a_ping_wakes_a_task(page: tuple[DocPage, int], person: Terminal) -> None:
    """A ping wakes a task even though the page's ASGI app runs in a different thread."""
    page[0].run()
    assert page[0].done()
    names = page[0].names
    names["agent"].close()
    config = uvicorn.Config(names["asgi_app"], port=page[1], log_level="error", lifespan="off")
    server = uvicorn.Server(config)
    thread = threading.Thread(target=server.run, daemon=True)
    thread.start()
    try:
        await asyncio.to_thread(until, lambda: server.started, 10)
        async with names["async_agent"] as agent:
            call = asyncio.create_task(agent.ask(person.user, **READ))
            request = await asyncio.to_thread(next_request, person)
            await asyncio.sleep(1)
            await asyncio.to_thread(person.approve, request)
            assert (await asyncio.wait_for(call, _SOON_SECONDS)).granted == ()
    finally:
        server.should_exit = True
        thread.join(10)


@contextlib.contextmanager
def _in_a_thread(server: Any) -> Iterator[None]:
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield
    finally:
        server.shutdown()
        thread.join(10)
        server.server_close()

"""Callbacks to agents arrive even if servers die or endpoints hang."""

import json
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pytest

from tests.support.builders.clock import MINUTE
from tests.support.checks.waiting import until
from tests.support.clients.agent import Agent, new_agent
from tests.support.clients.terminal import Terminal, new_person
from tests.support.fakes.receiver import Receiver, answer, hang, receiver
from tests.support.servers.load import WITHOUT_LIMITS
from tests.support.servers.ports import free_port
from tests.support.servers.server import LiveServer, live_server

TOKEN = "8d67dc78-7faa-4d41-aabd-67707b374255"
_SOON_SECONDS = 25
_HANGING_AGENTS = 4
_CALLS_OF_EACH = 5

Caller = Callable[..., Agent]


@pytest.fixture
def server(tmp_path: Path, request: pytest.FixtureRequest) -> Iterator[LiveServer]:
    """A server for one test, with the planted faults that the test names."""
    seeds = getattr(request, "param", ())
    options = tuple(word for seed in seeds for word in ("--seed", seed))
    with live_server(tmp_path, forked=True, options=options, **WITHOUT_LIMITS) as running:
        yield running


@pytest.fixture
def person(server: LiveServer) -> Iterator[Terminal]:
    """A user at an enrolled terminal."""
    terminal = new_person(server)
    yield terminal
    terminal.client.close()


@pytest.fixture
def receiver_server() -> Iterator[Receiver]:
    """The notification endpoint of the agents."""
    with receiver() as endpoint:
        yield endpoint


@pytest.fixture
def caller(server: LiveServer) -> Iterator[Caller]:
    """Returns a function that makes agents with a notification endpoint."""
    with ExitStack() as stack:

        def make(mode: str, endpoint: str) -> Agent:
            agent = new_agent(server, delivery=mode, notification_endpoint=endpoint)
            stack.callback(agent.http.close)
            return agent

        yield make


def _ask(agent: Agent, person: Terminal) -> tuple[str, Any]:
    response = agent.ask(person.user, client_notification_token=TOKEN)
    assert response.status_code == 200, response.text
    reply = response.json()
    (approval,) = (a for a in person.waiting() if a.fingerprint == reply["fingerprint"])
    return reply["auth_req_id"], approval


def _bodies(receiver_server: Receiver) -> list[dict[str, Any]]:
    return [json.loads(request.body) for request in receiver_server.got]


@pytest.mark.parametrize("mode", ["ping", "push"])
def test_a_server_killed_before_a_callback_sends_it_after_its_restart(
    server: LiveServer, person: Terminal, caller: Caller, mode: str
) -> None:
    """CB-165, CB-174: nobody listened before the kill, and the callback is sent afterwards.

    It is sent immediately, or when the lease of an attempt that died with the server ends.
    """
    port = free_port()
    handle, approval = _ask(caller(mode, f"http://127.0.0.1:{port}/hook"), person)
    person.approve(approval)
    server.kill()
    server.clock.forward(2 * MINUTE)
    with receiver(port=port) as receiver_server:
        server.start()
        until(lambda: receiver_server.got, seconds=60)
        assert _bodies(receiver_server)[0]["auth_req_id"] == handle
        assert ("access_token" in _bodies(receiver_server)[0]) == (mode == "push")


@pytest.mark.parametrize("mode", ["ping", "push"])
def test_a_server_killed_during_a_callback_repeats_it(
    server: LiveServer, person: Terminal, caller: Caller, receiver_server: Receiver, mode: str
) -> None:
    """CB-174, NG-008: it is repeated when the dead server's lease ends, with the same token."""
    receiver_server.behavior = hang
    _, approval = _ask(caller(mode, receiver_server.url()), person)
    person.approve(approval)
    until(lambda: receiver_server.got)
    server.kill()
    receiver_server.behavior = answer(204)
    server.start()
    server.clock.forward(MINUTE)
    until(lambda: len(receiver_server.got) == 2, seconds=60)

    first, second = _bodies(receiver_server)
    assert first["auth_req_id"] == second["auth_req_id"]
    assert first.get("access_token") == second.get("access_token")
    with server.services.store.read() as view:
        issued = [e for e in view.audit.of_approval(approval.id) if e.type == "token.issued"]
    assert len(issued) == (mode == "push")


@pytest.mark.parametrize("server", [["hanging_names"]], indirect=True)
def test_host_names_that_hang_delay_neither_users_nor_other_agents(
    person: Terminal, caller: Caller, receiver_server: Receiver
) -> None:
    """CB-166: the owner of an agent may also run a name server that never answers."""
    for number in range(_HANGING_AGENTS):
        hanging = caller("ping", f"https://a{number}.hangs.example/hook")
        for _ in range(_CALLS_OF_EACH):
            _, approval = _ask(hanging, person)
            person.deny(approval)
    _, approval = _ask(caller("ping", receiver_server.url()), person)
    began = time.monotonic()
    person.approve(approval)
    until(lambda: receiver_server.got, seconds=2 * _SOON_SECONDS)
    assert time.monotonic() - began < _SOON_SECONDS

"""Planted faults in a server, detected by tests of other folders.

Each test here runs another test, unchanged, against a server with one fault. A test that cannot
fail would be noticed here.
"""

from collections.abc import Callable, Iterator
from pathlib import Path

import httpx
import pytest

from tests.conformance import test_hostile_text
from tests.faults import test_shutdown
from tests.flows import test_feed
from tests.support.clients.agent import Agent, new_agent
from tests.support.clients.terminal import Terminal, new_person
from tests.support.fakes.proxy import proxy
from tests.support.servers.load import WITHOUT_LIMITS, new_load
from tests.support.servers.server import LiveServer, live_server

_Check = Callable[[LiveServer, Agent, Terminal], None]


def _check_cut_connection(server: LiveServer, agent: Agent, person: Terminal) -> None:
    with proxy(server.port) as network:
        test_feed.test_a_cut_connection_loses_nothing(agent, person, network)


def _check_old_cursor(server: LiveServer, agent: Agent, person: Terminal) -> None:
    test_feed.test_a_cursor_that_is_too_old_gets_a_resync(server, agent, person)


def _check_held_poll(server: LiveServer, agent: Agent, person: Terminal) -> None:
    del agent, person
    load = new_load(server)
    try:
        test_shutdown.test_a_held_poll_is_answered_before_the_server_ends(server, load)
    finally:
        load.close()


def _check_hostile_text(server: LiveServer, agent: Agent, person: Terminal) -> None:
    del server
    for attack in test_hostile_text.HOSTILE:
        if attack != "null":
            test_hostile_text.test_hostile_text_in_details_is_shown_escaped(agent, person, attack)


@pytest.fixture
def server(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[LiveServer]:
    """A server with the fault that the test names. It stops as in production."""
    planted, forked = ("--seed", request.param), request.param != "silent_shutdown"
    with live_server(tmp_path, forked=forked, options=planted, **WITHOUT_LIMITS) as running:
        yield running


@pytest.mark.parametrize(
    ("server", "check"),
    [
        pytest.param("lost_first_event", _check_cut_connection, id="I9"),
        pytest.param("no_cursor_is_too_old", _check_old_cursor, id="I10"),
        pytest.param("silent_shutdown", _check_held_poll, id="I20"),
        pytest.param("unescaped_text", _check_hostile_text, id="I27"),
    ],
    indirect=["server"],
)
def test_a_planted_fault_is_detected(server: LiveServer, check: _Check) -> None:
    """I9, I10, I20, I27: the test for the invariant fails if the server has the fault."""
    agent, person = new_agent(server), new_person(server)
    with pytest.raises((AssertionError, TimeoutError, httpx.TransportError)):
        check(server, agent, person)

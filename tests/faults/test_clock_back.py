"""The server's clock is set back by an hour while it runs: expired requests stay expired."""

from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest

from approver_tui.client.errors import ApiError
from server.protocol.approvals.states import State
from tests.support.builders.clock import HOUR, MINUTE, SECOND
from tests.support.checks.log_and_rows import state
from tests.support.clients.agent import new_agent
from tests.support.clients.feed_frames import open_feed
from tests.support.clients.terminal import new_person
from tests.support.servers.server import LiveServer, live_server

Starter = Callable[..., LiveServer]


@pytest.fixture
def start(tmp_path: Path) -> Iterator[Starter]:
    """Starts a server with or without planted faults."""
    with ExitStack() as running:

        def starter(*seeds: str) -> LiveServer:
            planted = tuple(word for seed in seeds for word in ("--seed", seed))
            return running.enter_context(live_server(tmp_path, forked=True, options=planted))

        yield starter


def _entries(server: LiveServer) -> list[str]:
    with server.services.store.read() as view:
        return [entry.id for entry in view.audit.tail(1_000)]


def _check(server: LiveServer) -> None:
    """Lets a request expire, sets the clock back, and sends a new request."""
    agent, person = new_agent(server), new_person(server)
    late, handle = (
        agent.request_approval(person.user),
        agent.request_approval(person.user, requested_expiry="60"),
    )
    expired = min(person.waiting(), key=lambda approval: approval.expires_at)
    with open_feed(person) as line:
        before = person.client.inbox("waiting").feed_cursor
        server.clock.forward(MINUTE + SECOND)
        assert agent.poll(handle).json()["error"] == "expired_token"
        written = _entries(server)
        server.clock.forward(-HOUR)
        assert agent.poll(handle).json()["error"] == "expired_token"
        new = agent.request_approval(person.user)
        seqs = [line.frame()["seq"] for _ in range(2)]

    assert expired.id not in {approval.id for approval in person.waiting()}
    with pytest.raises(ApiError) as refusal:
        person.approve(expired)
    assert refusal.value.status == 409
    assert state(server, expired.id)[0] is State.EXPIRED
    assert before < seqs[0] < seqs[1]
    assert _entries(server)[: len(written)] == written
    for open_handle in (late, new):
        assert agent.poll(open_handle).json()["error"] in {"authorization_pending", "slow_down"}


def test_with_the_clock_set_back_ended_things_stay_ended_and_new_entries_come_last(
    start: Starter,
) -> None:
    """I28: an expired request stays expired, and events and entries keep their order."""
    _check(start())


def test_the_check_detects_an_end_that_is_not_recorded(start: Starter) -> None:
    """I28: an expiry that is computed from the clock alone is undone when the clock goes back."""
    server = start("unrecorded_expiry")
    with pytest.raises(AssertionError):
        _check(server)

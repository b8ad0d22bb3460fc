"""A push service that hangs and many queued pushes delay nothing else.

`python -m tests.bench.push_backlog` measures how much an approval is slowed down. Here it must
succeed, and all other pushes must be sent.
"""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.bench.push_backlog import measure_both, push_services
from tests.support.checks.waiting import until
from tests.support.servers.load import WITHOUT_LIMITS
from tests.support.servers.server import LiveServer, live_server

_PUSHES = 400
_APPROVALS = 5


@pytest.fixture
def origins() -> Iterator[list[str]]:
    """The origins of push services in their own process; the first one hangs."""
    with push_services() as urls:
        yield urls


@pytest.fixture
def server(tmp_path: Path, origins: list[str]) -> Iterator[LiveServer]:
    """A server whose operator has allowed these push services."""
    named = ",".join(origins)
    with live_server(tmp_path, forked=True, push_origins=named, **WITHOUT_LIMITS) as running:
        yield running


def test_approvals_and_other_pushes_succeed_while_a_push_service_hangs(
    server: LiveServer, origins: list[str]
) -> None:
    """Each approval gets its token, and only the pushes to the hanging service remain."""
    timed = measure_both(server, origins, _PUSHES, _APPROVALS)
    assert [len(durations) for durations in timed] == [_APPROVALS, _APPROVALS]
    share = _PUSHES // len(origins)

    def count_by_state() -> dict[str, int]:
        with server.services.store.read() as view:
            return dict(view.outbox.counts())

    until(
        lambda: count_by_state().get("waiting", 0) + count_by_state().get("leased", 0) == share, 60
    )
    assert "dead" not in count_by_state()

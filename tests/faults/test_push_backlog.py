"""A push service that hangs, and many queued pushes: nothing else is delayed.

How much an approval is slowed is measured by `python -m tests.bench.push_backlog`; here it must
succeed, and all other pushes must be sent.
"""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.bench.push_backlog import both, push_services
from tests.support.checks.waiting import until
from tests.support.servers.load import WITHOUT_LIMITS
from tests.support.servers.server import LiveServer, live_server

_PUSHES = 400
_APPROVALS = 5


@pytest.fixture
def origins() -> Iterator[list[str]]:
    """Push services in a process of their own; the first one hangs."""
    with push_services() as made:
        yield made


@pytest.fixture
def server(tmp_path: Path, origins: list[str]) -> Iterator[LiveServer]:
    """A server whose operator has allowed them."""
    named = ",".join(origins)
    with live_server(tmp_path, forked=True, push_origins=named, **WITHOUT_LIMITS) as running:
        yield running


def test_approvals_and_other_pushes_succeed_beside_a_push_service_that_hangs(
    server: LiveServer, origins: list[str]
) -> None:
    """Each approval becomes a token meanwhile; only its own pushes remain."""
    timed = both(server, origins, _PUSHES, _APPROVALS)
    assert [len(taken) for taken in timed] == [_APPROVALS, _APPROVALS]
    share = _PUSHES // len(origins)

    def left() -> dict[str, int]:
        with server.services.store.read() as view:
            return dict(view.outbox.counts())

    until(lambda: left().get("waiting", 0) + left().get("leased", 0) == share, 60)
    assert "dead" not in left()

"""`python -m tests.bench.poll`: a poll of a pending request, with its pacing write."""

from tests.bench.measuring import LOTS, Target, compare, product
from tests.bench.peer_server import Peer, peer
from tests.bench.responses import Expected
from tests.bench.table import against_peer, run, say
from tests.support.builders import decided_rows
from tests.support.clients.simultaneous import poll
from tests.support.servers.server import AgentKey, LiveServer

MIN_SPEED = 2.0
_PENDING = Expected(400, '"error":"authorization_pending"')
_HANDLES = 12_000
_INTERVAL_MS = 6_000


def main() -> None:
    """Poll each request once in a run, after its interval: the response is `pending`."""
    say("## Pending poll (authorization_pending, pacing kept in the row)")
    with peer() as other, product() as server:
        against_peer(compare([peer_target(other), target(server)]), min_speed=MIN_SPEED)


def peer_target(other: Peer) -> Target:
    """Return the peer, which looks the request up in memory and stores no poll."""

    def batch() -> list[str]:
        return _polls(other.key, other.make("pending", _HANDLES))

    return Target("peer", other.process.pid, other.port, _PENDING, batch)


def target(server: LiveServer, *, rounds: int = LOTS, count: int = _HANDLES) -> Target:
    """Store requests for all rounds, and return a target that polls them after their interval."""
    key = server.agent()
    user, _ = server.user()
    batches = [
        decided_rows.requests(server.services, key.id, user, count, approved=False)
        for _ in range(rounds)
    ]
    server.clock.forward(_INTERVAL_MS)
    assert server.process is not None
    process, port = server.process.pid, server.port
    return Target("pending poll", process, port, _PENDING, lambda: _polls(key, batches.pop()))


def _polls(key: AgentKey, handles: list[str]) -> list[str]:
    return [poll(key, handle, keep=True).decode() for handle in handles]


if __name__ == "__main__":
    run(main)

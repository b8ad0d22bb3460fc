"""`python -m tests.bench.poll`: a poll of a request that waits, with its pacing write."""

import time

from tests.bench.measuring import ROUNDS, Target, bare_server, compare, product
from tests.bench.table import run, say, show
from tests.support import prepared
from tests.support.server import LiveServer
from tests.support.volley import poll

_BAR = 3.0
_HANDLES = 12_000
_INTERVAL_SECONDS = 5.5


def main() -> None:
    """Each request is polled once in a run, later than its interval: the answer is `pending`."""
    say("## Pending poll (authorization_pending, pacing kept in the row)")
    with bare_server() as bare, product() as server:
        show(compare([bare, _target(server)]), bar=_BAR)


def _target(server: LiveServer) -> Target:
    """Requests are written before the rounds, and each round comes after their interval."""
    key = server.agent()
    user, _ = server.user()
    lots = [
        prepared.requests(server.services, key.id, user, _HANDLES, approved=False)
        for _ in range(ROUNDS)
    ]
    time.sleep(_INTERVAL_SECONDS)
    assert server.process is not None
    return Target(
        "pending poll",
        server.process.pid,
        server.port,
        lambda: [poll(key, handle, keep=True).decode() for handle in lots.pop()],
    )


if __name__ == "__main__":
    run(main)

"""`python -m tests.bench.request`: an agent sends a request to a user."""

import itertools

from tests.bench.measuring import Target, compare, product
from tests.bench.peer_server import Peer, peer
from tests.bench.responses import Expected
from tests.bench.table import against_peer, run, say
from tests.support.builders.installation import PAY
from tests.support.clients.simultaneous import post
from tests.support.servers.load import WITHOUT_NOTIFICATION_LIMITS
from tests.support.servers.server import AgentKey, LiveServer

MIN_SPEED = 1.5
_ASKED = Expected(200, '"auth_req_id":')
_AGENTS = 24
_USERS = 1_500
_REQUESTS = 3_600
_FORM = {"scope": "openid payments:read", "resource": PAY, "binding_message": "INV-2291 is due"}


def main() -> None:
    """Use enough agents and users that each has a usual number of open requests."""
    say("## Backchannel request (texts, approval, entry, feed event, outbox row)")
    with peer() as other, product(**WITHOUT_NOTIFICATION_LIMITS) as server:
        against_peer(compare([peer_target(other), target(server)]), min_speed=MIN_SPEED)


def peer_target(other: Peer) -> Target:
    """Return the peer, which stores the request in memory and notifies nobody."""
    text = _request(other.key, other.user)
    process = other.process.pid
    return Target("peer", process, other.port, _ASKED, lambda: [text], again=True)


def target(server: LiveServer, *, users: int = _USERS, count: int = _REQUESTS) -> Target:
    """Return a target in which each request is from the next agent to the next user."""
    agents = itertools.cycle([server.agent() for _ in range(_AGENTS)])
    people = itertools.cycle([server.user()[0] for _ in range(users)])

    def batch() -> list[str]:
        return [_request(next(agents), next(people)) for _ in range(count)]

    assert server.process is not None
    return Target("backchannel request", server.process.pid, server.port, _ASKED, batch)


def _request(key: AgentKey, user: str) -> str:
    return post("/bc-authorize", key, {**_FORM, "login_hint": user}, keep=True).decode()


if __name__ == "__main__":
    run(main)

"""`python -m tests.bench.introspection`: a resource introspects a valid token."""

import itertools

from tests.bench.measuring import Target, compare, product
from tests.bench.peer_server import Peer, peer
from tests.bench.responses import Expected
from tests.bench.table import against_peer, run, say
from tests.support.builders.installation import PAY
from tests.support.builders.token_chains import signed, store, user_row
from tests.support.clients.simultaneous import post
from tests.support.servers.server import BY, AgentKey, LiveServer

MIN_SPEED = 1.0
_ACTIVE = Expected(200, '"active":true')
_TOKENS = 400
_FRESH = 3_000
_PEER_TOKENS = 12_000
_REQUESTS = 12_000


def main() -> None:
    """Introspect new tokens and repeated ones."""
    say(
        "## Introspection (signature, ledger, client, resource; last use set at most once a minute)"
    )
    with peer() as other, product() as server:
        targets = [target(server, once=True), target(server, once=False)]
        against_peer(compare([peer_target(other), *targets]), min_speed=MIN_SPEED)


def peer_target(other: Peer) -> Target:
    """Return the peer, which introspects only opaque tokens: a lookup in memory, no signature."""

    def batch() -> list[str]:
        return _requests(other.key, other.make("opaque", _PEER_TOKENS))

    return Target("peer, opaque tokens", other.process.pid, other.port, _ACTIVE, batch)


def target(server: LiveServer, *, once: bool, count: int = _FRESH) -> Target:
    """Return a target in which a resource introspects tokens of an agent."""
    agent = server.agent()
    name, _ = server.user()
    with server.services.store.read() as view:
        user = view.directory.find_user(name)
    assert user is not None
    rotated = server.resources.rotate_secret(PAY, by=BY)
    resource = AgentKey(rotated.resource.client_id, rotated.secret, PAY)

    def batch() -> list[str]:
        if once:
            return _requests(resource, _tokens(server, agent, user.id, count))
        repeated = _requests(resource, _tokens(server, agent, user.id, min(count, _TOKENS)))
        return list(itertools.islice(itertools.cycle(repeated), _REQUESTS))

    assert server.process is not None
    name = "introspection, each token once" if once else "introspection, repeated tokens"
    return Target(name, server.process.pid, server.port, _ACTIVE, batch)


def _requests(key: AgentKey, tokens: list[str]) -> list[str]:
    return [post("/introspect", key, {"token": token}, keep=True).decode() for token in tokens]


def _tokens(server: LiveServer, agent: AgentKey, user: str, count: int) -> list[str]:
    """Store tokens that an agent has for a user, and return them."""
    services = server.services
    members = {"client_id": agent.id, "resource": PAY, "scope": "payments:read"}
    rows = [user_row(services, user, **members) for _ in range(count)]
    store(services, rows)
    return [signed(services, row) for row in rows]


if __name__ == "__main__":
    run(main)

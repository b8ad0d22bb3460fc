"""`python -m tests.bench.redemption`: an agent collects the tokens of an approved request."""

from tests.bench.measuring import Target, compare, product
from tests.bench.peer_server import Peer, peer
from tests.bench.responses import Expected
from tests.bench.table import against_peer, run, say
from tests.support.builders import decided_rows
from tests.support.clients.simultaneous import poll
from tests.support.servers.server import AgentKey, LiveServer

MIN_SPEED = 1.0
_TOKENS = Expected(200, '"id_token":')
_HANDLES = 4_000
_PEER_HANDLES = 9_000


def main() -> None:
    """Redeem each request once; the ID token has the agent's registered algorithm."""
    say("## Redemption (two signed tokens, delegation, entry, feed event, outbox row)")
    with peer() as other, product() as server:
        targets = [target(server, alg) for alg in ("ES256", "EdDSA", "RS256")]
        against_peer(compare([peer_target(other), *targets]), min_speed=MIN_SPEED)


def peer_target(other: Peer) -> Target:
    """Return the peer, which signs the same two tokens with ES256 and stores neither."""

    def batch() -> list[str]:
        return _polls(other.key, other.make("approved", _PEER_HANDLES))

    return Target("peer, ID token ES256", other.process.pid, other.port, _TOKENS, batch)


def target(server: LiveServer, alg: str = "ES256", *, count: int = _HANDLES) -> Target:
    """Return a target; approved requests are written as rows before each round."""
    key = server.agent(id_token_alg=alg)
    user, _ = server.user()

    def batch() -> list[str]:
        handles = decided_rows.requests(server.services, key.id, user, count, approved=True)
        return _polls(key, handles)

    assert server.process is not None
    name = f"redemption, ID token {alg}"
    return Target(name, server.process.pid, server.port, _TOKENS, batch)


def _polls(key: AgentKey, handles: list[str]) -> list[str]:
    return [poll(key, handle, keep=True).decode() for handle in handles]


if __name__ == "__main__":
    run(main)

"""`python -m tests.bench.exchange`: exchange a user's token for a narrower one."""

from collections.abc import Callable

from server.app import Services
from server.model.tokens import Delegation
from tests.bench.measuring import Target, compare, product
from tests.bench.peer_server import API, Peer, peer
from tests.bench.responses import Expected
from tests.bench.table import against_peer, run, say
from tests.support.builders.token_chains import BANK, LiveChains, signed, store, user_row
from tests.support.clients.simultaneous import post
from tests.support.servers.server import AgentKey, LiveServer

MIN_SPEED = 1.3
_TOKEN = Expected(200, '"access_token":')
_TOKENS = 3_000
_PEER_TOKENS = 9_000


def main() -> None:
    """Exchange each token once; for a token of a chain the server also reads its parents."""
    say("## Exchange (one token verified, one signed, consent, delegation, entry)")
    with peer() as other, product() as server:
        against_peer(compare([peer_target(other), *targets(server)]), min_speed=MIN_SPEED)


def peer_target(other: Peer) -> Target:
    """Return the peer, which has no exchange: it verifies one token and signs one, no consent."""

    def batch() -> list[str]:
        tokens = other.make("subject", _PEER_TOKENS)
        return [_request(other.key, token, API, "payments:read") for token in tokens]

    return Target("peer, a fresh token", other.process.pid, other.port, _TOKEN, batch)


def targets(server: LiveServer, *, count: int = _TOKENS) -> list[Target]:
    """Return targets for a user's token, a token of a chain, and a repeated token."""
    chains = _chains(server)
    agent = chains.agent()
    chains.consent(agent, "bank:read")
    repeated = _exchange_request(agent, chains.user_token())
    assert server.process is not None
    server_and_expected = server.process.pid, server.port, _TOKEN
    return [
        Target("a person's token, fresh", *server_and_expected, _batch(chains, agent, 0, count)),
        Target("a token of a chain, fresh", *server_and_expected, _batch(chains, agent, 1, count)),
        Target("the same token again", *server_and_expected, lambda: [repeated], again=True),
    ]


def _chains(server: LiveServer) -> LiveChains:
    name, _ = server.user()
    with server.services.store.read() as view:
        person = view.directory.find_user(name)
    assert person is not None
    chains = LiveChains(server, server.client(), person.id)
    chains.prepare()
    return chains


def _batch(chains: LiveChains, agent: AgentKey, depth: int, count: int) -> Callable[[], list[str]]:
    """Return a batch of users' tokens, or of tokens that the agent got for them."""

    def batch() -> list[str]:
        services = chains.server.services
        first = [user_row(services, chains.user_id) for _ in range(count)]
        last = first if depth == 0 else [_child(services, agent, row) for row in first]
        store(services, first if depth == 0 else [*first, *last])
        return [_exchange_request(agent, signed(services, row)) for row in last]

    return batch


def _child(services: Services, agent: AgentKey, parent: Delegation) -> Delegation:
    assert parent.user_id is not None
    chain = f'{{"sub": "{agent.id}"}}'
    members = {"parent_id": parent.id, "client_id": agent.id, "chain": chain, "depth": 1}
    return user_row(services, parent.user_id, **members)


def _exchange_request(agent: AgentKey, token: str) -> str:
    return _request(agent, token, BANK, "bank:read")


def _request(agent: AgentKey, token: str, resource: str, scope: str) -> str:
    form = {
        "grant_type": "urn:ietf:params:oauth:grant-type:token-exchange",
        "subject_token": token,
        "subject_token_type": "urn:ietf:params:oauth:token-type:access_token",
        "resource": resource,
        "scope": scope,
    }
    return post("/token", agent, form, keep=True).decode()


if __name__ == "__main__":
    run(main)

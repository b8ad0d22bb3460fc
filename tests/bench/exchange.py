"""`python -m tests.bench.exchange`: a user's token becomes a narrower one, with its entry."""

from collections.abc import Callable

from server.app import Services
from server.model.tokens import Delegation
from tests.bench.answers import Expected
from tests.bench.measuring import Target, compare, product
from tests.bench.peer_server import API, Peer, peer
from tests.bench.table import against_peer, run, say
from tests.support.builders.token_chains import BANK, LiveChains, signed, store, user_row
from tests.support.clients.simultaneous import post
from tests.support.servers.server import AgentKey, LiveServer

BAR = 1.3
_TOKEN = Expected(200, '"access_token":')
_TOKENS = 3_000
_PEER_TOKENS = 9_000


def main() -> None:
    """Each token is exchanged once; a chain also reads the parents of its token."""
    say("## Exchange (one token verified, one signed, consent, delegation, entry)")
    with peer() as other, product() as server:
        against_peer(compare([peer_target(other), *targets(server)]), bar=BAR)


def peer_target(other: Peer) -> Target:
    """The peer has no exchange; it verifies one token and signs one, without consent."""

    def batch() -> list[str]:
        made = other.make("subject", _PEER_TOKENS)
        return [_request(other.key, token, API, "payments:read") for token in made]

    return Target("peer, a fresh token", other.process.pid, other.port, _TOKEN, batch)


def targets(server: LiveServer, *, count: int = _TOKENS) -> list[Target]:
    """A user's token, a token of a chain, and a repeated one."""
    chains = _chains(server)
    agent = chains.agent()
    chains.consent(agent, "bank:read")
    same = _ours(agent, chains.user_token())
    assert server.process is not None
    place = server.process.pid, server.port, _TOKEN
    return [
        Target("a person's token, fresh", *place, _batch(chains, agent, 0, count)),
        Target("a token of a chain, fresh", *place, _batch(chains, agent, 1, count)),
        Target("the same token again", *place, lambda: [same], again=True),
    ]


def _chains(server: LiveServer) -> LiveChains:
    name, _ = server.user()
    with server.services.store.read() as view:
        person = view.directory.user_called(name)
    assert person is not None
    chains = LiveChains(server, server.client(), person.id)
    chains.prepare()
    return chains


def _batch(chains: LiveChains, agent: AgentKey, depth: int, count: int) -> Callable[[], list[str]]:
    """Tokens of users, or tokens that the agent got for one of them."""

    def batch() -> list[str]:
        services = chains.server.services
        first = [user_row(services, chains.user_id) for _ in range(count)]
        last = first if depth == 0 else [_child(services, agent, row) for row in first]
        store(services, first if depth == 0 else [*first, *last])
        return [_ours(agent, signed(services, row)) for row in last]

    return batch


def _child(services: Services, agent: AgentKey, parent: Delegation) -> Delegation:
    assert parent.user_id is not None
    chain = f'{{"sub": "{agent.id}"}}'
    members = {"parent_id": parent.id, "client_id": agent.id, "chain": chain, "depth": 1}
    return user_row(services, parent.user_id, **members)


def _ours(agent: AgentKey, token: str) -> str:
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

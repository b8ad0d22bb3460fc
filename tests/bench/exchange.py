"""`python -m tests.bench.exchange`: a person's token becomes a narrower one, with its entry."""

import jwt

from tests.bench.measuring import Target, bare_server, compare, product
from tests.bench.table import run, say, show
from tests.support.chains import BANK, LiveChains
from tests.support.server import AgentKey, LiveServer
from tests.support.volley import post

_BAR = 6.0
_TOKENS = 3_000


def main() -> None:
    """Each token is exchanged once; a chain looks at what its token came from too."""
    say("## Exchange (one token verified, one signed, consent, delegation, entry)")
    with bare_server() as bare, product() as server, server.client() as http:
        name, _ = server.user()
        with server.services.store.read() as view:
            person = view.directory.user_called(name)
        assert person is not None
        chains = LiveChains(server, http, person.id)
        chains.prepare()
        agent = chains.agent()
        chains.consent(agent, "bank:read")
        fresh = _target(server, chains, agent, 0)
        chained = _target(server, chains, agent, 1)
        same = _again(server, chains, agent)
        show(compare([bare, fresh, chained, same]), bar=_BAR)


def _target(server: LiveServer, chains: LiveChains, agent: AgentKey, depth: int) -> Target:
    def lot() -> list[str]:
        return [_request(agent, _token(chains, agent, depth)) for _ in range(_TOKENS)]

    assert server.process is not None
    name = "a person's token, fresh" if depth == 0 else "a token of a chain, fresh"
    return Target(name, server.process.pid, server.port, lot)


def _again(server: LiveServer, chains: LiveChains, agent: AgentKey) -> Target:
    assert server.process is not None
    request = _request(agent, chains.user_token())
    return Target(
        "the same token again", server.process.pid, server.port, lambda: [request], again=True
    )


def _token(chains: LiveChains, agent: AgentKey, depth: int) -> str:
    token = chains.user_token()
    if depth == 0:
        return token
    parent = jwt.decode(token, options={"verify_signature": False})["jti"]
    chain = f'{{"sub": "{agent.id}"}}'
    members = {"parent_id": parent, "client_id": agent.id, "chain": chain, "depth": depth}
    return chains.user_token(**members)


def _request(agent: AgentKey, token: str) -> str:
    form = {
        "grant_type": "urn:ietf:params:oauth:grant-type:token-exchange",
        "subject_token": token,
        "subject_token_type": "urn:ietf:params:oauth:token-type:access_token",
        "resource": BANK,
        "scope": "bank:read",
    }
    return post("/token", agent, form, keep=True).decode()


if __name__ == "__main__":
    run(main)

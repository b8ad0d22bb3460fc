"""`python -m tests.bench.introspection`: a resource asks about a token that counts."""

import itertools

from tests.bench.measuring import Target, bare_server, compare, product
from tests.bench.table import run, say, show
from tests.support.installation import PAY
from tests.support.server import BY, AgentKey, LiveServer
from tests.support.volley import post

_BAR = 4.0
_TOKENS = 400
_REQUESTS = 12_000
_FORM = {"grant_type": "client_credentials", "scope": "payments:read"}


def main() -> None:
    """Tokens that were never shown before, and tokens that come again and again."""
    say("## Introspection (signature, ledger, client, resource; the use noted once a minute)")
    with bare_server() as bare, product() as server:
        fresh = _target(server, "introspection, each token once", once=True)
        again = _target(server, "introspection, tokens that come again", once=False)
        show(compare([bare, fresh, again]), bar=_BAR)


def _target(server: LiveServer, name: str, *, once: bool) -> Target:
    agent = server.agent()
    given = server.resources.rotate_secret(PAY, by=BY)
    resource = AgentKey(given.resource.client_id, given.secret, PAY)

    def lot() -> list[str]:
        count = 3_000 if once else _TOKENS
        made = _tokens(server, agent, count)
        requests = itertools.islice(itertools.cycle(made), count if once else _REQUESTS)
        return [post("/introspect", resource, {"token": t}, keep=True).decode() for t in requests]

    assert server.process is not None
    return Target(name, server.process.pid, server.port, lot)


def _tokens(server: LiveServer, agent: AgentKey, count: int) -> list[str]:
    with server.client() as http:
        answers = (http.post("/token", data=_FORM, auth=agent.basic) for _ in range(count))
        return [answer.json()["access_token"] for answer in answers]


if __name__ == "__main__":
    run(main)

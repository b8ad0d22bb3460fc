"""`python -m tests.bench.redemption`: an approved request becomes tokens, with entry and outbox."""

from tests.bench.measuring import Target, bare_server, compare, product
from tests.bench.table import run, say, show
from tests.support import prepared
from tests.support.server import LiveServer
from tests.support.volley import poll

_BAR = 6.0
_HANDLES = 4_000


def main() -> None:
    """Each request is redeemed once; the ID token is signed as the agent registered for it."""
    say("## Redemption (two signed tokens, delegation, entry, feed event, outbox row)")
    with bare_server() as bare, product() as server:
        algorithms = ("RS256", "EdDSA", "ES256")
        show(compare([bare, *(_target(server, alg) for alg in algorithms)]), bar=_BAR)


def _target(server: LiveServer, alg: str) -> Target:
    key = server.agent(id_token_alg=alg)
    user, _ = server.user()

    def lot() -> list[str]:
        made = prepared.requests(server.services, key.id, user, _HANDLES, approved=True)
        return [poll(key, handle, keep=True).decode() for handle in made]

    assert server.process is not None
    return Target(f"redemption, ID token {alg}", server.process.pid, server.port, lot)


if __name__ == "__main__":
    run(main)

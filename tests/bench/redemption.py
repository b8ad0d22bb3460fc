"""`python -m tests.bench.redemption`: an approved request becomes tokens, with entry and outbox."""

from tests.bench.measuring import Target, bare_server, compare, product
from tests.bench.table import say, show
from tests.support import prepared
from tests.support.server import LiveServer
from tests.support.volley import poll

_BAR = 6.0
_HANDLES = 4_000


def main() -> None:
    """Each request is redeemed once."""
    say("## Redemption (two signed tokens, delegation, entry, feed event, outbox row)")
    with bare_server() as bare, product() as server:
        show(compare([bare, _target(server)]), bar=_BAR)


def _target(server: LiveServer) -> Target:
    key = server.agent()
    user, _ = server.user()

    def lot() -> list[str]:
        made = prepared.requests(server.services, key.id, user, _HANDLES, approved=True)
        return [poll(key, handle, keep=True).decode() for handle in made]

    assert server.process is not None
    return Target("redemption", server.process.pid, server.port, lot)


if __name__ == "__main__":
    main()

"""`python -m tests.bench.request`: an agent asks, and somebody is to be asked."""

import itertools

from tests.bench.measuring import Target, bare_server, compare, product
from tests.bench.table import run, say, show
from tests.support.installation import PAY
from tests.support.server import LiveServer
from tests.support.volley import post

_BAR = 6.0
_USERS = 300
_REQUESTS = 3_600


def main() -> None:
    """So many users that nobody has more open requests than the default cap allows."""
    say("## Backchannel request (texts, approval, entry, feed event, outbox row)")
    with bare_server() as bare, product() as server:
        show(compare([bare, _target(server)]), bar=_BAR)


def _target(server: LiveServer) -> Target:
    key = server.agent()
    users = itertools.cycle([server.user()[0] for _ in range(_USERS)])
    form = {"scope": "openid payments:read", "resource": PAY, "binding_message": "INV-2291 is due"}

    def lot() -> list[str]:
        asked = [{**form, "login_hint": next(users)} for _ in range(_REQUESTS)]
        return [post("/bc-authorize", key, one, keep=True).decode() for one in asked]

    assert server.process is not None
    return Target("backchannel request", server.process.pid, server.port, lot)


if __name__ == "__main__":
    run(main)

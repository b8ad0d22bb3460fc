"""`python -m tests.bench.hidden_users`: response times for known and unknown users.

An agent that wants to know which users exist sends requests for a known and an unknown user in turn
over one connection. The figure is how often the response for the known user is the slower one: 50 %
means that the agent can only guess.
"""

import contextlib
import http.client
import statistics
import time
from collections.abc import Iterator

from tests.bench.fairness import send
from tests.bench.measuring import product
from tests.bench.table import at_most, run, say
from tests.support.builders.installation import PAY
from tests.support.servers.load import WITHOUT_NOTIFICATION_LIMITS
from tests.support.servers.server import AgentKey, LiveServer

_MAX_RATIO = 1.02
_WARM_UP = 200
_PAIRS = 1_000
_NAMES = 20


def main() -> None:
    """Send pairs of requests; their order changes with each pair."""
    say(f"## Hidden users: {_PAIRS} pairs of requests over HTTP")
    with product(**WITHOUT_NOTIFICATION_LIMITS, unknown_user="hide") as server:
        pairs = list(_pairs(server))
    known_ms, unknown_ms = (statistics.median(side) for side in zip(*pairs, strict=True))
    slower = sum(of_known > of_unknown for of_known, of_unknown in pairs)
    say("| user | p50 ms |")
    say("|---|---|")
    say(f"| known | {known_ms:.3f} |")
    say(f"| unknown | {unknown_ms:.3f} |")
    say("")
    say(f"The slower response was the known user's in {slower / _PAIRS:.1%} of the pairs.")
    at_most("known / unknown:", max(known_ms / unknown_ms, unknown_ms / known_ms), _MAX_RATIO, " x")


def _pairs(server: LiveServer) -> Iterator[tuple[float, float]]:
    key = server.agent()
    known_users = [server.user()[0] for _ in range(_NAMES)]
    unknown = [f"unknown-{number}" for number in range(_NAMES)]
    line = http.client.HTTPConnection("127.0.0.1", server.port, timeout=60)
    with contextlib.closing(line):
        for number in range(_WARM_UP + _PAIRS):
            names = known_users[number % _NAMES], unknown[number % _NAMES]
            if number % 2:
                took = tuple(_took(line, key, name) for name in names)
            else:
                took = tuple(_took(line, key, name) for name in reversed(names))[::-1]
            if number >= _WARM_UP:
                yield took[0], took[1]


def _took(line: http.client.HTTPConnection, key: AgentKey, name: str) -> float:
    """Return the milliseconds until the response arrives."""
    form = {"login_hint": name, "scope": "openid payments:read", "resource": PAY}
    began = time.perf_counter()
    assert "auth_req_id" in send(line, key, "/bc-authorize", form)
    return (time.perf_counter() - began) * 1000


if __name__ == "__main__":
    run(main)

"""`python -m tests.bench.kill_switch`: from disabling an agent to its token being inactive."""

import statistics
import time
from http import HTTPStatus

import httpx

from server.services.clients.agents import Agents
from server.services.resources.resources import NewResourceSecret
from tests.bench.measuring import product
from tests.bench.responses import UnexpectedResponses
from tests.bench.table import at_most, run, say
from tests.support.builders.installation import PAY
from tests.support.servers.server import BY, LiveServer

_AGENTS = 200
_MAX_MS = 50.0
_GRANT = {"grant_type": "client_credentials", "scope": "payments:read"}


def main() -> None:
    """Disable an agent in another process, as `sayso` does, while its resource introspects."""
    say("## Kill switch (agent disabled → its token is inactive at /introspect)")
    with product() as server:
        durations = measure(server, _AGENTS)
    p99 = statistics.quantiles(durations, n=100)[-1]
    say(f"{_AGENTS} agents: p50 {statistics.median(durations):.1f} ms")
    at_most("p99", p99, _MAX_MS, " ms")


def measure(server: LiveServer, agents: int) -> list[float]:
    """Return the milliseconds for each of this many agents."""
    asking = server.resources.rotate_secret(PAY, by=BY, overlap_ms=0)
    with server.client() as http:
        return [_disable(server, http, asking) for _ in range(agents)]


def _disable(server: LiveServer, http: httpx.Client, asking: NewResourceSecret) -> float:
    """Return the milliseconds from the start of the command to the first inactive response."""
    agent = server.agent()
    token = http.post("/token", data=_GRANT, auth=agent.basic).json()["access_token"]
    if not _active(http, asking, token):
        raise UnexpectedResponses(
            "kill switch: the token was inactive before its agent was disabled"
        )
    agents = Agents(server.services.store, server.services.secrets)
    began = time.perf_counter()
    agents.disable(agent.id, by=BY)
    while _active(http, asking, token):
        pass
    return (time.perf_counter() - began) * 1000


def _active(http: httpx.Client, asking: NewResourceSecret, token: str) -> bool:
    secret = (asking.resource.client_id, asking.secret)
    response = http.post("/introspect", data={"token": token}, auth=secret)
    if response.status_code != HTTPStatus.OK:
        raise UnexpectedResponses(
            f"kill switch: expected only 200; got {response.status_code} {response.text}"
        )
    return bool(response.json()["active"])


if __name__ == "__main__":
    run(main)

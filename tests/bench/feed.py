"""`python -m tests.bench.feed`: from an agent's request to the frame at the approver's socket."""

import json
import random
import statistics
import subprocess
import sys
import tempfile
import time
from typing import Any

from approver_tui.client.feed import PATH
from tests.bench.measuring import product
from tests.bench.processes import memory_mib, processor_us, threads
from tests.bench.table import say, verdict
from tests.support.installation import PAY
from tests.support.server import ROOT, LiveServer
from tests.support.terminal import Terminal, new_person
from tests.support.volley import post

_APPROVERS = 100
_REQUESTS = 400
_BAR_MS = 100.0
_IDLE_SECONDS = 5


def main() -> None:
    """A hundred approvers are connected; requests come for one after another."""
    say(f"## Feed: request sent → frame received, {_APPROVERS} approvers connected")
    with product() as server:
        people = [new_person(server) for _ in range(_APPROVERS)]
        _measure(server, people)
        for person in people:
            person.client.close()


def _measure(server: LiveServer, people: list[Terminal]) -> None:
    assert server.process is not None
    process = server.process.pid
    before = threads(process), memory_mib(process)
    with tempfile.NamedTemporaryFile("w", suffix=".json") as file:
        json.dump(_plan(server, people), file)
        file.flush()
        client = subprocess.Popen(
            [sys.executable, "-m", "tests.bench.feed_client", str(server.port), file.name],
            cwd=ROOT,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        with client:
            assert client.stdin is not None
            assert client.stdout is not None
            assert client.stdout.readline() == "ready\n", "the sockets did not open"
            after = threads(process), memory_mib(process)
            idle = processor_us(process)
            time.sleep(_IDLE_SECONDS)
            idle = processor_us(process) - idle
            client.stdin.write("\n")
            client.stdin.flush()
            latencies = sorted(json.loads(client.stdout.readline()))
    _say(latencies, before, after, idle / _IDLE_SECONDS / 10_000)


def _say(
    latencies: list[float], before: tuple[int, float], after: tuple[int, float], idle: float
) -> None:
    p99 = latencies[len(latencies) * 99 // 100]
    each = (after[1] - before[1]) * 1024 / _APPROVERS
    say("| events | p50 ms | p99 ms | longest ms | KiB per socket | idle CPU % |")
    say("|---|---|---|---|---|---|")
    say(
        f"| {len(latencies)} | {statistics.median(latencies):.1f} | {p99:.1f} "
        f"| {latencies[-1]:.1f} | {each:.0f} | {idle:.1f} |"
    )
    verdict("feed p99:", p99, _BAR_MS, " ms")
    verdict("threads that the idle sockets added:", after[0] - before[0], 0)


def _plan(server: LiveServer, people: list[Terminal]) -> dict[str, Any]:
    key = server.agent()
    form = {"scope": "openid payments:read", "resource": PAY}
    chosen = [random.randrange(len(people)) for _ in range(_REQUESTS)]  # noqa: S311  # no secret
    return {
        "approvers": [_socket(server, person) for person in people],
        "requests": [
            {
                "approver": place,
                "request": post(
                    "/bc-authorize", key, {**form, "login_hint": people[place].user}
                ).decode(),
            }
            for place in chosen
        ],
    }


def _socket(server: LiveServer, person: Terminal) -> dict[str, Any]:
    session = person.client.session
    token = session.tokens.access_token()
    proof = session.transport.proof("GET", PATH, token)
    return {
        "url": f"ws://127.0.0.1:{server.port}{PATH}",
        "headers": {"Authorization": f"DPoP {token}", "DPoP": proof},
    }


if __name__ == "__main__":
    main()

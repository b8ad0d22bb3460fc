"""`python -m tests.bench.fairness`: other agents while one agent has 120 connections."""

import base64
import contextlib
import http.client
import json
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from urllib.parse import urlencode

from tests.bench.measuring import product
from tests.bench.table import at_most, run, say
from tests.support.builders.installation import PAY
from tests.support.clients.agent import CIBA, Agent
from tests.support.clients.simultaneous import poll, post
from tests.support.servers.server import ROOT, AgentKey, LiveServer

_MAX_RATIO = 2.0
_CONNECTIONS = 120
_OTHERS = 4
SECONDS = 5.0
_HEADERS = {"Content-Type": "application/x-www-form-urlencoded"}


@dataclass(frozen=True, slots=True)
class Sent:
    """The request that the busy agent repeats, and the expected status."""

    text: str
    status: int


def main() -> None:
    """Time cycles of other agents: a request, a poll of it and a token for the agent itself."""
    say(f"## Other agents ({_OTHERS}) while one agent has {_CONNECTIONS} connections")
    with product() as server:
        user, _ = server.user()
        others = [server.agent() for _ in range(_OTHERS)]
        alone = cycles(server, others, user)
        found = [
            (name, *under_load(server, others, user, request)) for name, request in _attacks(server)
        ]
    _show(alone, found)


def _show(alone: list[float], found: list[tuple[str, list[float], dict[str, int]]]) -> None:
    say("| beside | cycles | p50 ms | p99 ms | ratio of p50 | responses to the other |")
    say("|---|---|---|---|---|---|")
    middle = statistics.median(alone)
    for name, times, responses in [("nothing", alone, {}), *found]:
        p50, p99 = statistics.median(times), sorted(times)[len(times) * 99 // 100]
        say(f"| {name} | {len(times)} | {p50:.1f} | {p99:.1f} | {p50 / middle:.2f} | {responses} |")
    say("")
    for name, times, _ in found:
        at_most(f"beside {name}:", statistics.median(times) / middle, _MAX_RATIO, " x")


def _attacks(server: LiveServer) -> Iterator[tuple[str, Sent]]:
    """Yield requests that the busy agent sends repeatedly."""
    key, (user, _) = server.agent(), server.user()
    request_form = {"login_hint": user, "scope": "openid payments:read", "resource": PAY}
    handle = Agent(key, server.client()).request_approval(user)
    yield "polls", Sent(poll(key, handle, keep=True).decode(), 400)
    yield "requests", Sent(post("/bc-authorize", key, request_form, keep=True).decode(), 200)
    wrong = replace(key, secret="x")
    yield "wrong secrets", Sent(post("/bc-authorize", wrong, request_form, keep=True).decode(), 401)


def under_load(
    server: LiveServer, others: Sequence[AgentKey], user: str, sent: Sent
) -> tuple[list[float], dict[str, int]]:
    """Return the other agents' cycles while one agent sends this, and that agent's responses."""
    with tempfile.NamedTemporaryFile("w", suffix=".json") as file:
        about = {"status": sent.status, "body": ""}
        json.dump({"requests": [sent.text], "again": True, **about}, file)
        file.flush()
        arguments = [str(server.port), str(_CONNECTIONS), str(SECONDS + 2), file.name]
        with subprocess.Popen(
            [sys.executable, "-m", "tests.bench.load_client", *arguments],
            cwd=ROOT,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        ) as client:
            assert client.stdin is not None
            assert client.stdout is not None
            assert client.stdout.readline() == "ready\n"
            client.stdin.write("\n")
            client.stdin.flush()
            time.sleep(1)
            times = cycles(server, others, user)
            result = json.loads(client.stdout.readline())
    return times, result["responses"]


def cycles(server: LiveServer, others: Sequence[AgentKey], user: str) -> list[float]:
    """Return the milliseconds of each cycle of these agents."""
    ends = time.monotonic() + SECONDS
    with ThreadPoolExecutor(len(others)) as threads:
        parts = threads.map(lambda key: list(_cycles_of_agent(server, key, user, ends)), others)
        return [took for part in parts for took in part]


def _cycles_of_agent(server: LiveServer, key: AgentKey, user: str, ends: float) -> Iterator[float]:
    request_form = {"login_hint": user, "scope": "openid payments:read", "resource": PAY}
    token = {"grant_type": "client_credentials", "scope": "payments:read", "resource": PAY}
    line = http.client.HTTPConnection("127.0.0.1", server.port, timeout=60)
    with contextlib.closing(line):
        while time.monotonic() < ends:
            began = time.perf_counter()
            handle = send(line, key, "/bc-authorize", request_form)["auth_req_id"]
            send(line, key, "/token", {"grant_type": CIBA, "auth_req_id": handle})
            send(line, key, "/token", token)
            yield (time.perf_counter() - began) * 1000


def send(
    line: http.client.HTTPConnection, key: AgentKey, path: str, form: dict[str, str]
) -> dict[str, str]:
    """Send a request of an agent; return the JSON of the response."""
    basic = base64.b64encode(f"{key.id}:{key.secret}".encode()).decode()
    line.request("POST", path, urlencode(form), {**_HEADERS, "Authorization": f"Basic {basic}"})
    response: dict[str, str] = json.loads(line.getresponse().read())
    return response


if __name__ == "__main__":
    run(main)

"""`python -m tests.bench.feed`: from an agent's request to the approver's socket and screen.

One approver is the real terminal app in a pseudo-terminal; all others are bare sockets.
"""

import contextlib
import itertools
import json
import os
import random
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from typing import Any

from approver_tui.client.notifications.feed import PATH
from tests.bench.feed_screen import Window
from tests.bench.measuring import product
from tests.bench.processes import memory_mib, processor_us, threads
from tests.bench.responses import check
from tests.bench.table import at_most, run, say
from tests.support.builders.installation import PAY
from tests.support.clients.simultaneous import post
from tests.support.clients.terminal import Terminal, new_person
from tests.support.servers.load import WITHOUT_NOTIFICATION_LIMITS
from tests.support.servers.server import ROOT, AgentKey, LiveServer

_APPROVERS = 100
_REQUESTS = 1_200
_AGENTS = 4
"""One agent may have 500 open requests."""
_SHOWN_REQUESTS = 500
_MAX_MS = 100.0
_MAX_SOCKET_KIB = 50.0
_NOTIFYING = "200 approval.requested, held None"
"""The label of a request that was accepted and whose event notifies the approver."""
_IDLE_SECONDS = 5


def main() -> None:
    """Connect a hundred approvers, and send requests to one after another."""
    say(f"## Feed: from the request to the approver, {_APPROVERS} approvers connected")
    with product(**WITHOUT_NOTIFICATION_LIMITS) as server:
        people = [new_person(server) for _ in range(_APPROVERS)]
        _measure(server, people)
        for person in people:
            person.client.close()


def _measure(server: LiveServer, people: list[Terminal]) -> None:
    """Send the window's requests and those of the others at the same time."""
    assert server.process is not None
    process = server.process.pid
    before = threads(process), memory_mib(process)
    window = Window(server, people[0], server.agent())
    with sockets(server, people[1:]) as client, window:
        after = threads(process), memory_mib(process)
        idle = _idle_percent(process)
        _tell(client, "\n")
        window.measure(_SHOWN_REQUESTS)
        frames = _frames(client)
    _say_ways(frames, window)
    _say_sockets(before, after, idle)


@contextlib.contextmanager
def sockets(server: LiveServer, people: list[Terminal]) -> Iterator[subprocess.Popen[str]]:
    """Run a process with a socket for each user; it sends requests after it reads a line."""
    with tempfile.NamedTemporaryFile("w", suffix=".json") as file:
        json.dump(_plan(server, people), file)
        file.flush()
        with subprocess.Popen(
            [sys.executable, "-m", "tests.bench.feed_client", str(server.port), file.name],
            cwd=ROOT,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        ) as client:
            assert _reported(client) == "ready\n", "the sockets did not open"
            yield client


def _frames(client: subprocess.Popen[str]) -> list[float]:
    """Return the milliseconds until each frame, after all requests were sent."""
    report = json.loads(_reported(client))
    check("feed", _NOTIFYING, report["responses"])
    latencies: list[float] = report["latencies"]
    return latencies


def _tell(client: subprocess.Popen[str], word: str) -> None:
    assert client.stdin is not None
    client.stdin.write(word)
    client.stdin.flush()


def _reported(client: subprocess.Popen[str]) -> str:
    assert client.stdout is not None
    return client.stdout.readline()


def _idle_percent(process: int) -> float:
    before = processor_us(process)
    time.sleep(_IDLE_SECONDS)
    return (processor_us(process) - before) / _IDLE_SECONDS / 10_000


def _say_ways(frames: list[float], window: Window) -> None:
    say("| way | events | p50 ms | p99 ms | longest ms |\n|---|---|---|---|---|")
    for way, latencies in (
        ("request sent → frame received", frames),
        ("request sent → headline on the screen", window.since_sent_ms),
        ("event's own time → headline on the screen", window.since_event_ms),
    ):
        middle, longest = statistics.median(latencies), max(latencies)
        say(f"| {way} | {len(latencies)} | {middle:.1f} | {_p99(latencies):.1f} | {longest:.1f} |")
    say("")
    at_most("frame p99:", _p99(frames), _MAX_MS, " ms")
    at_most("screen p99:", _p99(window.since_event_ms), _MAX_MS, " ms")


def _say_sockets(before: tuple[int, float], after: tuple[int, float], idle: float) -> None:
    each = (after[1] - before[1]) * 1024 / _APPROVERS
    say("| KiB per socket | idle CPU % | load of the machine |\n|---|---|---|")
    say(f"| {each:.0f} | {idle:.1f} | {os.getloadavg()[0]:.1f} |\n")
    at_most("memory of an idle socket:", each, _MAX_SOCKET_KIB, " KiB")
    at_most("threads that the idle sockets added:", after[0] - before[0], 0)


def _p99(latencies: Sequence[float]) -> float:
    return sorted(latencies)[len(latencies) * 99 // 100]


def _plan(server: LiveServer, people: list[Terminal]) -> dict[str, Any]:
    keys = itertools.cycle([server.agent() for _ in range(_AGENTS)])
    chosen = [random.randrange(len(people)) for _ in range(_REQUESTS)]  # noqa: S311  # no secret
    return {
        "approvers": [_socket(server, person) for person in people],
        "requests": [
            {"approver": index, "request": _request(next(keys), people[index].user)}
            for index in chosen
        ],
    }


def _request(key: AgentKey, user: str) -> str:
    form = {"scope": "openid payments:read", "resource": PAY, "login_hint": user}
    return post("/bc-authorize", key, form).decode()


def _socket(server: LiveServer, person: Terminal) -> dict[str, Any]:
    session = person.client.session
    token = session.tokens.access_token()
    proof = session.transport.proof("GET", PATH, token)
    return {
        "url": f"ws://127.0.0.1:{server.port}{PATH}",
        "headers": {"Authorization": f"DPoP {token}", "DPoP": proof},
    }


if __name__ == "__main__":
    run(main)

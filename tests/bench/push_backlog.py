"""`python -m tests.bench.push_backlog`: an approval while ten thousand pushes are queued.

The server, the push services and the measuring client are separate processes. An approval is timed
from sending the signed decision until the agent's long poll has the token: first with an empty
outbox, then while the pushes are sent. Every fifth push goes to a push service that reads a message
and never responds.
"""

import contextlib
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from pathlib import Path

from server.services.notifications import attention
from tests.bench.responses import UnexpectedResponses
from tests.bench.table import at_most, run, say
from tests.support.browsers.web_person import WebPerson, new_web_person
from tests.support.checks.waiting import in_background
from tests.support.clients.agent import Agent, new_agent
from tests.support.fakes.push_service import PushService
from tests.support.servers.load import WITHOUT_LIMITS
from tests.support.servers.server import ROOT, LiveServer, live_server

_PUSHES = 10_000
_ACCEPTING = 4
"""Number of push services that accept messages: one for each of four browser vendors."""
_APPROVALS = 60
_POLL_SETTLE_SECONDS = 0.02
_MAX_RATIO = 1.5
_MAX_P95_MS = 100.0
"""The goal is for the 99th percentile. With sixty approvals that would be the longest one, so the
95th percentile must reach it."""


def main() -> None:
    """Run both measurements on one server, one after the other."""
    say(
        f"## Pushes: an approval while {_PUSHES:,} pushes are queued, a fifth of them for a "
        "service that hangs"
    )
    with push_services() as origins, _server(origins) as server:
        without_load, with_load = measure_both(server, origins, _PUSHES, _APPROVALS)
    at_most("ratio of the medians", slowed(without_load, with_load), _MAX_RATIO, " times")
    at_most("p95 while pushes are sent", p95(with_load), _MAX_P95_MS, " ms")


@contextlib.contextmanager
def push_services() -> Iterator[list[str]]:
    """Run the push services; yield their origins. The first one hangs."""
    with subprocess.Popen(
        [sys.executable, "-m", "tests.bench.fake_push_services", str(_ACCEPTING)],
        cwd=ROOT,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    ) as process:
        assert process.stdout is not None
        yield [f"http://127.0.0.1:{port}" for port in process.stdout.readline().split()]
        process.terminate()


def slowed(without_load: Sequence[float], with_load: Sequence[float]) -> float:
    """Return the ratio of the median approval times, with and without the pushes."""
    return statistics.median(with_load) / statistics.median(without_load)


def p95(taken: Sequence[float]) -> float:
    """Return the 95th percentile."""
    return statistics.quantiles(taken, n=20)[-1]


def measure_both(
    server: LiveServer, origins: Sequence[str], pushes: int, approvals: int
) -> tuple[Sequence[float], Sequence[float]]:
    """Return approval times in milliseconds: with an empty outbox, then while pushes are sent."""
    person, agent = new_web_person(server), new_agent(server)
    subscription_ids = [_subscribed(new_web_person(server), origin) for origin in origins]
    _approve(person, agent)
    say("| outbox | approvals | p50 ms | p95 ms | longest ms |\n|---|---|---|---|---|")
    without_load = _timed("empty", person, agent, approvals)
    _fill(server, subscription_ids, origins, pushes)
    before, began = _pending_count(server), time.monotonic()
    with_load = _timed(f"sending {pushes:,} pushes", person, agent, approvals)
    after, seconds = _pending_count(server), time.monotonic() - began
    say(f"\n{(before - after) / seconds:.0f} pushes sent per second; {after:,} still queued")
    assert after > 0, "the outbox was empty before the end: measure fewer approvals"
    check_accepted(server)
    return without_load, with_load


def check_accepted(server: LiveServer) -> None:
    """Raise `UnexpectedResponses` if a push is dead, because dead pushes reduce the load."""
    if lost := _count(server, "dead"):
        raise UnexpectedResponses(
            f"push backlog: expected only accepted pushes; {lost} were abandoned"
        )


@contextlib.contextmanager
def _server(origins: Sequence[str]) -> Iterator[LiveServer]:
    named = ",".join(origins)
    with (
        tempfile.TemporaryDirectory(prefix="sayso-bench-") as folder,
        live_server(Path(folder), push_origins=named, **WITHOUT_LIMITS) as server,
    ):
        yield server


def _subscribed(person: WebPerson, origin: str) -> str:
    """Subscribe a browser of this person at this push service; return the subscription's ID."""
    port = int(origin.rpartition(":")[2])
    minted = PushService(port).mint().to_json()
    response = person.http.post("/api/push-subscriptions", json=minted)
    assert response.is_success, response.text
    subscription_id: str = response.json()["id"]
    return subscription_id


def _fill(
    server: LiveServer, subscription_ids: Sequence[str], origins: Sequence[str], pushes: int
) -> None:
    """Queue this many pushes, for each of these browsers in turn, in one transaction."""
    with server.services.store.write() as tx:
        for number in range(pushes):
            index = number % len(subscription_ids)
            attention.push(tx, origins[index], subscription_ids[index], attention.TEST)


def _pending_count(server: LiveServer) -> int:
    """Return how many pushes are waiting or being sent."""
    return _count(server, "waiting", "leased")


def _count(server: LiveServer, *states: str) -> int:
    with server.services.store.read() as view:
        counts = view.outbox.counts()
    return sum(counts.get(state, 0) for state in states)


def _timed(name: str, person: WebPerson, agent: Agent, count: int) -> list[float]:
    durations = [_approve(person, agent) for _ in range(count)]
    median = statistics.median(durations)
    say(f"| {name} | {count} | {median:.1f} | {p95(durations):.1f} | {max(durations):.1f} |")
    return durations


def _approve(person: WebPerson, agent: Agent) -> float:
    """Return the milliseconds from the decision to the token in the long poll."""
    handle = agent.request_approval(person.name)
    (waiting,) = person.http.get("/api/approvals").json()["items"]
    assertion = person.assertion(waiting["id"])
    with in_background(lambda: _token(agent, handle)) as held_poll:
        time.sleep(_POLL_SETTLE_SECONDS)
        began = time.perf_counter()
        response = person.decide(waiting["id"], assertion)
        assert response.is_success, response.text
        return (held_poll.result() - began) * 1000


def _token(agent: Agent, handle: str) -> float:
    """Poll until the token arrives; return the time."""
    response = agent.poll(handle, prefer="wait=30")
    assert response.is_success, response.text
    return time.perf_counter()


if __name__ == "__main__":
    run(main)

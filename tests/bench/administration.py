"""`python -m tests.bench.administration`: requests during administrative changes and idle feeds."""

import http.client
import statistics
import threading
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager

from server.services.clients.agents import Agents
from tests.bench import fairness, feed
from tests.bench.measuring import product
from tests.bench.table import at_most, run, say
from tests.support.builders.databases import upgraded_database
from tests.support.builders.installation import PAY
from tests.support.clients.terminal import new_person
from tests.support.servers.postgres import PostgresServer
from tests.support.servers.server import BY, AgentKey, LiveServer

_PEOPLE = 100
_FEEDS_PER_PERSON = 10
_CHANGES = 8
_PAUSE_SECONDS = 0.7
_MAX_MS = 100.0


def main() -> None:
    """Send a request every few milliseconds while an agent is disabled and enabled repeatedly."""
    _measure("SQLite")
    with PostgresServer() as database:
        _measure("PostgreSQL", database_url=upgraded_database(database))


def _measure(database: str, **settings: str) -> None:
    feeds = _PEOPLE * _FEEDS_PER_PERSON
    say(f"## Requests beside administrative changes on {database}, {feeds} idle feeds")
    with product(**settings) as server:
        people = [new_person(server) for _ in range(_PEOPLE)]
        without_feeds = _latencies(server)
        with feed.sockets(server, people * _FEEDS_PER_PERSON) as client:
            without_changes = _latencies(server, changes=0)
            with_changes = _latencies(server)
            client.terminate()
        for person in people:
            person.client.close()
    say("| what | requests | p50 ms | p99 ms | longest ms |\n|---|---|---|---|---|")
    rows = (
        ("no feeds, changes", without_feeds),
        ("feeds, no changes", without_changes),
        ("feeds, changes", with_changes),
    )
    for name, times in rows:
        p99 = sorted(times)[len(times) * 99 // 100]
        middle = statistics.median(times)
        say(f"| {name} | {len(times)} | {middle:.1f} | {p99:.1f} | {max(times):.1f} |")
    say("")
    at_most(f"{database}, longest beside feeds and changes:", max(with_changes), _MAX_MS, " ms")


def _latencies(server: LiveServer, changes: int = _CHANGES) -> list[float]:
    """Return the milliseconds of each request until the changes have ended."""
    key = server.agent()
    with _changing(server, server.agent().name, changes) as over:
        return list(_requests(server, key, over))


@contextmanager
def _changing(server: LiveServer, agent: str, changes: int) -> Iterator[threading.Event]:
    over = threading.Event()

    def change() -> None:
        for number in range(_CHANGES):
            time.sleep(_PAUSE_SECONDS)
            if number < changes:
                _switch(server, agent, on=number % 2 == 1)
        time.sleep(_PAUSE_SECONDS)
        over.set()

    thread = threading.Thread(target=change)
    thread.start()
    yield over
    thread.join()


def _switch(server: LiveServer, agent: str, *, on: bool) -> None:
    agents = Agents(server.services.store, server.services.secrets, lambda _: None)
    (agents.enable if on else agents.disable)(agent, by=BY)


def _requests(server: LiveServer, key: AgentKey, over: threading.Event) -> Iterator[float]:
    form = {"grant_type": "client_credentials", "scope": "payments:read", "resource": PAY}
    line = http.client.HTTPConnection("127.0.0.1", server.port, timeout=60)
    with closing(line):
        while not over.is_set():
            began = time.perf_counter()
            assert fairness.send(line, key, "/token", form)["access_token"]
            yield (time.perf_counter() - began) * 1000
            time.sleep(0.005)


if __name__ == "__main__":
    run(main)

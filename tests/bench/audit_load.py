"""`python -m tests.bench.audit_load`: the cost of the audit log, and its delay."""

import tempfile
import threading
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import replace
from pathlib import Path

from server.services.audit import lag
from tests.bench import request
from tests.bench.measuring import compare, product
from tests.bench.table import at_most, growth, run, say
from tests.support.builders.databases import upgraded_database
from tests.support.servers.load import WITHOUT_LIMITS, WITHOUT_NOTIFICATION_LIMITS
from tests.support.servers.postgres import PostgresServer
from tests.support.servers.server import LiveServer, live_server

_MAX_RATIO = 1.1
_MAX_AGE_MS = 500
_INTERVAL_SECONDS = 0.01


def main() -> None:
    """Measure with backchannel requests, each of which writes an entry."""
    say("## Audit log (requests with and without it; entries until they have their place)")
    _cost()
    _sequencing()


def _cost() -> None:
    """Compare with a server that stores no entries, round by round."""
    with tempfile.TemporaryDirectory() as folder, product(**WITHOUT_NOTIFICATION_LIMITS) as server:
        settings, options = (
            {**WITHOUT_LIMITS, **WITHOUT_NOTIFICATION_LIMITS},
            ("--seed", "no_entries"),
        )
        with live_server(Path(folder), options=options, **settings) as other:
            without = replace(request.target(other), name="without the log")
            targets = [without, request.target(server)]
            growth(compare(targets), max_ratio=_MAX_RATIO)


def _sequencing() -> None:
    """On PostgreSQL, measure the age of the oldest unnumbered entry every ten milliseconds."""
    with ExitStack() as running:
        database = running.enter_context(PostgresServer())
        folder = Path(running.enter_context(tempfile.TemporaryDirectory()))
        settings = {
            **WITHOUT_LIMITS,
            **WITHOUT_NOTIFICATION_LIMITS,
            "database_url": upgraded_database(database),
        }
        server = running.enter_context(live_server(folder, **settings))
        target = request.target(server)
        with _ages(server) as ages:
            (figures,) = compare([target], rounds=2)
    say(f"{figures.count} requests, CPU {figures.cpu_us:.0f} µs each; {len(ages)} looks")
    ages.sort()
    at_most(
        "age of the oldest entry without a sequence number, p50",
        ages[len(ages) // 2],
        _MAX_AGE_MS,
        " ms",
    )
    at_most(
        "age of the oldest entry without a sequence number, p99",
        ages[-len(ages) // 100],
        _MAX_AGE_MS,
        " ms",
    )


@contextmanager
def _ages(server: LiveServer) -> Iterator[list[int]]:
    """While the block runs, record how long the oldest unnumbered entry has waited."""
    ages, over = list[int](), threading.Event()

    def look() -> None:
        while not over.wait(_INTERVAL_SECONDS):
            with server.services.store.read() as view:
                ages.append(lag.measure_lag(view, view.audit_log.size()).milliseconds)

    thread = threading.Thread(target=look)
    thread.start()
    try:
        yield ages
    finally:
        over.set()
        thread.join()


if __name__ == "__main__":
    run(main)

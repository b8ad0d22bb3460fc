"""Several servers trim the audit log of the same database."""

import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

from server.model.audit import Entry, EntrySearch
from server.services.audit.audit import Type
from server.services.audit.log import AuditLog
from server.services.audit.retention import KEPT_TYPES, MIN_AGE_DAYS, RetentionSchedule
from server.storage.store import SqlStore
from tests.support.builders.clock import DAY, MovableClock

WORKERS = 4


def test_several_servers_write_one_announcement_and_delete_what_it_names(
    url: str, open_database: Callable[[str], SqlStore], clock: MovableClock
) -> None:
    """Trimming is due on all servers at the same time."""
    stores = [open_database(url) for _ in range(WORKERS)]
    schedules = [RetentionSchedule(store, MIN_AGE_DAYS) for store in stores]
    log = AuditLog(stores[0], "https://sayso.example", lambda: b"k" * 32)

    def sign() -> None:
        stores[0].sequence()
        log.sign()

    for number in range(20):
        with stores[0].write() as tx:
            tx.audit.add(Entry(f"type.{number}", "operator"))
    sign()
    clock.forward(MIN_AGE_DAYS * DAY + 1)
    _run_at_the_same_time(schedules)
    with stores[0].read() as view:
        (announced,) = view.audit.search(EntrySearch(type=Type.AUDIT_TRIMMED), None, 9)
        assert view.audit.count_bodies(20, KEPT_TYPES) == 20
    assert (announced.actor, announced.members["facts"]) == ("system", {"before": 20})
    sign()
    _run_at_the_same_time(schedules)
    with stores[0].read() as view:
        assert view.audit.count_bodies(20, KEPT_TYPES) == 0
        assert [entry.id for entry in view.audit.tail(99)] == [announced.id]


def _run_at_the_same_time(schedules: list[RetentionSchedule]) -> None:
    start = threading.Barrier(WORKERS)

    def run(schedule: RetentionSchedule) -> None:
        start.wait()
        schedule.round()

    with ThreadPoolExecutor(WORKERS) as pool:
        list(pool.map(run, schedules))

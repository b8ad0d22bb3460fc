"""The background loops of a worker. Each loop has metrics and continues after an error."""

import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

from server import telemetry
from server.app import Services
from server.delivery.audit_streams import FOLDER, positions
from server.delivery.outbox import OutboxWorker
from server.model.store import Busy
from server.rollback_guard import RollbackGuard
from server.services.audit.retention import RetentionSchedule
from server.services.audit.streams import AuditStream, Position
from server.services.clients.app_expiry import UnknownAppExpiry
from server.services.notifications.feed import ANY_CHANGE, Hub
from server.services.refusals import Invalid
from server.settings import Settings
from server.storage.store import SqlStore

MAX_BEHIND_MS: Final = 60_000
"""How far a required stream may lag behind."""


@dataclass(frozen=True, slots=True)
class StreamWatch:
    """Measures the streams in this data folder. Refuses changes while a required stream lags."""

    settings: Settings
    store: SqlStore

    def round(self) -> None:
        """Set the metrics, and refuse new entries while a required stream lags behind."""
        required = self.settings.required_streams
        try:
            stored_positions = positions(self.settings.data_dir / FOLDER)
        except (Invalid, OSError) as error:
            self.store.refuse_entries(str(error) if required else "")
            raise
        source = AuditStream(self.store)
        lags = {name: source.lag(position) for name, position in stored_positions.items()}
        for name, lag in lags.items():
            telemetry.UNSENT_ENTRIES.labels(name).set(lag.entries)
            telemetry.UNSENT_SECONDS.labels(name).set(lag.milliseconds / 1000)
        lags |= {name: source.lag(Position()) for name in required - lags.keys()}
        late_streams = sorted(name for name in required if lags[name].milliseconds > MAX_BEHIND_MS)
        self.store.refuse_entries(
            f"The audit stream {late_streams[0]} is behind." if late_streams else ""
        )


OUTBOX_PAUSE: Final = 0.05
"""The pause between two outbox batches (s), so that requests are served."""
BETWEEN_DELIVERIES: Final = 0.005
"""The pause between starts of deliveries (s). A delivery uses the CPU for about half as long."""
AFTER_ERROR: Final = 1.0
"""The additional pause after an error (s)."""


@dataclass(frozen=True, slots=True)
class Loop:
    """A function that runs repeatedly, with `pause` seconds in between."""

    name: str
    run: Callable[[], object]
    pause: float


def start(services: Services, outbox: OutboxWorker) -> None:
    """Start all loops of this process."""
    threading.Thread(target=services.store.wake.watch, name="watch", daemon=True).start()
    for loop in _loops(services, outbox):
        threading.Thread(target=_run_forever, args=(loop,), name=loop.name, daemon=True).start()


def run_concurrently(work: Callable[[], None]) -> None:
    """Start a delivery in a thread, then pause so that requests are served."""
    threading.Thread(target=work, name="delivery", daemon=True).start()
    time.sleep(BETWEEN_DELIVERIES)


def _loops(services: Services, outbox: OutboxWorker) -> list[Loop]:
    days = services.settings.audit_retention_days
    loops = [
        Loop("hub", services.hub.round, 0),
        Loop("expiry", services.sweeper.round, 1),
        Loop("escalations", services.escalations.round, 1),
        Loop("orphan quarantine", services.orphan_quarantine.round, 10),
        Loop("unused clients", UnknownAppExpiry(services.store).round, 60),
        Loop("audit log", services.audit_log.round, 1),
        Loop("audit retention", RetentionSchedule(services.store, days).round, 60),
        Loop("audit streams", StreamWatch(services.settings, services.store).round, 2),
        Loop("tidy", services.sweeper.tidy, 60),
        Loop("last seen", RollbackGuard(services.settings, services.store).note, 10),
        Loop("outbox", _OnChange(services.hub, outbox.round, OUTBOX_PAUSE).round, 0),
    ]
    if not services.settings.on_sqlite:
        sequencer = _OnChange(services.hub, services.store.sequence)
        loops.append(Loop("sequencer", sequencer.round, 0))
    return loops


@dataclass(frozen=True, slots=True)
class _OnChange:
    hub: Hub
    work: Callable[[], int]
    pause: float = 0
    """The pause between two runs (s)."""

    def round(self) -> None:
        """Work until there is nothing to do, then wait for a change for at most a second."""
        with self.hub.subscribe(ANY_CHANGE) as changed:
            while self.work():
                time.sleep(self.pause)
            time.sleep(self.pause)
            changed.wait(1.0)


def _run_forever(loop: Loop) -> None:
    while True:
        time.sleep(run_once(loop))


def run_once(loop: Loop) -> float:
    """Run a loop's function once, with metrics; return the pause before the next run (s)."""
    try:
        loop.run()
    except Busy as busy:  # the database is locked or unavailable; the next run retries
        telemetry.log().warning("loop.waits", loop=loop.name, reason=str(busy))
        outcome = "busy"
    except Exception:  # noqa: BLE001  # the loop continues; the failure is counted
        telemetry.log().exception("loop.failed", loop=loop.name)
        outcome = "failed"
    else:
        outcome = "done"
        telemetry.LOOP_LAST.labels(loop.name).set_to_current_time()
    telemetry.LOOP_RUNS.labels(loop.name, outcome).inc()
    return loop.pause if outcome == "done" else loop.pause + AFTER_ERROR

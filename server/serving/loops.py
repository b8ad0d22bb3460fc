"""The background loops of a worker. Each shows in /metrics; none ends because of one bad round."""

import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

from server import telemetry
from server.app import Services
from server.delivery.outbox import OutboxWorker
from server.last_seen import LastSeen
from server.model.store import Busy
from server.services.notifications.feed import ANY_CHANGE, Hub

OUTBOX_BREATH: Final = 0.05
"""However much waits to leave, whoever asks is served between two lots of it (s)."""
BETWEEN_DELIVERIES: Final = 0.005
"""Each delivery takes the processor for about half as long before it first waits (s)."""
AFTER_A_BAD_ROUND: Final = 1.0
"""A round that could not end is tried again after this much longer (s)."""


@dataclass(frozen=True, slots=True)
class Loop:
    """Something that is done again and again, `pause` seconds apart."""

    name: str
    run: Callable[[], object]
    pause: float


def start(services: Services, outbox: OutboxWorker) -> None:
    """Begin all loops of this process."""
    threading.Thread(target=services.store.wake.watch, name="watch", daemon=True).start()
    for loop in _loops(services, outbox):
        threading.Thread(target=_forever, args=(loop,), name=loop.name, daemon=True).start()


def beside(work: Callable[[], None]) -> None:
    """Begin it, and do not wait for it; whoever asks is served before the next one begins."""
    threading.Thread(target=work, name="delivery", daemon=True).start()
    time.sleep(BETWEEN_DELIVERIES)


def _loops(services: Services, outbox: OutboxWorker) -> list[Loop]:
    loops = [
        Loop("hub", services.hub.round, 0),
        Loop("expiry", services.sweeper.round, 1),
        Loop("escalations", services.escalations.round, 1),
        Loop("successions", services.successions.round, 10),
        Loop("tidy", services.sweeper.tidy, 60),
        Loop("last seen", LastSeen(services.settings, services.store).note, 10),
        Loop("outbox", _OnChange(services.hub, outbox.round, OUTBOX_BREATH).round, 0),
    ]
    if not services.settings.on_sqlite:
        number = _OnChange(services.hub, services.store.sequence)
        loops.append(Loop("sequencer", number.round, 0))
    return loops


@dataclass(frozen=True, slots=True)
class _OnChange:
    hub: Hub
    work: Callable[[], int]
    breath: float = 0
    """How long others are served between two rounds (s); a first change is worked on at once."""

    def round(self) -> None:
        """Work until there is nothing to do, then wait for a change, at most a second."""
        with self.hub.subscribe(ANY_CHANGE) as changed:
            while self.work():
                time.sleep(self.breath)
            time.sleep(self.breath)
            changed.wait(1.0)


def _forever(loop: Loop) -> None:
    while True:
        time.sleep(once(loop))


def once(loop: Loop) -> float:
    """One round, noted and counted; returns how long to rest before the next one (s)."""
    try:
        loop.run()
    except Busy as busy:  # others hold the database: nothing is broken, and the next round tells
        telemetry.log().warning("loop.waits", loop=loop.name, reason=str(busy))
        outcome = "busy"
    except Exception:  # noqa: BLE001  # a loop outlives its rounds; the failure is counted
        telemetry.log().exception("loop.failed", loop=loop.name)
        outcome = "failed"
    else:
        outcome = "done"
        telemetry.LOOP_LAST.labels(loop.name).set_to_current_time()
    telemetry.LOOP_RUNS.labels(loop.name, outcome).inc()
    return loop.pause if outcome == "done" else loop.pause + AFTER_A_BAD_ROUND

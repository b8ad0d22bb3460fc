"""The background loops of a worker. Each shows in /metrics; none ends because of one bad round."""

import threading
import time
from collections.abc import Callable
from dataclasses import dataclass

from server import telemetry
from server.app import Services
from server.delivery.outbox import OutboxWorker
from server.services.feed import ANY_CHANGE, Hub


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
    """Begin it, and do not wait for it."""
    threading.Thread(target=work, name="delivery", daemon=True).start()


def _loops(services: Services, outbox: OutboxWorker) -> list[Loop]:
    loops = [
        Loop("hub", services.hub.round, 0),
        Loop("expiry", services.sweeper.round, 1),
        Loop("tidy", services.sweeper.tidy, 60),
        Loop("outbox", _OnChange(services.hub, outbox.round).round, 0),
    ]
    if not services.settings.on_sqlite:
        number = _OnChange(services.hub, services.store.sequence)
        loops.append(Loop("sequencer", number.round, 0))
    return loops


@dataclass(frozen=True, slots=True)
class _OnChange:
    hub: Hub
    work: Callable[[], int]

    def round(self) -> None:
        """Work until there is nothing to do, then wait for a change, at most a second."""
        with self.hub.subscribe(ANY_CHANGE) as changed:
            while self.work():
                pass
            changed.wait(1.0)


def _forever(loop: Loop) -> None:
    while True:
        try:
            loop.run()
        except Exception:  # noqa: BLE001  # a loop outlives its rounds; the failure is counted
            telemetry.log().exception("loop.failed", loop=loop.name)
            telemetry.LOOP_RUNS.labels(loop.name, "failed").inc()
            time.sleep(1)
        else:
            telemetry.LOOP_RUNS.labels(loop.name, "done").inc()
            telemetry.LOOP_LAST.labels(loop.name).set_to_current_time()
        if loop.pause:
            time.sleep(loop.pause)

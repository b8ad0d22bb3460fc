"""A background loop outlives its rounds, and says of each how it ended."""

import pytest
from structlog.testing import capture_logs

from server import telemetry
from server.model.store import Busy
from server.serving import loops
from server.serving.loops import AFTER_ERROR, BETWEEN_DELIVERIES, Loop, run_concurrently, run_once
from tests.support.checks.waiting import until

PAUSE = 3.0


def _rounds(loop: Loop, outcome: str) -> float:
    return float(telemetry.LOOP_RUNS.labels(loop.name, outcome)._value.get())


def _raising(error: Exception) -> Loop:
    def run() -> None:
        raise error

    return Loop(f"raises {type(error).__name__}", run, PAUSE)


def test_a_round_that_was_done_is_followed_after_the_pause() -> None:
    """Counted, and its moment is kept."""
    loop = Loop("does nothing", lambda: None, PAUSE)
    assert run_once(loop) == PAUSE
    assert _rounds(loop, "done") == 1
    assert telemetry.LOOP_LAST.labels(loop.name)._value.get() > 0


@pytest.mark.parametrize(
    ("error", "outcome", "event"),
    [
        (Busy("Another process has locked the database."), "busy", "loop.waits"),
        (KeyError("x"), "failed", "loop.failed"),
    ],
)
def test_a_round_that_could_not_end_is_counted_and_tried_again_a_little_later(
    error: Exception, outcome: str, event: str
) -> None:
    """A database that others hold is a matter of time, and no fault with a traceback."""
    loop = _raising(error)
    with capture_logs() as said:
        assert run_once(loop) == PAUSE + AFTER_ERROR

    (line,) = said
    assert line["event"] == event
    assert line["loop"] == loop.name
    assert ("exc_info" in line) == (outcome == "failed")
    assert _rounds(loop, outcome) == 1
    assert _rounds(loop, "done") == 0


def test_whoever_asks_is_served_between_two_deliveries(monkeypatch: pytest.MonkeyPatch) -> None:
    """A lot that was begun at once would keep the processor from them until all had left."""
    done: list[str] = []
    slept: list[float] = []
    monkeypatch.setattr(loops.time, "sleep", slept.append)
    for name in ("first", "second"):
        run_concurrently(lambda name=name: done.append(name))  # type: ignore[misc]  # a default binds it now
    monkeypatch.undo()
    until(lambda: sorted(done) == ["first", "second"])
    assert slept == [BETWEEN_DELIVERIES] * 2

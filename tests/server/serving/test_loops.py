"""A background loop continues after failed rounds and reports the outcome of each round."""

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


def _failing_loop(error: Exception) -> Loop:
    def run() -> None:
        raise error

    return Loop(f"raises {type(error).__name__}", run, PAUSE)


def test_a_finished_round_is_followed_by_the_pause() -> None:
    """The round is counted, and its time is recorded."""
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
def test_a_failed_round_is_counted_and_retried_later(
    error: Exception, outcome: str, event: str
) -> None:
    """A locked database is not an error and has no traceback in the log."""
    loop = _failing_loop(error)
    with capture_logs() as log:
        assert run_once(loop) == PAUSE + AFTER_ERROR

    (line,) = log
    assert line["event"] == event
    assert line["loop"] == loop.name
    assert ("exc_info" in line) == (outcome == "failed")
    assert _rounds(loop, outcome) == 1
    assert _rounds(loop, "done") == 0


def test_deliveries_pause_so_that_requests_are_served_between_them(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """A batch that starts all deliveries together would use the CPU until they are done."""
    done: list[str] = []
    pauses: list[float] = []
    monkeypatch.setattr(loops.time, "sleep", pauses.append)
    for name in ("first", "second"):
        run_concurrently(lambda name=name: done.append(name))  # type: ignore[misc]  # a default binds it now
    monkeypatch.undo()
    until(lambda: sorted(done) == ["first", "second"])
    assert pauses == [BETWEEN_DELIVERIES] * 2

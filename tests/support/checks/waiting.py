"""Waits for a condition, and no longer than necessary."""

import time
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from typing import TypeVar

_FIRST_PAUSE_SECONDS, _MAX_PAUSE_SECONDS = 0.005, 0.05
"""The pauses get longer, because checking the condition also takes time."""

Result = TypeVar("Result")


def until(condition: Callable[[], Result], seconds: float = 60.0) -> Result:
    """Return the first true value of `condition`. Raises AssertionError after the timeout."""
    deadline, pause = time.monotonic() + seconds, _FIRST_PAUSE_SECONDS
    while not (value := condition()):
        assert time.monotonic() < deadline, f"still {value!r} after {seconds} seconds"
        time.sleep(pause)
        pause = min(1.5 * pause, _MAX_PAUSE_SECONDS)
    return value


@contextmanager
def in_background(work: Callable[[], Result]) -> Iterator[Future[Result]]:
    """Run `work` in a thread while the block runs. The end of the block waits for it."""
    with ThreadPoolExecutor(1) as threads:
        yield threads.submit(work)

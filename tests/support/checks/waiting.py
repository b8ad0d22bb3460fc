"""Waiting for something to become true, and no longer than it takes."""

import time
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from typing import TypeVar

_FIRST_PAUSE_SECONDS, _LONGEST_PAUSE_SECONDS = 0.005, 0.05
"""Each pause is longer than the one before: asking costs what is asked time too."""

Result = TypeVar("Result")


def until(condition: Callable[[], Result], seconds: float = 60.0) -> Result:
    """Return the first true answer of `condition`; AssertionError when it takes too long."""
    ends, pause = time.monotonic() + seconds, _FIRST_PAUSE_SECONDS
    while not (answer := condition()):
        assert time.monotonic() < ends, f"still {answer!r} after {seconds} seconds"
        time.sleep(pause)
        pause = min(1.5 * pause, _LONGEST_PAUSE_SECONDS)
    return answer


@contextmanager
def meanwhile(work: Callable[[], Result]) -> Iterator[Future[Result]]:
    """Do `work` in a thread while the block runs; the block's end waits for it."""
    with ThreadPoolExecutor(1) as threads:
        yield threads.submit(work)

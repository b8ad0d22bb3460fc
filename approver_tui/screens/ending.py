"""What ends the app from outside: a terminal that is closed, a machine that shuts down, `kill`.

Owns: hearing of it while the app runs, once. Never: what has to be done before the end.
"""

import asyncio
import os
import signal
import sys
from collections.abc import Callable

_STANDARD = (0, 1, 2)


def heed(end: Callable[[], None]) -> None:
    """Call `end` in the running loop when the first such signal comes, instead of dying of it.

    A shell that is closed with its terminal hands the signal on, so it comes twice; only the first
    counts. One that the program was started to ignore stays ignored.
    """
    if sys.platform == "win32":
        return
    loop = asyncio.get_running_loop()
    ending = _Ending(end)
    for number in (signal.SIGHUP, signal.SIGTERM):
        if signal.getsignal(number) is signal.SIG_DFL:
            loop.add_signal_handler(number, ending.comes, number)


class _Ending:
    """An end that comes once."""

    def __init__(self, end: Callable[[], None]) -> None:
        self._end = end
        self._has_come = False

    def comes(self, number: int) -> None:
        """Hear of it; where the terminal is gone, what is still drawn goes nowhere."""
        if self._has_come:
            return
        self._has_come = True
        if sys.platform != "win32" and number == signal.SIGHUP:
            _draw_nowhere()
        self._end()


def _draw_nowhere() -> None:
    """A write to a terminal that is gone fails, and the app would wait for it for ever."""
    nowhere = os.open(os.devnull, os.O_RDWR)
    for standard in _STANDARD:
        os.dup2(nowhere, standard)
    os.close(nowhere)

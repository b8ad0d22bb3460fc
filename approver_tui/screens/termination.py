"""What ends the app from outside: a terminal that is closed, a machine that shuts down, `kill`.

Owns: hearing of it while the app runs, once; that nothing waits for a terminal that is gone.
Never: what has to be done before the end.
"""

import asyncio
import os
import signal
import sys
from collections.abc import Callable
from contextlib import suppress
from typing import TYPE_CHECKING, TextIO

if TYPE_CHECKING:
    from textual.driver import Driver

_STANDARD = (0, 1, 2)


def on_termination(end: Callable[[], None]) -> None:
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


def tolerate_closed_terminal(driver: "type[Driver]") -> "type[Driver]":
    """Return that driver, whose writing goes on, to nobody, when the terminal is gone.

    Textual writes in a thread that a failed write would end; the app would then wait for room in
    its queue for ever, and what it still has to send with it.
    """

    class Outlasting(driver):  # type: ignore[misc,valid-type]  # mypy knows no classes made from others
        def __init__(self, *given: object, **named: object) -> None:
            super().__init__(*given, **named)
            if (file := getattr(self, "_file", None)) is not None:
                self._file = _Screen(file)

    return Outlasting


class _Screen:
    """Where the app draws, while there is somebody to see it."""

    def __init__(self, file: TextIO) -> None:
        self._file = file

    def fileno(self) -> int:
        return self._file.fileno()

    def write(self, text: str) -> None:
        with suppress(OSError):
            self._file.write(text)

    def flush(self) -> None:
        with suppress(OSError):
            self._file.flush()


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
    """What is read from a terminal that is gone fails, and so does a last word to it."""
    nowhere = os.open(os.devnull, os.O_RDWR)
    for standard in _STANDARD:
        os.dup2(nowhere, standard)
    os.close(nowhere)

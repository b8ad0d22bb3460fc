"""Handles what ends the app from outside: a closed terminal, a shutdown, `kill`.

Owns: handling the signal once while the app runs; writing to a terminal that is gone. Never: what
must be done before the exit.
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
    """Call `end` in the running loop at the first such signal, instead of dying.

    A shell that closes with its terminal forwards the signal, so it comes twice; only the first
    counts. A signal that was ignored at the start stays ignored.
    """
    if sys.platform == "win32":
        return
    loop = asyncio.get_running_loop()
    ending = _Ending(end)
    for number in (signal.SIGHUP, signal.SIGTERM):
        if signal.getsignal(number) is signal.SIG_DFL:
            loop.add_signal_handler(number, ending.comes, number)


def tolerate_closed_terminal(driver: "type[Driver]") -> "type[Driver]":
    """Return a driver that keeps running, without output, when the terminal is gone.

    Textual writes in a thread that a failed write would end; the app would then wait forever for
    room in its queue, together with what it still has to send.
    """

    class Outlasting(driver):  # type: ignore[misc,valid-type]  # mypy knows no classes made from others
        def __init__(self, *given: object, **named: object) -> None:
            super().__init__(*given, **named)
            if (file := getattr(self, "_file", None)) is not None:
                self._file = _Screen(file)

    return Outlasting


class _Screen:
    """The output of the app, while there is a terminal."""

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
    """A termination that is handled once."""

    def __init__(self, end: Callable[[], None]) -> None:
        self._end = end
        self._has_come = False

    def comes(self, number: int) -> None:
        """Handle it; if the terminal is gone, discard further output."""
        if self._has_come:
            return
        self._has_come = True
        if sys.platform != "win32" and number == signal.SIGHUP:
            _draw_nowhere()
        self._end()


def _draw_nowhere() -> None:
    """Redirect input and output, because both fail on a terminal that is gone."""
    nowhere = os.open(os.devnull, os.O_RDWR)
    for standard in _STANDARD:
        os.dup2(nowhere, standard)
    os.close(nowhere)

"""Handles what ends the app from outside: a closed terminal, a shutdown, `kill`.

Owns: handling it once while the app runs; reading from and writing to a terminal that is gone, or
that has another encoding than UTF-8. Never: what must be done before the exit.
"""

import asyncio
import codecs
import os
import select
import signal
import sys
from collections.abc import Callable
from contextlib import suppress
from functools import partial
from types import ModuleType
from typing import TYPE_CHECKING, TextIO

if TYPE_CHECKING:
    from textual.driver import Driver

_STANDARD_STREAMS = (0, 1, 2)


def on_termination(end: Callable[[], None]) -> Callable[[], None]:
    """Call `end` in the running loop at the first such signal, instead of dying.

    A shell that closes with its terminal forwards the signal, so it comes twice; only the first
    counts. A signal that was ignored at the start, as by `nohup`, stays ignored: call the returned
    function now and then, which ends the app if its terminal is gone.
    """
    handler = _TerminationHandler(end)
    if sys.platform != "win32":
        loop = asyncio.get_running_loop()
        for number in (signal.SIGHUP, signal.SIGTERM):
            if signal.getsignal(number) is signal.SIG_DFL:
                loop.add_signal_handler(number, handler.handle, number)
    return handler.check_terminal


def tolerate_closed_terminal(driver: "type[Driver]") -> "type[Driver]":
    """Return a driver that keeps running, without output, when the terminal is gone.

    Textual writes in a thread that a failed write would end; the app would then wait forever for
    room in its queue, together with what it still has to send.
    """

    class TolerantDriver(driver):  # type: ignore[misc,valid-type]  # mypy knows no classes made from others
        def __init__(self, *args: object, **kwargs: object) -> None:
            super().__init__(*args, **kwargs)
            _decode_as_terminal(sys.modules[driver.__module__])
            if (file := getattr(self, "_file", None)) is not None:
                self._file = _TolerantOutput(file)

    return TolerantDriver


def _decode_as_terminal(module: ModuleType) -> None:
    """Read keys in the encoding of the terminal.

    Textual's driver reads UTF-8 only, and a letter in Latin-1 would end it.
    """
    encoding = getattr(sys.__stdin__, "encoding", None) or "utf-8"
    if hasattr(module, "getincrementaldecoder"):
        decoder = partial(codecs.getincrementaldecoder(encoding), errors="replace")
        module.getincrementaldecoder = lambda _utf8: decoder  # type: ignore[attr-defined]  # replaced


class _TolerantOutput:
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


class _TerminationHandler:
    """A termination that is handled once."""

    def __init__(self, end: Callable[[], None]) -> None:
        self._end = end
        self._is_handled = False

    def handle(self, number: int) -> None:
        """Handle it; if the terminal is gone, discard further output."""
        if self._is_handled:
            return
        self._is_handled = True
        if sys.platform != "win32" and number == signal.SIGHUP:
            _redirect_to_null()
        self._end()

    def check_terminal(self) -> None:
        """Handle a terminal that is gone like its signal.

        Textual reads an end of file from it again and again, as fast as the processor can.
        """
        if sys.platform == "win32":
            return
        hang_up = select.poll()
        hang_up.register(_STANDARD_STREAMS[0], 0)  # reported whether or not it is asked for
        if hang_up.poll(0):
            self.handle(signal.SIGHUP)


def _redirect_to_null() -> None:
    """Redirect input and output, because both fail on a terminal that is gone."""
    null = os.open(os.devnull, os.O_RDWR)
    for standard in _STANDARD_STREAMS:
        os.dup2(null, standard)
    os.close(null)

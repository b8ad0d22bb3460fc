"""Handles termination from outside: a closed terminal, a shutdown, `kill`.

Owns: handling termination once while the app runs; tolerating a terminal that is gone or not
UTF-8. Never: the work that the app must do before it exits.
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
    """Call `end` in the running loop on the first SIGHUP or SIGTERM, instead of dying.

    A shell that closes with its terminal forwards the signal, so it arrives twice; only the first
    one counts. A signal that was ignored at the start, as with `nohup`, stays ignored. Therefore
    call the returned function regularly; it ends the app if the terminal is gone.
    """
    handler = _TerminationHandler(end)
    if sys.platform != "win32":
        loop = asyncio.get_running_loop()
        for number in (signal.SIGHUP, signal.SIGTERM):
            if signal.getsignal(number) is signal.SIG_DFL:
                loop.add_signal_handler(number, handler.handle, number)
    return handler.check_terminal


def tolerate_closed_terminal(driver: "type[Driver]") -> "type[Driver]":
    """Return a driver class that keeps running, without output, after the terminal is gone.

    Textual writes in a thread, and a failed write would end that thread. The app would then block
    forever on its full queue and never send the answers that are still waiting.

    Textual also starts its threads again on every SIGCONT, which a closing terminal sends after
    SIGHUP. Only the newest input thread is told to end, so the process could remain after its exit.
    """

    class TolerantDriver(_SilentWhenClosed, driver):  # type: ignore[misc,valid-type]  # mypy rejects a variable as base class
        def __init__(self, *args: object, **kwargs: object) -> None:
            super().__init__(*args, **kwargs)
            _decode_as_terminal(sys.modules[driver.__module__])
            if (file := getattr(self, "_file", None)) is not None:
                self._file = _TolerantOutput(file)

        def _sigtstp_application(self, *_: object) -> None:
            """Suspend from the event loop: a signal can interrupt a write, which holds a lock."""
            self._loop.call_soon_threadsafe(super()._sigtstp_application)

        def _sigcont_application(self, *_: object) -> None:
            """Resume from the event loop."""
            self._loop.call_soon_threadsafe(self._restart)

        def _restart(self) -> None:
            """Take over the terminal again, unless the app has ended or runs another program."""
            thread = self._key_thread
            is_running = self._auto_restart and thread is not None and thread.is_alive()
            if is_running:
                self.suspend_application_mode()
            if is_running or self._must_signal_resume:
                self.resume_application_mode()

    return TolerantDriver


def _decode_as_terminal(module: ModuleType) -> None:
    """Make Textual's driver decode keys in the encoding of the terminal.

    The driver itself decodes only UTF-8, and a Latin-1 letter would crash it.
    """
    encoding = getattr(sys.__stdin__, "encoding", None) or "utf-8"
    if hasattr(module, "getincrementaldecoder"):
        decoder = partial(codecs.getincrementaldecoder(encoding), errors="replace")
        module.getincrementaldecoder = lambda _utf8: decoder  # type: ignore[attr-defined]  # a patch


class _NoOutput:
    """The output of an app that does not have the terminal."""

    def write(self, _text: str) -> None:
        """Discard the text."""

    def stop(self) -> None:
        """Do nothing, because there is no thread to stop."""


class _SilentWhenClosed:
    """A driver that discards output while another program has the terminal.

    Textual would block as soon as the queue of its stopped writer is full.
    """

    def close(self) -> None:
        """Stop the writer; a new start of the driver creates a new one."""
        super().close()  # type: ignore[misc]  # the driver's
        self._writer_thread = _NoOutput()


class _TolerantOutput:
    """The output of the app, which is dropped once the terminal is gone."""

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
    """Handles the first termination and ignores later ones."""

    def __init__(self, end: Callable[[], None]) -> None:
        self._end = end
        self._is_handled = False

    def handle(self, number: int) -> None:
        """Handle a signal; on SIGHUP also discard all further output."""
        if self._is_handled:
            return
        self._is_handled = True
        if sys.platform != "win32" and number == signal.SIGHUP:
            _redirect_to_null()
        self._end()

    def check_terminal(self) -> None:
        """If the terminal is gone, handle that like SIGHUP.

        Otherwise Textual would read its end of file in a busy loop.
        """
        if sys.platform == "win32":
            return
        poller = select.poll()
        poller.register(_STANDARD_STREAMS[0], 0)  # a hangup is always reported
        if poller.poll(0):
            self.handle(signal.SIGHUP)


def _redirect_to_null() -> None:
    """Redirect input and output, because both fail on a terminal that is gone."""
    null = os.open(os.devnull, os.O_RDWR)
    for stream in _STANDARD_STREAMS:
        os.dup2(null, stream)
    os.close(null)

"""A person at a terminal, or a pipe that is read: lines out, words in.

Owns: that nothing typed before a question was asked counts as its answer; that a PIN is not shown.
Never: colour, cursor movement, a single key.
"""

import signal
import sys
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from types import FrameType

import click

from approver_tui.cli.opening import read_pin

if sys.platform != "win32":
    import termios


class Console:
    """Questions go to stderr, so that stdout can be read by another program or kept in a log."""

    def __init__(self) -> None:
        self._question = ""

    def say(self, lines: Iterable[str]) -> None:
        """Print lines, which must be safe already."""
        click.echo("\n".join(lines))

    def ask(self, question: str) -> str | None:
        """Return what is typed after the question was asked, or None when nobody types any more."""
        self._discard()
        self._question = question
        self._put()
        line = sys.stdin.readline()
        self._question = ""
        if not line:
            click.echo("", err=True)
            return None
        return line.strip()

    def pin(self) -> str:
        """Return the PIN, which is not shown, or nothing. Raises PinNeeded without a terminal."""
        self._discard()
        return read_pin(from_stdin=False, or_nothing=True)

    @contextmanager
    def resuming(self) -> Iterator[None]:
        """Ask again after the program was suspended; what was typed meanwhile does not count."""
        if sys.platform == "win32":
            yield
            return
        before = signal.signal(signal.SIGCONT, self._again)
        try:
            yield
        finally:
            signal.signal(signal.SIGCONT, before)

    def _again(self, _signal: int, _frame: FrameType | None) -> None:
        self._discard()
        if self._question:
            self._put()

    def _put(self) -> None:
        click.echo(self._question + " ", nl=False, err=True)

    def _discard(self) -> None:
        """A person types into what was there a moment ago, and a paste holds many lines."""
        if sys.platform != "win32" and sys.stdin.isatty():
            termios.tcflush(sys.stdin.fileno(), termios.TCIFLUSH)

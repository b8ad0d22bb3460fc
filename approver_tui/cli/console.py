"""Questions and answers in a terminal or through a pipe.

Owns: ignoring input typed before its question; hiding the PIN. Never: color, cursor movement, a
single key.
"""

import signal
import sys
import termios
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from types import FrameType

import click

from approver_tui.cli.inputs import read_pin


class Console:
    """Questions go to stderr, so that stdout can be read by another program or logged."""

    def __init__(self) -> None:
        self._question = ""

    def print_lines(self, lines: Iterable[str]) -> None:
        """Print lines, which must already be safe to draw."""
        click.echo("\n".join(lines))

    def ask(self, question: str) -> str | None:
        """Return the line typed after the question, or None at the end of input."""
        self._discard_input()
        self._question = question
        self._print_question()
        line = sys.stdin.readline()
        self._question = ""
        if not line:
            click.echo("", err=True)
            return None
        return line.strip()

    def pin(self) -> str:
        """Return the PIN, or an empty string. Raises PinNeeded without a terminal."""
        self._discard_input()
        return read_pin(from_stdin=False, may_be_empty=True)

    @contextmanager
    def resuming(self) -> Iterator[None]:
        """Ask again after the program was suspended; ignore what was typed in that time."""
        old_handler = signal.signal(signal.SIGCONT, self._on_resume)
        try:
            yield
        finally:
            signal.signal(signal.SIGCONT, old_handler)

    def _on_resume(self, _signal: int, _frame: FrameType | None) -> None:
        self._discard_input()
        if self._question:
            self._print_question()

    def _print_question(self) -> None:
        click.echo(self._question + " ", nl=False, err=True)

    def _discard_input(self) -> None:
        """Discard input that was typed or pasted before the question."""
        if sys.stdin.isatty():
            termios.tcflush(sys.stdin.fileno(), termios.TCIFLUSH)

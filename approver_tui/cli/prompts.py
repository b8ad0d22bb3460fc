"""Terminal prompts whose answers may be typed ahead.

Owns: reading answers without echoing or discarding input typed ahead, so that a PIN typed along
with the previous answer is still read as the PIN. Never: the questions; callers supply them.

A terminal echoes input as it arrives, and the usual way to hide a password drops earlier input.
Here echo is off from the first question on, and this program prints what may be shown, character
by character.
"""

import codecs
import os
import signal
import sys
import termios
import unicodedata
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from types import FrameType

import click

_LINE_ENDS = (b"\n", b"\r")
_END_OF_INPUT = b"\x04"
_BACKSPACES = (b"\x7f", b"\x08")
_KILL_LINE = b"\x15"
_LOCAL_FLAGS, _CONTROL_CHARACTERS = 3, 6
"""Indexes in the result of `tcgetattr`."""


def ask(question: str, *, is_hidden: bool = False, may_be_empty: bool = False) -> str:
    """Return the typed line; asks again while it is empty, unless that is allowed."""
    line = _Line(question, is_hidden=is_hidden)
    with echo_off(line.restart):
        typed = line.read()
        while not typed and not may_be_empty:
            typed = line.read()
    return typed


def ask_twice(question: str) -> str:
    """Return a secret that was typed twice."""
    with echo_off():
        while True:
            typed = ask(question, is_hidden=True)
            if ask("Repeat for confirmation", is_hidden=True) == typed:
                return typed
            click.echo("Error: The two entered values do not match.", err=True)


@contextmanager
def echo_off(on_resume: Callable[[], None] | None = None) -> Iterator[None]:
    """Turn the terminal's echo off; keep the input that was typed ahead.

    The shell turns the echo on while this program is suspended. When the program resumes, it turns
    the echo off again and then calls `on_resume`.
    """
    terminal = sys.stdin.fileno()
    saved = termios.tcgetattr(terminal)
    changed = [*saved]
    changed[_LOCAL_FLAGS] &= ~(termios.ECHO | termios.ICANON)
    changed[_CONTROL_CHARACTERS] = [*saved[_CONTROL_CHARACTERS]]
    changed[_CONTROL_CHARACTERS][termios.VMIN], changed[_CONTROL_CHARACTERS][termios.VTIME] = 1, 0

    def resume(number: int, frame: FrameType | None) -> None:
        if os.tcgetpgrp(terminal) != os.getpgrp():
            return  # resumed in the background, where the terminal belongs to the shell
        termios.tcsetattr(terminal, termios.TCSADRAIN, changed)
        if callable(outer_handler):
            outer_handler(number, frame)
        if on_resume is not None:
            on_resume()

    termios.tcsetattr(terminal, termios.TCSADRAIN, changed)
    outer_handler = signal.signal(signal.SIGCONT, resume)
    try:
        yield
    finally:
        signal.signal(signal.SIGCONT, outer_handler)
        termios.tcsetattr(terminal, termios.TCSADRAIN, saved)


class _Line:
    """One line that is being typed; Backspace (either code) deletes one character."""

    def __init__(self, question: str, *, is_hidden: bool) -> None:
        self._question = question
        self._is_hidden = is_hidden
        self._text = ""

    def restart(self) -> None:
        """Discard what was typed, and print the question."""
        self._text = ""
        click.echo(f"{self._question}: ", nl=False, err=True)

    def read(self) -> str:
        """Print the question, and return the line, decoded in the terminal's encoding."""
        self.restart()
        decoder = codecs.getincrementaldecoder(sys.stdin.encoding)("replace")
        while (piece := os.read(sys.stdin.fileno(), 1)) not in _LINE_ENDS:
            if not piece or (piece == _END_OF_INPUT and not self._text):
                click.echo("", err=True)
                raise click.Abort
            previous = self._text
            if piece in _BACKSPACES or piece == _KILL_LINE:
                self._text = "" if piece == _KILL_LINE else previous[:-1]
            else:
                self._text += _printable(decoder.decode(piece))
            if not self._is_hidden:
                _echo(previous, self._text)
        click.echo("", err=True)
        return self._text


def _printable(typed: str) -> str:
    return "".join(character for character in typed if character.isprintable())


def _echo(before: str, text: str) -> None:
    """Show the character that was added, or erase those that were removed."""
    if len(text) > len(before):
        click.echo(text[len(before) :], nl=False, err=True)
    else:
        click.echo("\b \b" * _width(before[len(text) :]), nl=False, err=True)


def _width(text: str) -> int:
    """Return how many cells of the terminal a text fills."""
    wide = sum(unicodedata.east_asian_width(character) in "WF" for character in text)
    return len(text) + wide - sum(map(bool, map(unicodedata.combining, text)))

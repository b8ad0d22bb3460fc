"""Terminal prompts whose answers may be typed ahead.

Owns: reading answers without echoing or discarding input typed ahead, so that a PIN typed along
with the previous answer is still read as the PIN. Never: the questions; callers supply them.

A terminal echoes input as it arrives, and the usual way to hide a password drops earlier input.
Here echo is off from the first question on, and this program prints what may be shown, character
by character.
"""

import codecs
import os
import sys
import termios
from collections.abc import Iterator
from contextlib import contextmanager

import click

_LINE_ENDS = (b"\n", b"\r")
_END_OF_INPUT = b"\x04"
_BACKSPACES = (b"\x7f", b"\x08")
_KILL_LINE = b"\x15"
_LOCAL_MODES, _SETTINGS = 3, 6
"""Indexes in the result of `termios`: the flags, and the special characters."""


def ask(question: str, *, is_hidden: bool = False, may_be_empty: bool = False) -> str:
    """Return the typed line; asks again while it is empty, unless that is allowed."""
    with echo_off():
        typed = _read_line(question, is_hidden=is_hidden)
        while not typed and not may_be_empty:
            typed = _read_line(question, is_hidden=is_hidden)
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
def echo_off() -> Iterator[None]:
    """Turn the terminal's echo off; keep the input that was typed ahead."""
    terminal = sys.stdin.fileno()
    saved = termios.tcgetattr(terminal)
    changed = [*saved]
    changed[_LOCAL_MODES] &= ~(termios.ECHO | termios.ICANON)
    changed[_SETTINGS] = [*saved[_SETTINGS]]
    changed[_SETTINGS][termios.VMIN], changed[_SETTINGS][termios.VTIME] = 1, 0
    termios.tcsetattr(terminal, termios.TCSADRAIN, changed)
    try:
        yield
    finally:
        termios.tcsetattr(terminal, termios.TCSADRAIN, saved)


def _read_line(question: str, *, is_hidden: bool) -> str:
    """Read one line; Backspace (either code) deletes one character."""
    click.echo(f"{question}: ", nl=False, err=True)
    decoder, text = codecs.getincrementaldecoder("utf-8")("replace"), ""
    while (piece := os.read(sys.stdin.fileno(), 1)) not in _LINE_ENDS:
        if not piece or (piece == _END_OF_INPUT and not text):
            click.echo("", err=True)
            raise click.Abort
        previous = text
        if piece in _BACKSPACES or piece == _KILL_LINE:
            text = "" if piece == _KILL_LINE else text[:-1]
        else:
            text += _printable(decoder.decode(piece))
        if not is_hidden:
            _echo(previous, text)
    click.echo("", err=True)
    return text


def _printable(typed: str) -> str:
    return "".join(character for character in typed if character.isprintable())


def _echo(before: str, text: str) -> None:
    """Show the character that was added, or erase those that were removed."""
    if len(text) > len(before):
        click.echo(text[len(before) :], nl=False, err=True)
    else:
        click.echo("\b \b" * (len(before) - len(text)), nl=False, err=True)

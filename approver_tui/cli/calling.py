"""How a command calls a person who looks elsewhere.

Owns: that a bell goes to stderr, if that is a terminal. Never: stdout, whether anybody is called.
"""

import sys
import time

from approver_tui import settings
from approver_tui.attention.caller import Caller
from approver_tui.attention.ringer import Ringer


def a_caller() -> Caller:
    """Return who calls the person from a command."""
    known = settings.load()
    return Caller(Ringer(known.preferences, time.monotonic), known.surroundings, to_terminal)


def to_terminal(sequence: str) -> None:
    """Write a control sequence to stderr, if that is a terminal."""
    if sys.stderr.isatty():
        sys.stderr.write(sequence)
        sys.stderr.flush()

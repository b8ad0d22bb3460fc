"""How a command calls a person who looks elsewhere.

Owns: that a bell goes to stderr, if that is a terminal. Never: stdout, whether anybody is called.
"""

import sys
import time

from approver_tui import settings
from approver_tui.attention.alert_schedule import AlertSchedule
from approver_tui.attention.notifier import Notifier


def stderr_notifier() -> Notifier:
    """Return who calls the person from a command."""
    known = settings.load()
    return Notifier(
        AlertSchedule(known.preferences, time.monotonic), known.terminal_environment, ring_on_stderr
    )


def ring_on_stderr(sequence: str) -> None:
    """Write a control sequence to stderr, if that is a terminal."""
    if sys.stderr.isatty():
        sys.stderr.write(sequence)
        sys.stderr.flush()

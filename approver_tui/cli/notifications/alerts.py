"""Alerts from commands.

Owns: ringing the bell on stderr, if that is a terminal. Never: writing to stdout; whether to alert.
"""

import sys
import time

from approver_tui import settings
from approver_tui.attention.alert_schedule import AlertSchedule
from approver_tui.attention.notifier import Notifier


def stderr_notifier() -> Notifier:
    """Return the notifier for commands."""
    loaded_settings = settings.load()
    return Notifier(
        AlertSchedule(loaded_settings.preferences, time.monotonic),
        loaded_settings.terminal_environment,
        write_to_stderr,
    )


def write_to_stderr(sequence: str) -> None:
    """Write a control sequence to stderr, if that is a terminal."""
    if sys.stderr.isatty():
        sys.stderr.write(sequence)
        sys.stderr.flush()

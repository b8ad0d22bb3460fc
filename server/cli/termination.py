"""Lets a command delete its temporary files when it is terminated."""

import signal
import sys


def clean_up_on_signals() -> None:
    """Exit on SIGTERM and SIGHUP with an exception, so that `finally` blocks run."""
    for number in (signal.SIGTERM, signal.SIGHUP):
        if signal.getsignal(number) is not signal.SIG_IGN:
            signal.signal(number, _exit)


def _exit(number: int, _frame: object) -> None:
    sys.exit(128 + number)

"""The time of day of this machine.

Owns: all reading of the wall clock in this package. Never: sleeping, or what a time means.
"""

import time


def now() -> int:
    """Return the seconds since the epoch."""
    return int(time.time())

"""The time of day of this machine.

Owns: the only reading of the clock in this package. Never: sleeping, or what a time means.
"""

import time


def now() -> int:
    """Seconds since the epoch."""
    return int(time.time())

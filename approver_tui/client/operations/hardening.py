"""Keeping the memory of this process to itself.

Owns: that other programs of the same account neither attach to it nor find it in a core file.
Never: a failure; where the system has no such thing, the program runs without it.
"""

import ctypes
import resource
import sys
from contextlib import suppress

_PR_SET_DUMPABLE = 4


def keep_memory_private() -> None:
    """Refuse debuggers and core files from here on, as far as this system can."""
    with suppress(OSError, ValueError):
        resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    if sys.platform == "linux":
        with suppress(OSError, AttributeError):
            ctypes.CDLL(None).prctl(_PR_SET_DUMPABLE, 0, 0, 0, 0)

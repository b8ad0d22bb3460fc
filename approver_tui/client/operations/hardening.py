"""Keeps the memory of this process private.

Owns: preventing other programs of the same account from attaching to it or finding it in a core
file. Never: failing; on a system without these features, the program runs without them.
"""

import ctypes
import resource
import sys
from contextlib import suppress

_PR_SET_DUMPABLE = 4


def keep_memory_private() -> None:
    """Block debuggers and core dumps, if this system supports that."""
    with suppress(OSError, ValueError):
        resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    if sys.platform == "linux":
        with suppress(OSError, AttributeError):
            ctypes.CDLL(None).prctl(_PR_SET_DUMPABLE, 0, 0, 0, 0)

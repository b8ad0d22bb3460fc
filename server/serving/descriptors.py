"""What the limit of open files allows: how many connections one process takes, and of what kind.

Connections stop being accepted, and feeds being opened, before descriptors run out: the database,
deliveries and ordinary requests need some too.
"""

import resource
from dataclasses import dataclass
from typing import Final

OWN: Final = 256
"""Descriptors of a process for everything but connections: database, log, calls to agents."""
FEW: Final = 1_000
"""With room for fewer feeds than this, the operator gets a warning."""


@dataclass(frozen=True, slots=True)
class Capacity:
    """Of one process."""

    files: int
    """Its limit of open files."""
    connections: int
    """Each takes one descriptor."""
    feeds: int
    """Connections that may be live feeds of approvers; the rest is left for requests."""


def capacity(files: int, most: int) -> Capacity:
    """What this limit of open files allows, where `most` connections are wanted."""
    room = most if files < 0 else files - min(OWN, files // 4)
    connections = max(1, min(most, room))
    return Capacity(files, connections, connections - connections // 10)


def raise_limit() -> int:
    """Raise this process's limit of open files as far as possible; returns the limit."""
    _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
    return hard


def highest_limit() -> int:
    """How many open files a process started here may have."""
    return resource.getrlimit(resource.RLIMIT_NOFILE)[1]

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
"""Feeds; with room for fewer an operator should know."""


@dataclass(frozen=True, slots=True)
class Capacity:
    """Of one process."""

    files: int
    """Its limit of open files."""
    connections: int
    """Each takes one descriptor, whatever goes over it."""
    feeds: int
    """Connections that may be live feeds of approvers; the rest is left for requests."""


def capacity(files: int, most: int) -> Capacity:
    """What this limit of open files allows, where `most` connections are wanted."""
    room = most if files < 0 else files - min(OWN, files // 4)
    connections = max(1, min(most, room))
    return Capacity(files, connections, connections - connections // 10)


def raise_limit() -> int:
    """Take as many open files as this process may; returns how many that are."""
    _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
    return hard


def highest_limit() -> int:
    """How many open files a process started here may have."""
    return resource.getrlimit(resource.RLIMIT_NOFILE)[1]

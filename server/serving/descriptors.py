"""The limits on connections and feeds per process, derived from the limit on open files.

A process refuses connections and feeds before it runs out of file descriptors, because the
database, deliveries and other requests also need some.
"""

import resource
from dataclasses import dataclass
from typing import Final

RESERVED: Final = 256
"""The descriptors reserved for other uses: database, log, outbound requests."""
MIN_FEEDS: Final = 1_000
"""If fewer feeds than this are possible, the operator gets a warning."""


@dataclass(frozen=True, slots=True)
class Capacity:
    """The capacity of one process."""

    files: int
    """The limit on open files."""
    connections: int
    """The maximum number of connections."""
    feeds: int
    """The maximum number of live feeds; the other connections are reserved for requests."""


def capacity(files: int, max_connections: int) -> Capacity:
    """Return the capacity with this limit on open files."""
    available = max_connections if files < 0 else files - min(RESERVED, files // 4)
    connections = max(1, min(max_connections, available))
    return Capacity(files, connections, connections - connections // 10)


def raise_limit() -> int:
    """Raise this process's limit on open files to the maximum; return the new limit."""
    _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
    return hard


def highest_limit() -> int:
    """Return the maximum that a process started here can raise its limit on open files to."""
    return resource.getrlimit(resource.RLIMIT_NOFILE)[1]

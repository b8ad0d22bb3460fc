"""The number of connections and feeds per process, from the limit on open files.

A process refuses connections and feeds before file descriptors run out, because the database,
deliveries and ordinary requests need some too.
"""

import resource
from dataclasses import dataclass
from typing import Final

OWN: Final = 256
"""The descriptors reserved for other uses: database, log, outbound requests."""
FEW: Final = 1_000
"""With fewer feeds than this, the operator gets a warning."""


@dataclass(frozen=True, slots=True)
class Capacity:
    """The capacity of one process."""

    files: int
    """The limit on open files."""
    connections: int
    """The most connections."""
    feeds: int
    """The most live feeds among them; the rest is reserved for requests."""


def capacity(files: int, max_connections: int) -> Capacity:
    """The capacity with this limit on open files."""
    available = max_connections if files < 0 else files - min(OWN, files // 4)
    connections = max(1, min(max_connections, available))
    return Capacity(files, connections, connections - connections // 10)


def raise_limit() -> int:
    """Raise the limit on open files of this process to the maximum; returns it."""
    _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
    return hard


def highest_limit() -> int:
    """The maximum limit on open files for a process started here."""
    return resource.getrlimit(resource.RLIMIT_NOFILE)[1]

"""The memory limit for incomplete requests, over all connections of a process.

Incomplete requests are not authenticated, so their total size has a limit. Above it, the connection
with the most data is closed, so a few large slow requests do not block many small ones.
"""

from dataclasses import dataclass, field
from typing import Final, Protocol

MAX_BYTES: Final = 32 * 1024 * 1024
"""Of heads and bodies of incomplete requests, in one process."""


class Receiver(Protocol):
    """A connection that receives a request."""

    def drop(self) -> None:
        """Stop receiving."""


class TooMuch(ValueError):
    """The limit is reached, and this connection holds the most data."""


@dataclass(slots=True)
class Incomplete:
    """The bytes of incomplete requests, by connection."""

    limit: int = MAX_BYTES
    total: int = 0
    open: dict[Receiver, int] = field(default_factory=dict)
    closing: dict[Receiver, int] = field(default_factory=dict)
    """Dropped connections; their bytes count until they are closed."""

    @property
    def full(self) -> bool:
        """Whether receiving must pause until dropped connections are closed."""
        return self.total > self.limit

    def add(self, receiver: Receiver, count: int) -> None:
        """Count `count` more bytes. Raises `TooMuch` if this connection must be closed."""
        if receiver not in self.closing:
            self.open[receiver] = self.open.get(receiver, 0) + count
            self.total += count
            self._drop_largest()
        if receiver in self.closing:
            raise TooMuch("too much data in incomplete requests")

    def remove(self, receiver: Receiver) -> None:
        """Stop counting a connection, because its request is complete or it is closed."""
        self.total -= self.open.pop(receiver, 0) + self.closing.pop(receiver, 0)

    def _drop_largest(self) -> None:
        while self.total - sum(self.closing.values()) > self.limit:
            largest = max(self.open, key=self.open.__getitem__)
            self.closing[largest] = self.open.pop(largest)
            largest.drop()

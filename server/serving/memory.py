"""How much memory requests may hold before they are complete, over all connections of a process.

Nobody has authenticated at that point, so the sum has a limit. Above it, the connection that holds
the most is closed, so a few large slow requests do not stop many small ones.
"""

from dataclasses import dataclass, field
from typing import Final, Protocol

MOST_BYTES: Final = 32 * 1024 * 1024
"""Of heads and bodies that are being received, in one process."""


class Receiver(Protocol):
    """A connection on which a request is being received."""

    def drop(self) -> None:
        """Stop receiving."""


class TooMuch(ValueError):
    """The limit is reached, and no connection holds more than this one."""


@dataclass(slots=True)
class Incomplete:
    """What each connection has received of a request that is not complete."""

    most: int = MOST_BYTES
    total: int = 0
    staying: dict[Receiver, int] = field(default_factory=dict)
    leaving: dict[Receiver, int] = field(default_factory=dict)
    """Connections that were dropped; what they hold counts until they are gone."""

    @property
    def full(self) -> bool:
        """Reports whether receiving must pause until those that were dropped are gone."""
        return self.total > self.most

    def add(self, receiver: Receiver, count: int) -> None:
        """Count `count` more bytes. Raises `TooMuch` when this connection has to go."""
        if receiver not in self.leaving:
            self.staying[receiver] = self.staying.get(receiver, 0) + count
            self.total += count
            self._make_room()
        if receiver in self.leaving:
            raise TooMuch("too much is being received")

    def remove(self, receiver: Receiver) -> None:
        """The request is complete, or the connection is gone."""
        self.total -= self.staying.pop(receiver, 0) + self.leaving.pop(receiver, 0)

    def _make_room(self) -> None:
        while self.total - sum(self.leaving.values()) > self.most:
            largest = max(self.staying, key=self.staying.__getitem__)
            self.leaving[largest] = self.staying.pop(largest)
            largest.drop()

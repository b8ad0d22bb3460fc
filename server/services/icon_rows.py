"""What the services need of the rows of agents' pictures. MUST is a promise of storage."""

from typing import Protocol

from server.protocol.icons import Icon


class IconRows(Protocol):
    """Pictures. One MUST be there once, however many agents have it."""

    def get(self, digest: str) -> Icon | None: ...
    def keep(self, icon: Icon) -> None: ...
    def prune(self) -> None:
        """Drop those that no agent has."""

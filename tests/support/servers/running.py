"""The running servers, so that a failed test can show their state without importing them."""

from typing import Protocol


class Running(Protocol):
    """A server of a test."""

    @property
    def state(self) -> str:
        """Return whether its process runs, and the end of its log."""
        ...


RUNNING: list[Running] = []

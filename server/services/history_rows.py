"""What the services need of the rows of history."""

from collections.abc import Collection, Mapping
from typing import Protocol


class HistoryRows(Protocol):
    """How often something was approved, by whom it is about and a key; with a sum of amounts.

    `add` MUST be one statement, so that two at once are both counted.
    """

    def add(self, owner: str, key: str, amount: int = 0) -> None:
        """Count one more."""

    def of(self, keys: Collection[tuple[str, str]]) -> Mapping[str, tuple[int, int]]:
        """Of owners and their keys: key → how often and how much, unless it was never added."""

    def forget(self, owner: str) -> None:
        """Drop all that is about it."""

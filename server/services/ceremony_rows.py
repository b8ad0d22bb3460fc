"""What the services need of the rows in which tries are counted. MUST is a promise of storage."""

from collections.abc import Mapping
from typing import Protocol

from server.protocol.ceremonies import Step


class CeremonyTryRows(Protocol):
    """Tries to type what a ceremony asks for, by approval, step and person."""

    def count(self, approval_id: str, step: Step, user_id: str, most: int) -> int | None:
        """One more try, and how many that are; None when there were `most` before.

        MUST be one statement: tries that come at once are all counted.
        """

    def give_back(self, approval_id: str, step: Step, user_id: str) -> None:
        """One try less: it was right."""

    def of(self, approval_id: str, user_ids: tuple[str, str]) -> Mapping[Step, int]:
        """How many there were of each step."""

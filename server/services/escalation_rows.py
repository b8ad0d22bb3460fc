"""What the services need of the rows by which a request is said again, at its time or after it."""

from typing import Protocol


class EscalationRows(Protocol):
    """The next step of each waiting approval. Every step MUST be one conditional UPDATE."""

    def due(self, now: int, limit: int) -> list[str]:
        """The approvals whose next step is due, the longest due first."""

    def step(self, approval_id: str, was: int, next_at: int | None, now: int) -> bool:
        """Count the step after `was` ones; False: somebody took it, or it waits no more."""

    def extend(self, approval_id: str, *, was: int, until: int, escalate_at: int, now: int) -> bool:
        """Let it wait until then; False: it waits no more, or not until `was`."""

    def ask_again(self, approval_id: str, now: int) -> bool:
        """Note that its agent is asked to ask again; False: it was, or it has not expired."""

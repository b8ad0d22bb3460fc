"""Groups and deputies, and what their rows promise."""

from dataclasses import dataclass
from typing import Literal, Protocol

from server.model.approvals import ApproverReason


@dataclass(frozen=True, slots=True)
class NamedApprover:
    """Somebody who is to be asked, and why."""

    user_id: str
    why: ApproverReason
    approves: bool = True
    stands_for: str | None = None
    group_id: str | None = None


@dataclass(frozen=True, slots=True)
class Group:
    """People who are named together; `members` are user ids."""

    id: str
    name: str
    members: tuple[str, ...]
    created_at: int


@dataclass(frozen=True, slots=True)
class Deputy:
    """One person decides for another between two moments, what its action type lets them."""

    id: str
    user_id: str
    """For whom."""
    deputy_id: str
    from_at: int
    to_at: int
    state: Literal["named", "begun", "over"]
    """`begun` once open requests were put before them; `over` when it ended, or was ended."""
    device_id: str
    """On which it was signed."""
    created_at: int
    revoked_at: int | None = None

    def in_force(self, now: int) -> bool:
        """Reports whether they decide at this moment."""
        return self.state != "over" and self.from_at <= now < self.to_at


class GroupRows(Protocol):
    """Groups with their members. `add` and `replace` MUST raise `Taken` for a used name."""

    def add(self, group: Group) -> None: ...
    def replace(self, group: Group) -> None: ...
    def delete(self, group_id: str) -> None: ...
    def all(self) -> list[Group]:
        """Every group, by name."""


class DeputyRows(Protocol):
    """Deputies. Every step MUST be one conditional UPDATE; False means: somebody was first."""

    def add(self, deputy: Deputy) -> None: ...
    def get(self, deputy_id: str) -> Deputy | None: ...
    def of_user(self, user_id: str, now: int) -> list[Deputy]:
        """Those whom this person named and who are not over."""

    def of_deputy(self, deputy_id: str, now: int) -> list[Deputy]:
        """Those for whom this person decides or will."""

    def live(self, now: int) -> list[Deputy]:
        """All that are not over, by their end."""

    def deciding(self, user_id: str, deputy_id: str, now: int) -> Deputy | None:
        """The one by which this person decides for that one at this moment."""

    def due(self, now: int, limit: int) -> list[Deputy]:
        """Those that begin or end by the clock."""

    def begin(self, deputy_id: str) -> bool: ...
    def end(self, deputy_id: str, *, revoked_at: int | None) -> bool: ...
    def leave(self, user_id: str, deputy_id: str) -> None:
        """Their waiting requests ask this deputy no more."""


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

"""Groups and deputies, and the contracts of their rows."""

from dataclasses import dataclass
from typing import Literal, Protocol

from server.model.approvals import ApproverReason


@dataclass(frozen=True, slots=True)
class NamedApprover:
    """A user to ask, and why."""

    user_id: str
    why: ApproverReason
    approves: bool = True
    stands_for: str | None = None
    group_id: str | None = None


@dataclass(frozen=True, slots=True)
class Group:
    """A group of users; `members` are user ids."""

    id: str
    name: str
    members: tuple[str, ...]
    created_at: int


@dataclass(frozen=True, slots=True)
class Deputy:
    """A user who decides for another in a period, if the action types allow deputies."""

    id: str
    user_id: str
    """The user they decide for."""
    deputy_id: str
    from_at: int
    to_at: int
    state: Literal["named", "begun", "over"]
    """`begun` after open requests were sent to the deputy; `over` after the end."""
    device_id: str
    """The device that signed it."""
    created_at: int
    revoked_at: int | None = None

    def in_force(self, now: int) -> bool:
        """Return whether the deputy can decide at this time."""
        return self.state != "over" and self.from_at <= now < self.to_at


class GroupRows(Protocol):
    """Groups with their members. `add` and `replace` MUST raise `Taken` if the name is in use."""

    def add(self, group: Group) -> None: ...
    def replace(self, group: Group) -> None: ...
    def delete(self, group_id: str) -> None: ...
    def all(self) -> list[Group]:
        """All groups, by name."""


class DeputyRows(Protocol):
    """Deputies. Each transition MUST be one conditional UPDATE; False means another one won."""

    def add(self, deputy: Deputy) -> None: ...
    def get(self, deputy_id: str) -> Deputy | None: ...
    def of_user(self, user_id: str, now: int) -> list[Deputy]:
        """The deputies of this user that have not ended."""

    def of_deputy(self, deputy_id: str, now: int) -> list[Deputy]:
        """The deputyships of this user that have not ended."""

    def live(self, now: int) -> list[Deputy]:
        """All deputies that have not ended, by end."""

    def deciding(self, user_id: str, deputy_id: str, now: int) -> Deputy | None:
        """The entry that lets the deputy decide for the user at this time."""

    def due(self, now: int, limit: int) -> list[Deputy]:
        """The deputies whose beginning or end is due."""

    def begin(self, deputy_id: str) -> bool: ...
    def end(self, deputy_id: str, *, revoked_at: int | None) -> bool: ...
    def remove_from_pending(self, user_id: str, deputy_id: str) -> None:
        """Remove this deputy from the user's pending requests."""


class EscalationRows(Protocol):
    """The next escalation step of pending approvals. Each step MUST be one conditional UPDATE."""

    def due(self, now: int, limit: int) -> list[str]:
        """The approvals whose next step is due, most overdue first."""

    def step(self, approval_id: str, was: int, next_at: int | None, now: int) -> bool:
        """Record the step after `was` steps; False if it was taken or is not pending."""

    def extend(
        self, approval_id: str, *, expected: int, until: int, escalate_at: int, now: int
    ) -> bool:
        """Extend the expiry; False if it is not `expected` or the approval is not pending."""

    def request_retry(self, approval_id: str, now: int) -> bool:
        """Ask the agent to retry; False if it was already asked, or is not expired."""

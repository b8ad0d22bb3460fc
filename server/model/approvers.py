"""Groups and deputies."""

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

if TYPE_CHECKING:
    from server.model.approvals import ApproverReason


@dataclass(frozen=True, slots=True)
class NamedApprover:
    """A user to ask, and why."""

    user_id: str
    why: "ApproverReason"
    approves: bool = True
    stands_for: str | None = None
    group_id: str | None = None


@dataclass(frozen=True, slots=True)
class Group:
    """A group of users; `members` are user IDs."""

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
    """`begun` after open requests were sent to the deputy; `over` after the period."""
    device_id: str
    """The device that signed it."""
    created_at: int
    revoked_at: int | None = None

    def in_force(self, now: int) -> bool:
        """Return whether the deputy can decide at this time."""
        return self.state != "over" and self.from_at <= now < self.to_at

"""What limits need of the rows that they are counted in. Times are milliseconds."""

from dataclasses import dataclass
from typing import Protocol

from server.services.approval_records import ApprovalKind
from server.services.messages import Lane
from server.services.rows import Window


@dataclass(frozen=True, slots=True)
class Open:
    """One request that nobody has answered yet."""

    agent_id: str
    user_id: str | None
    kind: ApprovalKind


@dataclass(frozen=True, slots=True)
class Call:
    """One time that somebody was called."""

    user_id: str
    agent_id: str
    types: str
    lane: Lane
    at: int


@dataclass(frozen=True, slots=True)
class Refused:
    """An entry of the log: a limit was reached. `subject` is who denied, for a pause."""

    type: str
    agent_id: str | None
    subject: str | None
    cause: str | None
    at: int
    body: bytes


class LimitRows(Protocol):
    """What is counted. MUST cost the same however much there is."""

    def open(self, limit: int) -> list[Open]:
        """Those that wait, the first to end first."""

    def calls(self, since: int, limit: int) -> list[Call]:
        """The newest after that."""

    def counted(self, prefix: str, limit: int) -> list[Window]:
        """Open windows of keys that begin so (no pattern: no % and no _), by key."""

    def refused(self, since: int, limit: int) -> list[Refused]:
        """The newest from then on."""

    def held_back(self, since: int, limit: int) -> list[str]:
        """To whom the newest requests from then on went that called nobody."""

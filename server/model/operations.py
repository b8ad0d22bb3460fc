"""The installation, its limits and statistics."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from server.protocol.approvals.states import State
from server.protocol.policy.risks import Risk

if TYPE_CHECKING:
    from server.model.approvals import ApprovalKind
    from server.model.notifications import Lane


@dataclass(frozen=True, slots=True)
class Window:
    """A counter in one time window."""

    key: str
    count: int
    ends_at: int


@dataclass(frozen=True, slots=True)
class InstallationRow:
    """The only row of the installation's table."""

    admin_version: int
    created_at: int
    epoch: str
    """A random value. Each restore changes it and so invalidates everything derived from it."""
    restored_at: int | None
    """When a backup was last restored. Earlier signatures are not accepted."""


@dataclass(frozen=True, slots=True)
class OpenRequest:
    """A pending request, for limits."""

    agent_id: str
    user_id: str | None
    kind: "ApprovalKind"


@dataclass(frozen=True, slots=True)
class SentNotification:
    """A recent notification to a person, for limits."""

    user_id: str
    agent_id: str
    types: str
    lane: "Lane"
    at: int


@dataclass(frozen=True, slots=True)
class LimitRefusal:
    """An audit entry about a limit that refused a request. For a pause, `subject` is who denied."""

    type: str
    agent_id: str | None
    subject: str | None
    cause: str | None
    at: int
    body: bytes


@dataclass(frozen=True, slots=True)
class ApprovalSummary:
    """The agent, user and times of a request, for statistics."""

    agent_id: str
    user_id: str
    state: State
    created_at: int
    seen_at: int | None
    decided_at: int | None
    approved: bool
    """Whether a person or a rule approved it, regardless of what happened later."""
    by_rule: bool
    """Whether a rule or standing grant decided it, not a person."""


ENDS_WITHIN_MS: Final = (60_000, 300_000, 900_000, 3_600_000, 6 * 3_600_000, None)
"""The upper ends of the ranges of time left by which pending requests are counted."""


@dataclass(frozen=True, slots=True)
class PendingRange:
    """The number of pending requests with time left in one range."""

    within_ms: int | None
    """The upper end of the range; None if it has no end."""
    by_risk: Mapping[Risk, int]


@dataclass(frozen=True, slots=True)
class CountedLimit:
    """A fixed limit on how often something may happen in a period, counted per subject."""

    name: str
    counted_per: str
    what: str
    value: int
    within_ms: int
    prefix: str
    """The start of its counter keys; the subject follows."""

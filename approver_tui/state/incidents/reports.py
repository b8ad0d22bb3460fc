"""The scope of a report, and its result.

Owns: the values. Never: signatures, wording.
"""

from dataclasses import dataclass
from enum import StrEnum

from approver_tui.state.approvals.approvals import Approval
from approver_tui.state.text import SafeText


class ReportScope(StrEnum):
    """The agents that a report quarantines."""

    AGENT = "agent"
    EVERY_AGENT = "every_agent"


@dataclass(frozen=True, slots=True)
class QuarantinedAgent:
    """A quarantined agent, and what was revoked or canceled as a result."""

    id: SafeText
    name: SafeText
    state: SafeText
    tokens_revoked: int
    requests_cancelled: int


@dataclass(frozen=True, slots=True)
class ReportResult:
    """The result of a report; `agents` is empty if no agent made the request."""

    incident: SafeText
    scope: ReportScope
    agents: tuple[QuarantinedAgent, ...]
    approval: Approval

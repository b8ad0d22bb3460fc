"""What a report stops, and what came of one.

Owns: the values. Never: signatures, wording.
"""

from dataclasses import dataclass
from enum import StrEnum

from approver_tui.state.approvals.approvals import Approval
from approver_tui.state.text import SafeText


class ReportScope(StrEnum):
    """Whom a report stops."""

    AGENT = "agent"
    EVERY_AGENT = "every_agent"


@dataclass(frozen=True, slots=True)
class StoppedAgent:
    """An agent that a report was about, and what ended with it."""

    id: SafeText
    name: SafeText
    state: SafeText
    tokens_revoked: int
    requests_cancelled: int


@dataclass(frozen=True, slots=True)
class Reported:
    """What came of a report; no agent is there when none had asked."""

    incident: SafeText
    scope: ReportScope
    agents: tuple[StoppedAgent, ...]
    approval: Approval

"""The agents of a user: those that act for them, sent them requests, or belong to them.

Owns: grouping by agent, and the counts of requests. Never: reading a clock.

Times are integers, milliseconds since the epoch.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from statistics import median_low

from approver_tui.state.approvals.approvals import Approval
from approver_tui.state.approvals.decision import Answer
from approver_tui.state.clients.access import ActingAgent
from approver_tui.state.text import SafeText

ASKED_WITHIN = 7 * 24 * 3_600_000
"""Agents with a request within this many milliseconds are listed."""
ENABLED = "enabled"


@dataclass(frozen=True, slots=True)
class OwnedAgent:
    """An agent that this user owns, as the server manages it."""

    id: str
    name: SafeText
    state: SafeText
    owners: tuple[SafeText, ...]

    @property
    def is_enabled(self) -> bool:
        """Whether it may send requests."""
        return self.state == ENABLED


@dataclass(frozen=True, slots=True)
class SuspensionResult:
    """The number of tokens that were revoked and of requests that were canceled."""

    tokens: int
    requests: int


@dataclass(frozen=True, slots=True)
class Agent:
    """An agent or app with its access, its state and its recent requests."""

    id: str
    name: SafeText
    current_access: ActingAgent | None = None
    """The access that it has now, if any."""
    owned: OwnedAgent | None = None
    """Its state on the server, if the user owns it."""
    recent_requests: tuple[Approval, ...] = field(default=())
    """Its recent requests, newest first."""

    @property
    def approved(self) -> int:
        """How many requests were approved."""
        return self._count(Answer.APPROVE)

    @property
    def denied(self) -> int:
        """How many requests were denied."""
        return self._count(Answer.DENY)

    @property
    def median_time(self) -> int | None:
        """The median time to an answer; None if there was none."""
        durations = [
            approval.decision.at - approval.created_at
            for approval in self.recent_requests
            if approval.decision
        ]
        return median_low(durations) if durations else None

    def waiting(self, now: int) -> int:
        """Return how many of its requests can be answered."""
        return sum(approval.is_waiting(now) for approval in self.recent_requests)

    def _count(self, answer: Answer) -> int:
        return sum(
            approval.decision is not None and approval.decision.decision is answer
            for approval in self.recent_requests
        )


def merge_agents(
    acting_agents: Iterable[ActingAgent],
    approvals: Iterable[Approval],
    owned_agents: Iterable[OwnedAgent],
    since: int,
) -> tuple[Agent, ...]:
    """Return all agents by name; requests from before `since` are left out."""
    agents = {
        actor.id: Agent(actor.id, actor.name, current_access=actor) for actor in acting_agents
    }
    for agent_id, requests in _by_agent(approvals, since).items():
        merged_agent = agents.get(agent_id) or Agent(agent_id, requests[0].agent.name)
        agents[agent_id] = replace(merged_agent, recent_requests=tuple(requests))
    for agent in owned_agents:
        merged_agent = agents.get(agent.id) or Agent(agent.id, agent.name)
        agents[agent.id] = replace(merged_agent, owned=agent)
    return tuple(sorted(agents.values(), key=lambda agent: (agent.name.casefold(), agent.id)))


def _by_agent(approvals: Iterable[Approval], since: int) -> Mapping[str, Sequence[Approval]]:
    """Group requests by agent or app; sign-ins of the user's own devices are left out."""
    by_agent: dict[str, list[Approval]] = {}
    recent = {
        approval.id: approval
        for approval in approvals
        if approval.is_action and approval.created_at >= since
    }
    for approval in sorted(recent.values(), key=lambda approval: approval.created_at, reverse=True):
        by_agent.setdefault(approval.agent.id, []).append(approval)
    return by_agent

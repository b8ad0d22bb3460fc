"""The JSON of statistics, for the command line and the API."""

from collections.abc import Iterable
from dataclasses import asdict

from server.protocol.policy.risks import Risk
from server.services.operations.statistics import (
    AgentCounts,
    AgentHistory,
    DayCounts,
    PersonCounts,
    Summary,
)
from server.services.policy.displays import rfc3339


def summary(found: Summary) -> dict[str, object]:
    """Recent requests and answers by day, agent and person."""
    return {
        "since": rfc3339(found.since),
        "complete": found.complete,
        "pending": found.pending,
        "total": asdict(found.counts),
        "days": days(found.days),
        "agents": [_counted(agent) for agent in found.agents],
        "people": [_counted(person) for person in found.people],
        "ending": [
            {
                "within_seconds": None if ending.within_ms is None else ending.within_ms // 1000,
                **{str(risk): ending.by_risk.get(risk, 0) for risk in Risk},
            }
            for ending in found.ending
        ],
    }


def course(agent_history: AgentHistory) -> dict[str, object]:
    """The statistics of one agent."""
    return {
        "since": rfc3339(agent_history.since),
        "complete": agent_history.complete,
        "total": asdict(agent_history.counts),
        "days": days(agent_history.days),
    }


def days(found: Iterable[DayCounts]) -> list[dict[str, object]]:
    """Each day."""
    return [{"day": rfc3339(day.at)[:10], **asdict(day.counts)} for day in found]


def _counted(one: AgentCounts | PersonCounts) -> dict[str, object]:
    members = asdict(one)
    counts = members.pop("counts")
    return {**members, **counts}

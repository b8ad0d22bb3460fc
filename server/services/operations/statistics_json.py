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


def summary(statistics: Summary) -> dict[str, object]:
    """Return recent requests and answers by day, agent and person."""
    return {
        "since": rfc3339(statistics.since),
        "complete": statistics.complete,
        "pending": statistics.pending,
        "total": asdict(statistics.counts),
        "days": days(statistics.days),
        "agents": [_counted(agent) for agent in statistics.agents],
        "people": [_counted(person) for person in statistics.people],
        "ending": [
            {
                "within_seconds": None if ending.within_ms is None else ending.within_ms // 1000,
                **{str(risk): ending.by_risk.get(risk, 0) for risk in Risk},
            }
            for ending in statistics.ending
        ],
    }


def course(agent_history: AgentHistory) -> dict[str, object]:
    """Return the statistics for one agent."""
    return {
        "since": rfc3339(agent_history.since),
        "complete": agent_history.complete,
        "total": asdict(agent_history.counts),
        "days": days(agent_history.days),
    }


def days(day_counts: Iterable[DayCounts]) -> list[dict[str, object]]:
    """Return the counts for each day."""
    return [{"day": rfc3339(day.at)[:10], **asdict(day.counts)} for day in day_counts]


def _counted(subject: AgentCounts | PersonCounts) -> dict[str, object]:
    members = asdict(subject)
    counts = members.pop("counts")
    return {**members, **counts}

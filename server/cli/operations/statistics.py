"""`sayso approvals statistics`: requests and answers by day, agent and approver."""

from collections.abc import Iterator

import click

from server.cli.opening import OpenInstallation, Printed, prints
from server.cli.output import table
from server.lazy_imports import lazily
from server.protocol.times import rfc3339
from server.services.operations.statistics import (
    MAX_DAYS,
    AgentHistory,
    Counts,
    Summary,
)

with lazily():
    from server.http.operations import statistics as api

_HEADINGS = ("asked", "approved", "denied", "expired", "cancelled", "waiting", "median")


@click.command("statistics")
@click.option("--days", type=click.IntRange(1, MAX_DAYS), default=14, show_default=True)
@click.option("--agent", metavar="AGENT", help="Only this agent, by day.")
@prints
def statistics(admin: OpenInstallation, days: int, agent: str | None) -> Printed:
    """Show recent requests and answers by day, agent and approver."""
    if agent is not None:
        history = admin.statistics.of_agent(agent, days)
        return lambda: api.agent_statistics(history), _history_lines(history)
    summary = admin.statistics.summary(days)
    return lambda: api.statistics(summary), _lines(summary)


def _history_lines(history: AgentHistory) -> list[str]:
    """One agent's statistics: a table of days, and a note if it is incomplete."""
    rows = [(_day(day.at), *_cells(day.counts)) for day in history.days]
    return [*table(("day", *_HEADINGS), rows), *_incomplete_note(history)]


def _lines(summary: Summary) -> list[str]:
    """Tables by day, agent and person, and remarks."""
    groups = (
        ("day", [(_day(day.at), day.counts) for day in summary.days]),
        ("agent", [(agent.name, agent.counts) for agent in summary.agents]),
        ("person", [(person.name, person.counts) for person in summary.people]),
    )
    lines = [f"{summary.pending}{'' if summary.pending_complete else ' or more'} pending now."]
    for title, rows in groups:
        cells = [(name, *_cells(counts)) for name, counts in rows]
        lines += ["", *table((title, *_HEADINGS), cells)]
    return [*lines, *_remarks(summary)]


def _remarks(summary: Summary) -> Iterator[str]:
    yield from _incomplete_note(summary)
    for agent in summary.agents:
        if agent.unread:
            yield (
                f"Requests of {agent.name} are almost always approved, faster than anyone can "
                "read them."
            )
    for person in summary.people:
        if person.too_much:
            yield f"{person.name} was asked {person.busiest} times in one day."


def _incomplete_note(result: Summary | AgentHistory) -> Iterator[str]:
    if not result.complete:
        yield f"Only the newest {result.counts.asked} requests of this period were counted."


def _cells(counts: Counts) -> tuple[str, ...]:
    results = (counts.asked, counts.approved, counts.denied, counts.expired, counts.cancelled)
    median = "" if counts.median_ms is None else f"{counts.median_ms / 1000:.0f} s"
    return (*(str(count) for count in results), str(counts.waiting), median)


def _day(at: int) -> str:
    return (rfc3339(at) or "")[:10]

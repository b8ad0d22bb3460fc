"""The list entry and the details of an agent.

Owns: the wording. Never: revoking or suspending an agent; deciding which agents are listed.
"""

from approver_tui.state.clients.agents import Agent
from approver_tui.state.notifications.preferences import NotificationPrefs
from approver_tui.state.text import SafeText, pluralize
from approver_tui.widgets.approvals.outcomes import RenderContext, outcome
from approver_tui.widgets.consents.rights import access_lines, holdings_text, used_text
from approver_tui.widgets.entry_list import Entry
from approver_tui.widgets.lines import BLANK, Line, Role, fmt, line, wrap_text
from approver_tui.widgets.notifications.quiet import mute_text
from approver_tui.widgets.times import age

_MAX_LISTED = 20
"""How many of an agent's latest requests are listed."""


def agent_entry(agent: Agent, prefs: NotificationPrefs, now: int) -> Entry:
    """Return the entry of an agent, with its access or, if it has none, its request counts."""
    access = agent.current_access
    second_line = request_counts_text(agent, now) if access is None else holdings_text(access)
    return Entry(agent.id, agent.name, second_line, _state_text(agent, prefs, now))


def agent_lines(agent: Agent, prefs: NotificationPrefs, view: RenderContext) -> list[Line]:
    """Return the details of an agent."""
    mute = prefs.mute_of(agent.id)
    mute_rows = view.row("Muted", None if mute is None else mute_text(mute, view))
    access = agent.current_access
    head = _head_lines(agent, view) if access is None else [*access_lines(access, view), BLANK]
    return [*head, *mute_rows, *_ownership_rows(agent, view), *_request_lines(agent, view)]


def request_counts_text(agent: Agent, now: int) -> SafeText:
    """Return how many requests the agent sent recently, and their outcomes."""
    if not agent.recent_requests:
        return fmt("no requests in 7 days")
    parts = [pluralize(len(agent.recent_requests), "request")]
    counts = {"approved": agent.approved, "denied": agent.denied, "waiting": agent.waiting(now)}
    parts += [fmt("{} {}", count, SafeText(word)) for word, count in counts.items() if count]
    return SafeText(", ".join(parts))


def _head_lines(agent: Agent, view: RenderContext) -> list[Line]:
    return [
        *wrap_text(agent.name, view.width, Role.STRONG),
        BLANK,
        *view.row("ID", SafeText(agent.id)),
        *view.row("Access", fmt("none")),
    ]


def _ownership_rows(agent: Agent, view: RenderContext) -> list[Line]:
    owned = agent.owned
    if owned is None:
        return []
    return [
        *view.row("State", owned.state),
        *view.row("Owners", SafeText(", ".join(owned.owners))),
    ]


def _request_lines(agent: Agent, view: RenderContext) -> list[Line]:
    lines = view.row("Last 7 days", request_counts_text(agent, view.now))
    median_time = agent.median_time
    if median_time is not None:
        lines += view.row("Median answer", age(0, median_time))
    if not agent.recent_requests:
        return lines
    lines += [BLANK, line(fmt("LATEST REQUESTS"), Role.HEADING)]
    for approval in agent.recent_requests[:_MAX_LISTED]:
        headline = fmt("{} ago: {}", age(approval.created_at, view.now), approval.outcome_headline)
        outcome_text = outcome(approval, view.now, view.zone) or fmt("It is waiting for an answer.")
        lines += [
            *wrap_text(headline, view.width),
            *wrap_text(outcome_text, view.width, Role.DIM, indent=2),
        ]
    unlisted_count = len(agent.recent_requests) - _MAX_LISTED
    if unlisted_count > 0:
        lines += wrap_text(fmt("and {} more", unlisted_count), view.width, Role.DIM)
    return lines


def _state_text(agent: Agent, prefs: NotificationPrefs, now: int) -> SafeText:
    if agent.owned is not None and not agent.owned.is_enabled:
        return agent.owned.state
    if prefs.mute_of(agent.id):
        return fmt("muted")
    if agent.current_access is not None:
        return used_text(agent.current_access.last_used_at, now)
    return fmt("yours") if agent.owned is not None else SafeText("")

"""An agent as an entry and in full.

Owns: the wording. Never: revoking or suspending one; deciding which are listed.
"""

from approver_tui.state.clients.agents import Agent
from approver_tui.state.notifications.preferences import NotificationPrefs
from approver_tui.state.text import SafeText
from approver_tui.widgets.approvals.outcomes import RenderContext, outcome
from approver_tui.widgets.consents.rights import access_lines, holdings_text, used_text
from approver_tui.widgets.entry_list import Entry
from approver_tui.widgets.lines import BLANK, Line, Role, fmt, line, wrapped
from approver_tui.widgets.notifications.quiet import mute_text
from approver_tui.widgets.times import age

_MAX_LISTED = 20
"""How many of the latest requests are listed."""


def agent_entry(agent: Agent, attention: NotificationPrefs, now: int) -> Entry:
    """Return an agent as an entry: what it acts with, or else what it asked."""
    acting = agent.acting
    second = request_counts_text(agent, now) if acting is None else holdings_text(acting)
    return Entry(agent.id, agent.name, second, _state(agent, attention, now))


def agent_lines(agent: Agent, attention: NotificationPrefs, view: RenderContext) -> list[Line]:
    """Return everything known about an agent."""
    mute = attention.mute_of(agent.id)
    muted = [] if mute is None else view.row("Muted", mute_text(mute, view))
    acting = agent.acting
    head = _head(agent, view) if acting is None else [*access_lines(acting, view), BLANK]
    return [*head, *muted, *_owned(agent, view), *_request_lines(agent, view)]


def request_counts_text(agent: Agent, now: int) -> SafeText:
    """Return how many requests it sent recently, and their outcomes."""
    if not agent.asked:
        return fmt("no requests in 7 days")
    parts = [fmt("{} asked", len(agent.asked))]
    waiting = agent.waiting(now)
    for count, word in (
        (agent.approved, "approved"),
        (agent.denied, "denied"),
        (waiting, "waiting"),
    ):
        parts += [fmt("{} {}", count, SafeText(word))] if count else []
    return SafeText(", ".join(parts))


def _head(agent: Agent, view: RenderContext) -> list[Line]:
    return [
        *wrapped(agent.name, view.width, Role.STRONG),
        BLANK,
        *view.row("Id", SafeText(agent.id)),
        *view.row("Acts", fmt("not for you now")),
    ]


def _owned(agent: Agent, view: RenderContext) -> list[Line]:
    owned = agent.owned
    if owned is None:
        return []
    return [
        *view.row("State", owned.state),
        *view.row("Owners", SafeText(", ".join(owned.owners))),
    ]


def _request_lines(agent: Agent, view: RenderContext) -> list[Line]:
    lines = view.row("In 7 days", request_counts_text(agent, view.now))
    taken = agent.median_time
    if taken is not None:
        lines += view.row("Median answer", age(0, taken))
    if not agent.asked:
        return lines
    lines += [BLANK, line(fmt("LATEST REQUESTS"), Role.HEADING)]
    for approval in agent.asked[:_MAX_LISTED]:
        ago = fmt("{} ago: {}", age(approval.created_at, view.now), approval.outcome_headline)
        safe_text = outcome(approval, view.now, view.zone) or fmt("It is waiting for an answer.")
        lines += [*wrapped(ago, view.width), *wrapped(safe_text, view.width, Role.DIM, indent=2)]
    more = len(agent.asked) - _MAX_LISTED
    return [*lines, *(wrapped(fmt("and {} more", more), view.width, Role.DIM) if more > 0 else [])]


def _state(agent: Agent, attention: NotificationPrefs, now: int) -> SafeText:
    if agent.owned is not None and not agent.owned.is_enabled:
        return agent.owned.state
    if attention.mute_of(agent.id):
        return fmt("muted")
    if agent.acting is not None:
        return used_text(agent.acting.last_used_at, now)
    return fmt("yours") if agent.owned is not None else SafeText("")

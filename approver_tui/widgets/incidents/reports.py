"""What a report quarantines, in words, before and after it is sent.

Owns: the wording. Never: what a report quarantines; the server decides that.
"""

from types import MappingProxyType

from approver_tui.state.approvals.approvals import Approval, Kind
from approver_tui.state.incidents.reports import Reported, ReportScope, StoppedAgent
from approver_tui.state.text import SafeText
from approver_tui.widgets.lines import say

_WHOM = MappingProxyType(
    {
        None: SafeText("Only this request is denied."),
        ReportScope.AGENT: SafeText("This agent is quarantined for everybody."),
        ReportScope.EVERY_AGENT: SafeText("Every agent that acts for you is quarantined."),
    }
)


def choices(approval: Approval, *, is_open: bool) -> tuple[ReportScope | None, ...]:
    """Return the choices; None is this request only, which can only be denied once."""
    alone = (None,) if is_open else ()
    return (*alone, *ReportScope) if approval.kind is Kind.ACTION else (*alone, ReportScope.AGENT)


def choice_words(approval: Approval, choice: ReportScope | None) -> SafeText:
    """Return the label of a choice."""
    if choice is None:
        return say("This request")
    if choice is ReportScope.EVERY_AGENT:
        return say("Every agent acting for me")
    if approval.kind is Kind.ACTION:
        return say("This agent, {}", approval.agent.name)
    return say("This request, and notify administrators")


def consequence(approval: Approval, choice: ReportScope | None) -> SafeText:
    """Return what happens when this choice is sent."""
    if choice is not None and approval.kind is not Kind.ACTION:
        return say("It is denied, and administrators are notified. No agent made this request.")
    if choice is None:
        return say(
            "It is denied as not recognized, in 5 s, and its agent sees that. No "
            "agent is quarantined, "
            "and administrators are not notified."
        )
    return say(
        "{} The request is denied, tokens and all other requests end now, owners and "
        "administrators are notified. Only an administrator can release it.",
        _WHOM[choice],
    )


def what_was_stopped(reported: Reported) -> SafeText:
    """Return the result of a report in one line."""
    if not reported.agents:
        return say(
            "No agent made this request, so none was quarantined. Reported: {}.", reported.incident
        )
    first, *others = reported.agents
    more = say(" And {} more agents.", len(others)) if others else SafeText("")
    return say("{}{} Reported: {}.", _stopped(first), more, reported.incident)


def _stopped(agent: StoppedAgent) -> SafeText:
    return say(
        "{} is {}: {} and {} ended.",
        agent.name,
        agent.state,
        _tokens(agent.tokens_revoked),
        _requests(agent.requests_cancelled),
    )


def _tokens(count: int) -> SafeText:
    return say("1 token") if count == 1 else say("{} tokens", count)


def _requests(count: int) -> SafeText:
    return say("1 other request") if count == 1 else say("{} other requests", count)

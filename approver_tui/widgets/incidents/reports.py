"""What a report stops, in words, before it is sent and after.

Owns: the wording. Never: whom a report stops; the server says that.
"""

from types import MappingProxyType

from approver_tui.state.approvals.approvals import Approval, Kind
from approver_tui.state.incidents.reports import Reported, ReportScope, StoppedAgent
from approver_tui.state.text import SafeText
from approver_tui.widgets.lines import say

_WHOM = MappingProxyType(
    {
        None: SafeText("Only this request is denied."),
        ReportScope.AGENT: SafeText("Everything of this agent ends, for everybody."),
        ReportScope.EVERY_AGENT: SafeText("Every agent that acts for you is stopped."),
    }
)


def choices(approval: Approval, *, is_open: bool) -> tuple[ReportScope | None, ...]:
    """Return whom a report can stop; None is this request alone, which can only be denied once."""
    alone = (None,) if is_open else ()
    return (*alone, *ReportScope) if approval.kind is Kind.ACTION else (*alone, ReportScope.AGENT)


def choice_words(approval: Approval, choice: ReportScope | None) -> SafeText:
    """Return what a person chooses by."""
    if choice is None:
        return say("This request")
    if choice is ReportScope.EVERY_AGENT:
        return say("Every agent acting for me")
    if approval.kind is Kind.ACTION:
        return say("This agent, {}", approval.agent.name)
    return say("This request, and tell the administrators")


def consequence(approval: Approval, choice: ReportScope | None) -> SafeText:
    """Return what happens when this is chosen and sent."""
    if choice is not None and approval.kind is not Kind.ACTION:
        return say("It is refused, and the administrators are told. No agent asked for it.")
    if choice is None:
        return say(
            "It is denied as not recognised, in 5 s, and its agent is told so. Nobody is stopped, "
            "and no administrator hears of it."
        )
    return say(
        "{} The request is denied, tokens and all other requests end at once, owners and "
        "administrators are told. Only an administrator lets it go on.",
        _WHOM[choice],
    )


def what_was_stopped(reported: Reported) -> SafeText:
    """Return what came of a report, as one line."""
    if not reported.agents:
        return say("No agent had asked, so none was stopped. Reported: {}.", reported.incident)
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

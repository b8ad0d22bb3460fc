"""Texts about the agents that a report quarantines, before and after it is sent.

Owns: the wording. Never: deciding what a report quarantines, which the server does.
"""

from approver_tui.state.approvals.approvals import Approval, Kind
from approver_tui.state.incidents.reports import QuarantinedAgent, ReportResult, ReportScope
from approver_tui.state.text import SafeText, pluralize
from approver_tui.widgets.lines import fmt

_SCOPE_TEXTS = {
    None: SafeText("Only this request is denied."),
    ReportScope.AGENT: SafeText("This agent is quarantined for all users."),
    ReportScope.EVERY_AGENT: SafeText("Every agent that acts for you is quarantined."),
}


def scope_choices(approval: Approval, *, is_open: bool) -> tuple[ReportScope | None, ...]:
    """Return the choices; None denies only this request, while it is open."""
    request_only = (None,) if is_open else ()
    scopes = tuple(ReportScope) if approval.kind is Kind.ACTION else (ReportScope.AGENT,)
    return (*request_only, *scopes)


def choice_label(approval: Approval, choice: ReportScope | None) -> SafeText:
    """Return the label of a choice."""
    if choice is None:
        return fmt("This request")
    if choice is ReportScope.EVERY_AGENT:
        return fmt("Every agent acting for me")
    if approval.kind is Kind.ACTION:
        return fmt("This agent, {}", approval.agent.name)
    return fmt("This request, and notify administrators")


def consequence_text(approval: Approval, choice: ReportScope | None) -> SafeText:
    """Return what happens if the user sends this choice."""
    if choice is not None and approval.kind is not Kind.ACTION:
        return fmt("It is denied, and administrators are notified. No agent made this request.")
    if choice is None:
        return fmt(
            "It is denied as not recognized, in 5 s, and its agent sees that. No agent is "
            "quarantined, and administrators are not notified."
        )
    return fmt(
        "{} The request is denied, tokens and all other requests end now, owners and "
        "administrators are notified. Only an administrator can release it.",
        _SCOPE_TEXTS[choice],
    )


def report_result_text(reported: ReportResult) -> SafeText:
    """Return the result of a report in one line."""
    if not reported.agents:
        return fmt(
            "No agent made this request, so none was quarantined. Reported: {}.", reported.incident
        )
    first, *others = reported.agents
    others_text = fmt(" And {}.", pluralize(len(others), "more agent")) if others else SafeText("")
    return fmt("{}{} Reported: {}.", _quarantined_text(first), others_text, reported.incident)


def _quarantined_text(agent: QuarantinedAgent) -> SafeText:
    return fmt(
        "{} is {}: {} and {} ended.",
        agent.name,
        agent.state,
        pluralize(agent.tokens_revoked, "token"),
        pluralize(agent.requests_cancelled, "other request"),
    )

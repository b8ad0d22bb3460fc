"""Requests that the user selects, to answer several together.

Selected requests have the same agent and action type and low or medium risk, and require only a
confirmation or the PIN. Each request keeps its own texts, answer and expiry.

Owns: which can be selected together, and when one is deselected. Never: answers, reading a clock.
"""

import json
from collections.abc import Sequence

from approver_tui.state.approvals.approvals import Approval, Kind
from approver_tui.state.approvals.ceremony import Step
from approver_tui.state.risks import Risk
from approver_tui.state.text import SafeText, display_safe

_MAX_TYPES_LENGTH = 60
_NO_REASON: SafeText = SafeText("")


def individual_reason(approval: Approval) -> SafeText:
    """Return why this request must be answered individually, or an empty string.

    The reason is shown after "Select unavailable:".
    """
    if approval.kind is not Kind.ACTION:
        return SafeText("only agent actions can be selected.")
    if approval.risk.rank > Risk.MEDIUM.rank:
        return SafeText(f"{approval.risk}-risk requests are answered individually.")
    if extra := sorted(approval.steps - {Step.PIN}):
        return SafeText(
            f"approving requires {approval.requirement(extra[0])}, so it is answered individually."
        )
    if approval.vote_tally is not None:
        return SafeText("it has several approvers, so it is answered individually.")
    return _NO_REASON


def selection_blocker(approval: Approval, selected: Sequence[Approval]) -> SafeText:
    """Return why a request cannot be added to the selection, or an empty string."""
    if reason := individual_reason(approval):
        return reason
    if not selected:
        return _NO_REASON
    first = selected[0]
    if approval.agent.id != first.agent.id:
        return SafeText(f"the selected requests are from a different agent, {first.agent.name}.")
    if action_types(approval) != action_types(first):
        return SafeText(f"the selected requests are of a different type, {_types_text(first)}.")
    return _NO_REASON


def is_selection_lost(selected: Approval, copy: Approval | None, now: int) -> bool:
    """Return whether a selected request has changed or can no longer be answered."""
    if copy is None or copy.texts != selected.texts or not copy.is_waiting(now):
        return True
    return bool(individual_reason(copy))


def action_types(approval: Approval) -> tuple[str, ...]:
    """Return the action types, which must be equal for two requests to be selected together.

    A request for scopes only has no action type; its resource and scopes are used instead.
    """
    action = json.loads(approval.action_text)
    types = tuple(detail["type"] for detail in action["authorization_details"])
    return types or (action["resource"], *action["scope"])


def _types_text(approval: Approval) -> SafeText:
    return display_safe(", ".join(action_types(approval)), max_len=_MAX_TYPES_LENGTH)

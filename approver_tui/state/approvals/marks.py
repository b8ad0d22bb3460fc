"""Requests that a person marks, to answer several at once.

Only those of one agent and of one type of action, of low or medium risk, of which a yes takes a
confirmation or the PIN and nothing else. Each keeps its own texts, its own answer and its own end.
Owns: which may be marked together, and when one loses its mark. Never: an answer; a clock.
"""

import json
from collections.abc import Sequence

from approver_tui.state.approvals.approvals import Approval, Kind
from approver_tui.state.approvals.ceremony import Step
from approver_tui.state.risks import Risk
from approver_tui.state.text import SafeText, display_safe

_LONGEST_TYPE = 60
_MAY: SafeText = SafeText("")


def why_alone(approval: Approval) -> SafeText:
    """Return why this one is answered by itself, whatever else is marked; nothing if it need not.

    It goes on after "Mark is off:".
    """
    if approval.kind is not Kind.ACTION:
        return SafeText("only what an agent wants to do can be marked.")
    if approval.risk.rank > Risk.MEDIUM.rank:
        return SafeText(f"what is of {approval.risk} risk is answered alone.")
    if more := sorted(approval.steps - {Step.PIN}):
        return SafeText(f"a yes takes {approval.what(more[0])}, so it is answered alone.")
    if approval.together is not None:
        return SafeText("other people are asked too, so it is answered alone.")
    return _MAY


def why_not_marked(approval: Approval, marked: Sequence[Approval]) -> SafeText:
    """Return why this one cannot be marked beside those; nothing if it can."""
    if reason := why_alone(approval):
        return reason
    if not marked:
        return _MAY
    first = marked[0]
    if approval.agent.id != first.agent.id:
        return SafeText(f"what is marked is of another agent, {first.agent.name}.")
    if what(approval) != what(first):
        return SafeText(f"what is marked is of another type, {_named(first)}.")
    return _MAY


def is_lost(marked: Approval, copy: Approval | None, now: int) -> bool:
    """Whether a request, as it was marked, is not what `copy` is now, or cannot be answered."""
    if copy is None or copy.texts != marked.texts or not copy.is_waiting(now):
        return True
    return bool(why_alone(copy))


def what(approval: Approval) -> tuple[str, ...]:
    """Return what two must share to be marked together: their types of action.

    A request for rights alone has none; of those the rights and the resource must be the same.
    """
    action = json.loads(approval.action_text)
    types = tuple(detail["type"] for detail in action["authorization_details"])
    return types or (action["resource"], *action["scope"])


def _named(approval: Approval) -> SafeText:
    return display_safe(", ".join(what(approval)), max_len=_LONGEST_TYPE)

"""Marks and unmarks requests, and writes the messages about it.

Owns: marking all requests in a row or in the list, the message for lost marks. Never: deciding
which requests may be marked together; `state/approvals/marks.py` does.
"""

from approver_tui.screens.approvals.blockers import AnswerContext, answer_blocker
from approver_tui.screens.approvals.inbox_state import InboxState
from approver_tui.state.approvals.approvals import Approval
from approver_tui.state.approvals.marks import mark_blocker
from approver_tui.state.text import SafeText
from approver_tui.widgets.approvals.outcomes import outcome
from approver_tui.widgets.lines import fmt


def toggle_mark(state: InboxState, moment: AnswerContext) -> tuple[InboxState, SafeText]:
    """Mark or unmark the selected row. Returns the new state and the message."""
    approvals = state.row_requests(moment.now)
    ids = {approval.id for approval in approvals}
    if ids and ids <= state.marked_ids:
        after = state.without_marks(ids)
        return after, _count_text(after)
    first = approvals[0] if approvals else state.current
    if reason := _mark_blocker(state, first, moment):
        return state, fmt("Select unavailable: {}", reason)
    after = state.with_marks(approvals)
    return after, _count_text(after)


def toggle_all(state: InboxState, moment: AnswerContext) -> tuple[InboxState, SafeText]:
    """Mark all requests that can be answered together with the marked or selected ones.

    If all of them are marked, unmark all. Returns the new state and the message.
    """
    start = state if state.marks else toggle_mark(state, moment)[0]
    if not start.marks:
        return toggle_mark(state, moment)
    compatible = [row for row in state.visible.rows if not _mark_blocker(start, row, moment)]
    are_all_marked = {approval.id for approval in compatible} <= state.marked_ids
    after = (
        start.without_marks(start.marked_ids) if are_all_marked else start.with_marks(compatible)
    )
    return after, _count_text(after)


def _mark_blocker(state: InboxState, approval: Approval | None, moment: AnswerContext) -> SafeText:
    """Return why a request cannot be marked with the others; empty if it can."""
    reason = answer_blocker(state, approval, moment)
    return reason or (SafeText("") if approval is None else mark_blocker(approval, state.marks))


def changed_marks_text(
    changed: tuple[Approval, ...], state: InboxState, moment: AnswerContext
) -> SafeText:
    """Return which requests are no longer marked, and why."""
    if len(changed) > 1:
        return fmt("{} are no longer selected: answered, changed or ended.", len(changed))
    name = SafeText(changed[0].fingerprint)
    return fmt("{} is no longer selected: {}", name, mark_change_reason(changed[0], state, moment))


def mark_change_reason(approval: Approval, state: InboxState, moment: AnswerContext) -> SafeText:
    """Return why a marked request can no longer be answered."""
    copy = state.inbox.find(approval.id)
    if copy is None:
        return fmt("it is no longer waiting.")
    return outcome(copy, moment.now, moment.zone) or fmt("it changed.")


def _count_text(state: InboxState) -> SafeText:
    if not state.marks:
        return fmt("Nothing is selected.")
    return fmt("{} selected. Approve and deny apply to all of them.", len(state.marks))

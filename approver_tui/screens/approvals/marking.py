"""Marking and unmarking requests, and the messages about it.

Owns: marking all requests of a row, the text for lost marks. Never: which may be marked together;
`state/approvals/marks.py` decides that.
"""

from approver_tui.screens.approvals.inbox_state import InboxState
from approver_tui.screens.approvals.reasons import AnswerContext, why_no_answer
from approver_tui.state.approvals.approvals import Approval
from approver_tui.state.approvals.marks import why_not_marked
from approver_tui.state.text import SafeText
from approver_tui.widgets.approvals.outcomes import outcome
from approver_tui.widgets.lines import say


def toggle_mark(state: InboxState, moment: AnswerContext) -> tuple[InboxState, SafeText]:
    """Return the state with the selected row marked or unmarked, and the message."""
    chosen = state.in_row(moment.now)
    ids = {each.id for each in chosen}
    if ids and ids <= state.marked:
        after = state.without_marks(ids)
        return after, _how_many(after)
    first = chosen[0] if chosen else state.current
    reason = why_no_answer(state, first, moment)
    if not reason and first is not None:
        reason = why_not_marked(first, state.marks)
    if reason:
        return state, say("Select unavailable: {}", reason)
    after = state.with_marks(chosen)
    return after, _how_many(after)


def clear_marks(state: InboxState) -> tuple[InboxState, SafeText]:
    """Return the state with nothing marked, and the message."""
    after = state.without_marks(state.marked)
    return after, _how_many(after)


def lost_marks_text(
    lost: tuple[Approval, ...], state: InboxState, moment: AnswerContext
) -> SafeText:
    """Return which requests are no longer marked, and why."""
    if len(lost) > 1:
        return say("{} are no longer selected: answered, changed or ended.", len(lost))
    name = SafeText(lost[0].fingerprint)
    return say("{} is no longer selected: {}", name, why_lost(lost[0], state, moment))


def why_lost(approval: Approval, state: InboxState, moment: AnswerContext) -> SafeText:
    """Return why a marked request can no longer be answered."""
    copy = state.inbox.find(approval.id)
    if copy is None:
        return say("it is no longer waiting.")
    return outcome(copy, moment.now, moment.zone) or say("it changed.")


def _how_many(state: InboxState) -> SafeText:
    if not state.marks:
        return say("Nothing is selected.")
    return say("{} selected. Approve and deny apply to all of them.", len(state.marks))

"""The mark key: what is marked after it, and what to say of it.

Owns: marking all that one row stands for, the words for marks that are lost.
Never: which may be marked together; that is `state/marks.py`.
"""

from approver_tui.screens.approvals.inbox_state import InboxState
from approver_tui.screens.approvals.reasons import AnswerContext, why_no_answer
from approver_tui.state.approvals.approvals import Approval
from approver_tui.state.approvals.marks import why_not_marked
from approver_tui.state.text import SafeText
from approver_tui.widgets.approvals.outcomes import outcome
from approver_tui.widgets.lines import say


def toggle_mark(state: InboxState, moment: AnswerContext) -> tuple[InboxState, SafeText]:
    """Return the table with the selected row marked, or no longer; and what to say."""
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
        return state, say("Mark is off: {}", reason)
    after = state.with_marks(chosen)
    return after, _how_many(after)


def clear_marks(state: InboxState) -> tuple[InboxState, SafeText]:
    """Return the table with nothing marked, and what to say."""
    after = state.without_marks(state.marked)
    return after, _how_many(after)


def lost_marks_text(
    lost: tuple[Approval, ...], state: InboxState, moment: AnswerContext
) -> SafeText:
    """Return which are no longer marked, and why."""
    if len(lost) > 1:
        return say("{} are no longer marked: answered, changed or over.", len(lost))
    name = SafeText(lost[0].fingerprint)
    return say("{} is no longer marked: {}", name, why_lost(lost[0], state, moment))


def why_lost(approval: Approval, state: InboxState, moment: AnswerContext) -> SafeText:
    """Return why a request, as somebody chose it, can no longer be answered among others."""
    copy = state.inbox.find(approval.id)
    if copy is None:
        return say("it waits no more.")
    return outcome(copy, moment.now, moment.zone) or say("it changed.")


def _how_many(state: InboxState) -> SafeText:
    if not state.marks:
        return say("Nothing is marked.")
    return say("{} marked. Approve and deny are for all of them.", len(state.marks))

"""Selects and deselects requests, and writes the messages about it.

Owns: selecting all requests in a row or in the list, the message about requests that are no longer
selected. Never: deciding which requests may be selected together; `state/approvals/selection.py`
does.
"""

from approver_tui.screens.approvals.blockers import answer_blocker
from approver_tui.screens.approvals.inbox_state import InboxState
from approver_tui.screens.context import ScreenContext
from approver_tui.state.approvals.approvals import Approval
from approver_tui.state.approvals.selection import selection_blocker
from approver_tui.state.text import SafeText
from approver_tui.widgets.approvals.outcomes import outcome
from approver_tui.widgets.lines import fmt


def toggle_row(state: InboxState, context: ScreenContext) -> tuple[InboxState, SafeText]:
    """Select or deselect the row under the cursor. Returns the new state and the message."""
    approvals = state.row_requests(context.now())
    ids = {approval.id for approval in approvals}
    if ids and ids <= state.selected_ids:
        new_state = state.without_selected(ids)
        return new_state, _count_text(new_state)
    first = approvals[0] if approvals else state.current
    if reason := _selection_blocker(state, first, context):
        return state, fmt("Select unavailable: {}", reason)
    new_state = state.with_selected(approvals)
    return new_state, _count_text(new_state)


def toggle_all(state: InboxState, context: ScreenContext) -> tuple[InboxState, SafeText]:
    """Select all requests that can be answered together with the selected ones.

    If none is selected, start with the row under the cursor. If all of them are selected, deselect
    all. Returns the new state and the message.
    """
    start = state if state.selection else toggle_row(state, context)[0]
    if not start.selection:
        return toggle_row(state, context)
    compatible = [row for row in state.visible.rows if not _selection_blocker(start, row, context)]
    are_all_selected = {approval.id for approval in compatible} <= state.selected_ids
    new_state = (
        start.without_selected(start.selected_ids)
        if are_all_selected
        else start.with_selected(compatible)
    )
    return new_state, _count_text(new_state)


def _selection_blocker(
    state: InboxState, approval: Approval | None, context: ScreenContext
) -> SafeText:
    """Return why a request cannot be selected with the others; empty if it can."""
    reason = answer_blocker(state, approval, context)
    return reason or (
        SafeText("") if approval is None else selection_blocker(approval, state.selection)
    )


def changed_selection_text(
    changed: tuple[Approval, ...], state: InboxState, context: ScreenContext
) -> SafeText:
    """Return which requests are no longer selected, and why."""
    if len(changed) > 1:
        return fmt("{} are no longer selected: answered, changed or ended.", len(changed))
    name = SafeText(changed[0].fingerprint)
    return fmt("{} is no longer selected: {}", name, change_reason(changed[0], state, context))


def change_reason(approval: Approval, state: InboxState, context: ScreenContext) -> SafeText:
    """Return why a selected request can no longer be answered."""
    copy = state.inbox.find(approval.id)
    if copy is None:
        return fmt("it is no longer waiting.")
    return outcome(copy, context.now(), context.zone) or fmt("it changed.")


def _count_text(state: InboxState) -> SafeText:
    if not state.selection:
        return fmt("Nothing is selected.")
    return fmt("{} selected. Approve and deny apply to all of them.", len(state.selection))

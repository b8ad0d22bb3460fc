"""The mark key: what is marked after it, and what to say of it.

Owns: marking all that one row stands for, the words for marks that are lost.
Never: which may be marked together; that is `state/marks.py`.
"""

from approver_tui.screens.reasons import Moment, why_no_answer
from approver_tui.screens.table import Table
from approver_tui.state.approvals import Approval
from approver_tui.state.marks import why_not_marked
from approver_tui.state.text import SafeText
from approver_tui.widgets.lines import say
from approver_tui.widgets.records import outcome


def turned(table: Table, moment: Moment) -> tuple[Table, SafeText]:
    """Return the table with the selected row marked, or no longer; and what to say."""
    chosen = table.in_row(moment.now)
    ids = {each.id for each in chosen}
    if ids and ids <= table.marked:
        after = table.without_marks(ids)
        return after, _how_many(after)
    first = chosen[0] if chosen else table.current
    reason = why_no_answer(table, first, moment)
    if not reason and first is not None:
        reason = why_not_marked(first, table.marks)
    if reason:
        return table, say("Mark is off: {}", reason)
    after = table.with_marks(chosen)
    return after, _how_many(after)


def cleared(table: Table) -> tuple[Table, SafeText]:
    """Return the table with nothing marked, and what to say."""
    after = table.without_marks(table.marked)
    return after, _how_many(after)


def lost_words(lost: tuple[Approval, ...], table: Table, moment: Moment) -> SafeText:
    """Return which are no longer marked, and why."""
    if len(lost) > 1:
        return say("{} are no longer marked: answered, changed or over.", len(lost))
    name = SafeText(lost[0].fingerprint)
    return say("{} is no longer marked: {}", name, why_lost(lost[0], table, moment))


def why_lost(approval: Approval, table: Table, moment: Moment) -> SafeText:
    """Return why a request, as somebody chose it, can no longer be answered among others."""
    copy = table.inbox.find(approval.id)
    if copy is None:
        return say("it waits no more.")
    return outcome(copy, moment.now, moment.zone) or say("it changed.")


def _how_many(table: Table) -> SafeText:
    if not table.marks:
        return say("Nothing is marked.")
    return say("{} marked. Approve and deny are for all of them.", len(table.marks))

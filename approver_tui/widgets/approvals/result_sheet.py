"""The list of results of several answers.

Owns: the wording of a result. Never: what the result is.
"""

from approver_tui.state.approvals.results import AnswerState, Result, Results
from approver_tui.state.text import SafeText
from approver_tui.widgets.lines import Line, Piece, Role, fmt, wrapped
from approver_tui.widgets.sheet import SCROLLING, Sheet

_INDENT = 2
_ROLES = {
    AnswerState.APPROVED: Role.STRONG,
    AnswerState.DENIED: Role.STRONG,
    AnswerState.REFUSED: Role.ALERT,
    AnswerState.NOT_SENT: Role.ALERT,
    AnswerState.UNKNOWN: Role.ALERT,
}


class ResultSheet(Sheet, can_focus=True):
    """The result, the fingerprint, the headline, and the explanation."""

    BINDINGS = SCROLLING

    def __init__(self, results: Results) -> None:
        super().__init__()
        self._results = results

    def show(self, results: Results) -> None:
        """Draw another list."""
        if results != self._results:
            self._results = results
            self.relayout()

    def lines_for(self, width: int) -> list[Line]:
        """Return the list."""
        return [row for each in self._results.items for row in _lines(each, width)]


def summary(results: Results) -> SafeText:
    """Return the number of each result: "2 approved, 1 already decided"."""
    parts = (fmt("{} {}", count, SafeText(fate)) for fate, count in results.counts.items())
    return SafeText(", ".join(parts))


def _lines(result: Result, width: int) -> list[Line]:
    approval, role = result.approval, _ROLES.get(result.state, Role.PLAIN)
    word = Piece(SafeText(result.state.capitalize()), role)
    head = (Piece(fmt("{}  ", SafeText(approval.fingerprint))), word)
    why = wrapped(result.reason, width, role, indent=_INDENT) if result.reason else []
    return [head, *wrapped(approval.outcome_headline, width, indent=_INDENT), *why]

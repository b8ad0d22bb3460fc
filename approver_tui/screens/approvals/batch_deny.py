"""The panel that denies several requests at once.

Owns: one reason and one note for all requests. Never: sending the denials, which first wait five
seconds.
"""

from textual.app import ComposeResult

from approver_tui.screens.approvals.batch import BatchPanel
from approver_tui.screens.approvals.blockers import answer_blocker
from approver_tui.screens.approvals.deny import DenyingPanel
from approver_tui.screens.approvals.inbox_state import InboxState
from approver_tui.screens.context import ScreenContext
from approver_tui.screens.keys import BATCH_DENY_HELP, BATCH_DENY_KEYS
from approver_tui.screens.panel import BatchSubmitted
from approver_tui.state.approvals.approvals import Approval
from approver_tui.state.text import SafeText
from approver_tui.widgets.approvals.denial_form import DenialForm
from approver_tui.widgets.lines import fmt


class BatchDenyPanel(BatchPanel, DenyingPanel):
    """A batch panel with the fields of a denial."""

    HINTS = BATCH_DENY_KEYS
    HELP_ROWS = BATCH_DENY_HELP

    def __init__(self, context: ScreenContext, state: InboxState) -> None:
        super().__init__(context, state, with_unusual=True)
        self.form = DenialForm(self.requests.rows[0].kind, context.environment.editor)

    def introduction(self, agent: SafeText) -> SafeText:
        """Return the line that says what would be denied."""
        return fmt("Deny all of these from {}:", agent)

    def fields(self) -> ComposeResult:
        """Lay out the reasons and the note."""
        yield self.form

    def draw_widgets(self) -> None:
        """Also show the fields that the chosen reason needs."""
        self.form.show()
        super().draw_widgets()

    def request_blocker(self, approval: Approval) -> SafeText:
        """Return why this request cannot be denied now; empty if it can."""
        return answer_blocker(self.state, approval, self.context)

    def missing_entry(self) -> SafeText:
        """Return the hint to choose a reason; empty once one is chosen."""
        return self.missing_reason

    def submit(self) -> None:
        """Open the results panel, in which all denials can be undone for five seconds."""
        if denial := self.denial:
            self.finish(BatchSubmitted(self.requests.selected, denial))

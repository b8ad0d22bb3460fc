"""The panel in which the user creates a standing grant.

Owns: the fields for its limits, showing the preview, creating the request for the grant. Never:
approving; accepting text for signing that does not match the proposal exactly.
"""

from collections.abc import Mapping
from functools import partial
from typing import ClassVar

from textual.app import ComposeResult
from textual.binding import Binding, BindingType

from approver_tui.screens.approvals.blockers import approval_blocker, standing_grant_blocker
from approver_tui.screens.approvals.change_panel import ChangePanel
from approver_tui.screens.approvals.inbox_state import InboxState
from approver_tui.screens.context import ScreenContext
from approver_tui.screens.keys import STANDING_GRANT_HELP, STANDING_GRANT_KEYS
from approver_tui.screens.panel import ApproveNext
from approver_tui.state.approvals.approvals import Approval
from approver_tui.state.standing_grants.standing_grants import GrantPreview, StandingGrantProposal
from approver_tui.state.standing_grants.varying import currency_text, varying_members
from approver_tui.state.text import SafeText
from approver_tui.widgets.entry_sheet import PreviewSheet
from approver_tui.widgets.lines import Line, Role, fmt, wrap_text
from approver_tui.widgets.standing_grants.grant_form import LABELS, StandingGrantForm
from approver_tui.widgets.standing_grants.standing_grants import preview_lines


class StandingGrantPanel(ChangePanel[StandingGrantProposal, GrantPreview]):
    """The panel with fields, a preview, and the Back and Continue buttons."""

    NAME = "standing-grant"
    TITLE = SafeText("Similar?")
    ALLOWS_ENDED_REQUESTS = True
    REFUSED = SafeText("Nothing was approved.")
    HINTS = STANDING_GRANT_KEYS
    HELP_ROWS = STANDING_GRANT_HELP
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("pagedown", "read(1)", show=False),
        Binding("pageup", "read(-1)", show=False),
    ]

    def __init__(self, context: ScreenContext, state: InboxState, approval: Approval) -> None:
        super().__init__(context, state, approval, fmt("choose a duration."))
        self._members = varying_members(approval)
        can_approve = not approval_blocker(state, approval, self.context)
        self._form = StandingGrantForm(
            approval.risk, self._members, currency_text(approval), can_approve=can_approve
        )

    def controls(self) -> ComposeResult:
        """Lay out the fields and the preview."""
        yield self._form
        yield PreviewSheet(id="grant-preview")

    def draw_preview(self) -> None:
        """Show the preview, or what to enter."""
        self.query_one(PreviewSheet).show(self._preview_lines, (self.NAME, self.preview))

    def _preview_lines(self, width: int) -> list[Line]:
        if self.preview is not None:
            return preview_lines(self.preview, self._members, self.context.view(width))
        words = fmt("Choose a duration and enter the max uses. The preview is shown here.")
        return wrap_text(words, width, Role.DIM)

    def blocker(self) -> SafeText:
        """Return why the button is unavailable; empty if it is available."""
        if reason := standing_grant_blocker(self.state, self.approval, self.context):
            return reason
        return fmt("loading.") if self.is_busy or self.is_loading else self.problem

    def read_proposal(self) -> StandingGrantProposal:
        """Return the proposal. Raises ValueError that says what is missing."""
        return self._form.proposal(self.approval.id)

    def fetch_preview(self, proposal: StandingGrantProposal) -> GrantPreview:
        """Ask the server for the preview. Runs in a thread."""
        return self.context.grants_client.preview(proposal)

    def labels(self) -> Mapping[str, SafeText]:
        """Return the labels of the fields, by the server's name for each member."""
        return {member.pointer: member.label for member in self._members} | LABELS

    def proceed(self, proposal: StandingGrantProposal, preview: GrantPreview) -> None:
        """Create the request for the standing grant, in a thread."""
        del preview
        self.is_busy = True
        self.update_panel()
        work = partial(self.context.grants_client.request, proposal, self.approval)
        failed = partial(self.preview_failed, proposal)
        self.run_in_thread(work, self._grant_requested, failed, group="grant")

    def _grant_requested(self, grant_request: Approval) -> None:
        example = self.approval if self._form.also.is_on else None
        self.finish(ApproveNext(grant_request, example))

    def action_read(self, pages: int) -> None:
        """Scroll the preview."""
        sheet = self.query_one(PreviewSheet)
        (sheet.action_page_down if pages > 0 else sheet.action_page_up)()

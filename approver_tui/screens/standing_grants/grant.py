"""The panel in which the user creates a standing grant.

Owns: asking for its limits, showing the preview, creating the request that gives it. Never:
approving; accepting a text for signing that is not exactly the proposal.
"""

from functools import partial
from typing import ClassVar

from textual import on
from textual.app import ComposeResult
from textual.binding import Binding, BindingType

from approver_tui.client import errors
from approver_tui.screens import thread_messages
from approver_tui.screens.approvals.blockers import standing_grant_blocker
from approver_tui.screens.approvals.change_panel import ChangePanel, PreviewFailed
from approver_tui.screens.approvals.inbox_state import InboxState
from approver_tui.screens.context import ScreenContext
from approver_tui.screens.keys import standing_grant_help, standing_grant_keys
from approver_tui.screens.panel import PanelClosed, StandingGrantChosen
from approver_tui.state.approvals.approvals import Approval
from approver_tui.state.standing_grants.standing_grants import GrantPreview, StandingGrantProposal
from approver_tui.state.text import SafeText
from approver_tui.widgets.lines import fmt
from approver_tui.widgets.standing_grants.grant_form import StandingGrantForm
from approver_tui.widgets.standing_grants.grant_sheet import GrantPreviewSheet


class _GrantRequestOpened(thread_messages.ValueMessage[Approval]):
    """The request that creates the grant."""


class StandingGrantPanel(ChangePanel[StandingGrantProposal, GrantPreview]):
    """Fields, preview, Back, the button that continues."""

    NAME = "standing-grant"
    TITLE = SafeText("Standing grant?")
    REFUSED = SafeText("Nothing was approved.")
    HINTS = standing_grant_keys()
    HELP_ROWS = standing_grant_help()
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape", "back", show=False),
        Binding("f1", "help", show=False),
        Binding("down", "app.focus_next", show=False),
        Binding("up", "app.focus_previous", show=False),
        Binding("pagedown", "read(1)", show=False),
        Binding("pageup", "read(-1)", show=False),
    ]

    def __init__(self, context: ScreenContext, state: InboxState, approval: Approval) -> None:
        super().__init__(context, state, approval, fmt("enter how long."))
        self._form = StandingGrantForm(approval.risk)

    def controls(self) -> ComposeResult:
        """Lay out the fields and the preview."""
        yield self._form
        yield GrantPreviewSheet(self.context.now, self.context.zone)

    def draw_preview(self) -> None:
        """Show the preview."""
        self.query_one(GrantPreviewSheet).show(self.preview)

    def blocker(self) -> SafeText:
        """Return why the button is unavailable, or an empty text."""
        if reason := standing_grant_blocker(self.state, self.approval, self.moment):
            return reason
        return fmt("loading.") if self.is_busy or self.is_loading else self.problem

    def read_proposal(self) -> StandingGrantProposal:
        """Return the proposal. Raises ValueError with what is missing."""
        return self._form.proposal(self.approval.id)

    def fetch_preview(self, proposal: StandingGrantProposal) -> GrantPreview:
        """Ask for the preview. Runs in a thread."""
        return self.context.grants_client.preview(proposal)

    def proceed(self, proposal: StandingGrantProposal, preview: GrantPreview) -> None:
        """Create the request that gives it."""
        del preview
        self.is_busy = True
        self.update_panel()
        self.run_worker(partial(self._request_grant, proposal), thread=True, group="grant")

    @on(_GrantRequestOpened)
    def _grant_requested(self, message: _GrantRequestOpened) -> None:
        self.finish(StandingGrantChosen(message.value))

    def action_read(self, pages: int) -> None:
        """Scroll the preview."""
        sheet = self.query_one(GrantPreviewSheet)
        (sheet.action_page_down if pages > 0 else sheet.action_page_up)()

    def _ended_result(self, copy: Approval) -> PanelClosed | None:
        """A past request can be the example too."""
        del copy
        return None

    def _request_grant(self, proposal: StandingGrantProposal) -> None:
        """Runs in a thread."""
        try:
            grant_request = self.context.grants_client.request(proposal, self.approval)
        except errors.ClientError as error:
            self.post_message(PreviewFailed(proposal, error))
        else:
            self.post_message(_GrantRequestOpened(grant_request))

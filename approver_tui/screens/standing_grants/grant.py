"""The panel in which the user creates a standing grant.

Owns: asking for its limits, showing the preview, creating the request that gives it. Never:
approves; accepts a text for signing that is not exactly the proposal.
"""

from functools import partial
from typing import ClassVar

from textual import on
from textual.app import ComposeResult
from textual.binding import Binding, BindingType

from approver_tui.client import errors
from approver_tui.screens import thread_messages
from approver_tui.screens.approvals.change_panel import ChangePanel, PreviewFailed
from approver_tui.screens.approvals.inbox_state import InboxState
from approver_tui.screens.approvals.reasons import why_no_standing_grant
from approver_tui.screens.context import ScreenContext
from approver_tui.screens.keys import similar_help, similar_keys
from approver_tui.screens.panel import PanelClosed, StandingGrantChosen
from approver_tui.state.approvals.approvals import Approval
from approver_tui.state.standing_grants.standing_grants import GrantPreview, StandingGrantProposal
from approver_tui.state.text import SafeText
from approver_tui.widgets.lines import say
from approver_tui.widgets.standing_grants.grant_form import StandingGrantForm
from approver_tui.widgets.standing_grants.grant_sheet import StandingGrantSheet


class _GrantRequestOpened(thread_messages.ValueMessage[Approval]):
    """The request that creates the grant."""


class StandingGrantPanel(ChangePanel[StandingGrantProposal, GrantPreview]):
    """Fields, preview, Back, the button that continues."""

    NAME = "similar"
    TITLE = SafeText("Standing grant?")
    REFUSED = SafeText("Nothing was approved.")
    HINTS = similar_keys()
    HELP_ROWS = similar_help()
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape", "back", show=False),
        Binding("f1", "help", show=False),
        Binding("down", "app.focus_next", show=False),
        Binding("up", "app.focus_previous", show=False),
        Binding("pagedown", "read(1)", show=False),
        Binding("pageup", "read(-1)", show=False),
    ]

    def __init__(self, context: ScreenContext, state: InboxState, approval: Approval) -> None:
        super().__init__(context, state, approval, say("enter how long."))
        self._form = StandingGrantForm(approval.risk)

    def controls(self) -> ComposeResult:
        """Lay out the fields and the preview."""
        yield self._form
        yield StandingGrantSheet(self.context.now, self.context.zone)

    def draw_answer(self) -> None:
        """Show the preview."""
        self.query_one(StandingGrantSheet).show(self.answer)

    def why_off(self) -> SafeText:
        """Return why the button is unavailable, or an empty text."""
        if reason := why_no_standing_grant(self.state, self.approval, self.moment):
            return reason
        return say("loading.") if self.is_busy or self.is_asking else self.problem

    def read_wish(self) -> StandingGrantProposal:
        """Return the proposal. Raises ValueError with what is missing."""
        return self._form.wish(self.approval.id)

    def ask(self, wish: StandingGrantProposal) -> GrantPreview:
        """Ask for the preview. Runs in a thread."""
        return self.context.grants_client.preview(wish)

    def go_on(self, wish: StandingGrantProposal, answer: GrantPreview) -> None:
        """Create the request that gives it."""
        del answer
        self.is_busy = True
        self.look_again()
        self.run_worker(partial(self._open, wish), thread=True, group="similar")

    @on(_GrantRequestOpened)
    def _offered(self, message: _GrantRequestOpened) -> None:
        self.finish(StandingGrantChosen(message.value))

    def action_read(self, pages: int) -> None:
        """Scroll the preview."""
        sheet = self.query_one(StandingGrantSheet)
        (sheet.action_page_down if pages > 0 else sheet.action_page_up)()

    def _why_over(self, copy: Approval) -> PanelClosed | None:
        """A past request can be the example too."""
        del copy
        return None

    def _open(self, wish: StandingGrantProposal) -> None:
        """Runs in a thread."""
        try:
            offered = self.context.grants_client.open(wish, self.approval)
        except errors.ClientError as error:
            self.post_message(PreviewFailed(wish, error))
        else:
            self.post_message(_GrantRequestOpened(offered))

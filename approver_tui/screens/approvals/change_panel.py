"""The base of panels in which the user edits a proposal and sees the server's preview of it.

Owns: the current proposal, its preview, opening the panel that approves. Never: approving; keeping
the preview of an older proposal.
"""

from collections.abc import Mapping
from functools import partial
from typing import ClassVar, Generic, TypeVar

from textual import on
from textual.app import ComposeResult
from textual.binding import Binding, BindingType

from approver_tui.client import errors
from approver_tui.screens import refusals
from approver_tui.screens.approvals.inbox_state import InboxState
from approver_tui.screens.context import ScreenContext
from approver_tui.screens.panel import Panel
from approver_tui.state.approvals.approvals import Approval
from approver_tui.state.text import SafeText, display_safe
from approver_tui.widgets.approvals.change_form import ChangeForm
from approver_tui.widgets.lines import fmt
from approver_tui.widgets.title_line import TitleLine

_ProposalT = TypeVar("_ProposalT")
_PreviewT = TypeVar("_PreviewT")


class ChangePanel(Panel, Generic[_ProposalT, _PreviewT]):
    """A panel with controls, a preview, and the Back and Continue buttons."""

    CHANGED_TEXT = SafeText("This request changed. Nothing was approved.")
    CLASSES = "panel -tall"
    BUTTON = "continue"
    REFUSED: ClassVar[SafeText] = SafeText("")
    """Advice to add to a rejection, if any."""
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("down", "app.focus_next", show=False),
        Binding("up", "app.focus_previous", show=False),
    ]
    verb = SafeText("Continue")

    def __init__(
        self, context: ScreenContext, state: InboxState, approval: Approval, problem: SafeText
    ) -> None:
        super().__init__(context, state, approval)
        self.proposal: _ProposalT | None = None
        self.preview: _PreviewT | None = None
        self.problem = problem

    def controls(self) -> ComposeResult:
        """Lay out the controls and the preview."""
        raise NotImplementedError

    def draw_preview(self) -> None:
        """Draw the preview."""
        raise NotImplementedError

    def read_proposal(self) -> _ProposalT | None:
        """Return the proposal, or None if it is empty. Raises ValueError with the problem."""
        raise NotImplementedError

    def fetch_preview(self, proposal: _ProposalT) -> _PreviewT:
        """Ask the server for the preview. Runs in a thread; raises ClientError."""
        raise NotImplementedError

    def labels(self) -> Mapping[str, SafeText]:
        """Return the labels of the members that the server can name in a refusal."""
        raise NotImplementedError

    def proceed(self, proposal: _ProposalT, preview: _PreviewT) -> None:
        """Open the panel that approves the previewed proposal."""
        raise NotImplementedError

    @property
    def button_label(self) -> SafeText:
        """The words on the button."""
        return fmt("Continue..")

    def content(self) -> ComposeResult:
        """Lay out the title and the controls."""
        yield from self.heading()
        yield from self.controls()

    def draw_widgets(self) -> None:
        """Update the time, the preview and the hint."""
        reason = self.blocker()
        self.query_one(TitleLine).refresh()
        self.draw_preview()
        ready_text = fmt("Tab to Continue, then Enter. This does not approve yet.")
        self.draw_button(reason, None if reason else ready_text)

    def restore_draft(self) -> None:
        """Restore what was typed and request its preview."""
        super().restore_draft()
        if self.draft:
            self.post_message(ChangeForm.Changed(is_done=True))

    @property
    def is_loading(self) -> bool:
        """Whether the preview is being loaded."""
        return self.proposal is not None and self.preview is None and not self.problem

    @on(ChangeForm.Changed)
    def _changed(self, message: ChangeForm.Changed) -> None:
        """Read the new proposal, drop the old preview and request a new one."""
        try:
            proposal = self.read_proposal()
        except ValueError as error:
            self._set_proposal(None, display_safe(f"{error}."))
            return
        if proposal != self.proposal and not message.is_done:
            self._set_proposal(None, fmt("press Enter or Tab to apply the value."))
        elif proposal is None or proposal != self.proposal:
            self._set_proposal(proposal, SafeText(""))
            if proposal is not None:
                work = partial(self.fetch_preview, proposal)
                done = partial(self._show_preview, proposal)
                self.run_in_thread(
                    work, done, partial(self.preview_failed, proposal), group="preview"
                )

    def submit(self) -> None:
        """Continue with the previewed proposal."""
        if self.proposal is not None and self.preview is not None:
            self.take_draft()
            self.proceed(self.proposal, self.preview)

    def _show_preview(self, proposal: _ProposalT, preview: _PreviewT) -> None:
        if proposal == self.proposal:
            self.preview = preview
            self.update_panel()

    def preview_failed(self, proposal: _ProposalT | None, error: errors.ClientError) -> None:
        """Show why there is no preview; None stands for the current proposal."""
        self.is_busy = False
        if proposal is None or proposal == self.proposal:
            detail = errors.labeled_detail(error, self.labels())
            problem = display_safe(detail, max_len=200) if detail else refusals.problem(error)
            self._set_proposal(self.proposal, fmt("{} {}", problem, self.REFUSED))

    def _set_proposal(self, proposal: _ProposalT | None, problem: SafeText) -> None:
        self.proposal, self.preview, self.problem = proposal, None, problem
        self.update_panel()

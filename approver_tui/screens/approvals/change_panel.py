"""A panel in which the user composes a proposal and sees a preview of it.

Owns: the current proposal, the server's preview, opening the panel that approves. Never: approving;
keeping a preview of an older proposal.
"""

from functools import partial
from typing import ClassVar, Generic, TypeVar

from textual import on
from textual.app import ComposeResult
from textual.containers import Horizontal, Vertical
from textual.message import Message
from textual.widgets import Button, Static

from approver_tui.client import errors
from approver_tui.screens import refusals
from approver_tui.screens.approvals.inbox_state import InboxState
from approver_tui.screens.context import ScreenContext
from approver_tui.screens.keys import Rows
from approver_tui.screens.panel import Panel
from approver_tui.state.approvals.approvals import Approval
from approver_tui.state.text import SafeText, display_safe
from approver_tui.widgets.approvals.change_form import ChangeForm
from approver_tui.widgets.key_bar import Hint, KeyBar
from approver_tui.widgets.lines import fmt
from approver_tui.widgets.notice_lines import CachedLine
from approver_tui.widgets.panel_button import PanelButton, button_hint
from approver_tui.widgets.title_line import TitleLine

_ProposalT = TypeVar("_ProposalT")
_PreviewT = TypeVar("_PreviewT")


class _PreviewLoaded(Message, Generic[_ProposalT, _PreviewT]):
    """The preview of a proposal."""

    def __init__(self, proposal: _ProposalT, preview: _PreviewT) -> None:
        super().__init__()
        self.proposal = proposal
        self.preview = preview


class PreviewFailed(Message, Generic[_ProposalT]):
    """The server rejected the proposal or did not answer; `proposal` None means any proposal."""

    def __init__(self, proposal: _ProposalT | None, error: errors.ClientError) -> None:
        super().__init__()
        self.proposal = proposal
        self.error = error


class ChangePanel(Panel, Generic[_ProposalT, _PreviewT]):
    """Controls, preview, Back, the button that continues."""

    CHANGED_TEXT = SafeText("This request changed. Nothing was approved.")
    AUTO_FOCUS = "#back"
    NAME: ClassVar[str]
    """The panel's class in the style sheet."""
    TITLE: ClassVar[SafeText]
    REFUSED: ClassVar[SafeText]
    """Advice to add to a rejection, if any."""
    HINTS: ClassVar[tuple[Hint, ...]]
    HELP_ROWS: ClassVar[Rows]

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
        """Return the proposal, None for an empty one. Raises ValueError with the problem."""
        raise NotImplementedError

    def fetch_preview(self, proposal: _ProposalT) -> _PreviewT:
        """Ask the server for the preview. Runs in a thread; raises ClientError."""
        raise NotImplementedError

    def blocker(self) -> SafeText:
        """Return why the button is unavailable, or an empty text."""
        raise NotImplementedError

    def proceed(self, proposal: _ProposalT, preview: _PreviewT) -> None:
        """Open the panel that approves what was shown."""
        raise NotImplementedError

    def compose(self) -> ComposeResult:
        """Lay out title, controls, buttons, hint and keys."""
        with Vertical(classes="panel -tall", id=self.NAME):
            yield TitleLine(partial(self.title_line, self.TITLE))
            yield Static(self.approval.headline, id="headline", markup=False)
            yield from self.controls()
            with Horizontal(id="buttons"):
                yield PanelButton(fmt("Back"), id="back")
                yield PanelButton(fmt("Continue.."), id="continue")
            yield CachedLine(id="hint")
            yield KeyBar(self.HINTS)

    def draw_widgets(self) -> None:
        """Update time, preview and hint."""
        reason = self.blocker()
        self.query_one(TitleLine).refresh()
        self.draw_preview()
        ready = fmt("Tab to Continue, then Enter. This does not approve yet.")
        text = button_hint(fmt("Continue"), reason) if reason else ready
        self.query_one("#hint", CachedLine).show(text)
        button = self.query_one("#continue", PanelButton)
        if reason and button.has_focus:
            self.query_one("#back").focus()
        button.disabled = bool(reason)

    @property
    def is_loading(self) -> bool:
        """Whether the preview is being loaded."""
        return self.proposal is not None and self.preview is None and not self.problem

    @on(ChangeForm.Changed)
    def _changed(self, message: ChangeForm.Changed) -> None:
        """Drop the preview of the older proposal."""
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
                self.run_worker(partial(self._fetch, proposal), thread=True, group="preview")

    @on(_PreviewLoaded)
    def _show_preview(self, message: _PreviewLoaded[_ProposalT, _PreviewT]) -> None:
        if message.proposal == self.proposal:
            self.preview = message.preview
            self.update_panel()

    @on(PreviewFailed)
    def _preview_failed(self, message: PreviewFailed[_ProposalT]) -> None:
        self.is_busy = False
        if message.proposal is None or message.proposal == self.proposal:
            problem = refusals.problem(message.error)
            self._set_proposal(self.proposal, fmt("{} {}", problem, self.REFUSED))

    @on(Button.Pressed, "#back")
    def _back(self) -> None:
        self.action_back()

    @on(Button.Pressed, "#continue")
    def _continue(self) -> None:
        if self.context.guard.is_blocking or self.blocker():
            return
        if self.proposal is not None and self.preview is not None:
            self.proceed(self.proposal, self.preview)

    def action_help(self) -> None:
        """Show the help."""
        self.open_help(self.HELP_ROWS, self.blocker())

    def _set_proposal(self, proposal: _ProposalT | None, problem: SafeText) -> None:
        self.proposal, self.preview, self.problem = proposal, None, problem
        self.update_panel()

    def _fetch(self, proposal: _ProposalT) -> None:
        """Runs in a thread."""
        try:
            preview = self.fetch_preview(proposal)
        except errors.ClientError as error:
            self.post_message(PreviewFailed(proposal, error))
        else:
            self.post_message(_PreviewLoaded(proposal, preview))

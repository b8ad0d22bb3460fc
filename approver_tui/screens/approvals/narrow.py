"""The panel in which the user narrows a request before approving it.

Owns: asking what can be reduced, showing what would be granted. Never: approving; widening;
accepting a text that is not exactly the proposal.
"""

from dataclasses import replace
from typing import ClassVar

from textual import on
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Vertical

from approver_tui.client import errors
from approver_tui.screens import thread_messages
from approver_tui.screens.approvals.blockers import approval_blocker
from approver_tui.screens.approvals.change_panel import ChangePanel, PreviewFailed
from approver_tui.screens.approvals.inbox_state import InboxState
from approver_tui.screens.context import ScreenContext
from approver_tui.screens.keys import narrow_help, narrow_keys
from approver_tui.screens.panel import NarrowingChosen
from approver_tui.state.approvals.approvals import Approval
from approver_tui.state.approvals.narrowable import Narrowable
from approver_tui.state.approvals.narrowing import Granted, Narrowing
from approver_tui.state.text import SafeText
from approver_tui.widgets.approvals.narrow_form import NarrowForm
from approver_tui.widgets.approvals.narrow_sheet import NarrowPreview
from approver_tui.widgets.lines import fmt


class _NarrowableLoaded(thread_messages.ValueMessage[Narrowable]):
    """The parts that can be reduced."""


class NarrowPanel(ChangePanel[Narrowing, Granted]):
    """Controls, the two columns, Back, the button that continues."""

    NAME = "narrow"
    TITLE = SafeText("With limits?")
    REFUSED = SafeText("")
    HINTS = narrow_keys()
    HELP_ROWS = narrow_help()
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape", "back", show=False),
        Binding("f1,question_mark", "help", show=False),
        Binding("down", "app.focus_next", show=False),
        Binding("up", "app.focus_previous", show=False),
    ]

    def __init__(self, context: ScreenContext, state: InboxState, approval: Approval) -> None:
        super().__init__(context, state, approval, SafeText(""))
        self._form: NarrowForm | None = None

    def controls(self) -> ComposeResult:
        """Lay out the controls and the comparison."""
        yield Vertical(id="form")
        yield NarrowPreview()

    def on_mount(self) -> None:
        """Ask what can be reduced."""
        super().on_mount()
        self.run_worker(self._load_narrowable, thread=True, group="narrowable")

    def draw_preview(self) -> None:
        """Show what would be granted."""
        self.query_one(NarrowPreview).show(self.preview, self._intro_text())

    def blocker(self) -> SafeText:
        """Return why the button is unavailable, or an empty text."""
        if reason := approval_blocker(self.state, self.approval, self.moment) or self.problem:
            return reason
        if self._form is None:
            return fmt("loading what can be reduced.")
        if self.is_loading:
            return fmt("loading the preview.")
        return fmt("reduce something first.") if self.preview is None else SafeText("")

    def read_proposal(self) -> Narrowing | None:
        """Return the proposal. Raises ValueError with the problem."""
        assert self._form is not None  # noqa: S101  # the message says that it changed
        return self._form.proposal or None

    def fetch_preview(self, proposal: Narrowing) -> Granted:
        """Ask for the preview. Runs in a thread."""
        return self.context.answers.narrow(self.approval, proposal)

    def proceed(self, proposal: Narrowing, preview: Granted) -> None:
        """Open the panel that approves the part that was shown."""
        del proposal
        self.dismiss(NarrowingChosen(replace(self.approval, granted=preview)))

    @on(_NarrowableLoaded)
    def _show_form(self, message: _NarrowableLoaded) -> None:
        if self.is_ready and self._form is None:
            self._form = NarrowForm(message.value)
            self.query_one("#form").mount(self._form)
            self.update_panel()

    def _intro_text(self) -> SafeText:
        if self._form is None:
            return fmt("")
        return fmt("Clear a scope or an item, or enter a smaller value. The result is shown here.")

    def _load_narrowable(self) -> None:
        """Runs in a thread."""
        try:
            narrowable = self.context.server.narrowable(self.approval.id)
        except errors.ClientError as error:
            self.post_message(PreviewFailed(None, error))
        else:
            self.post_message(_NarrowableLoaded(narrowable))

"""The panel in which the user narrows a request before approving it.

Owns: asking the server what can be reduced, showing what would be granted. Never: approving;
widening; accepting a preview that does not match the proposal exactly.
"""

from collections.abc import Mapping
from dataclasses import replace
from functools import partial

from textual.app import ComposeResult
from textual.containers import Vertical

from approver_tui.screens.approvals.blockers import approval_blocker
from approver_tui.screens.approvals.change_panel import ChangePanel
from approver_tui.screens.approvals.inbox_state import InboxState
from approver_tui.screens.context import ScreenContext
from approver_tui.screens.keys import NARROW_HELP, NARROW_KEYS
from approver_tui.screens.panel import ApproveNext
from approver_tui.state.approvals.approvals import Approval
from approver_tui.state.approvals.narrowing import Granted, Narrowable, Narrowing
from approver_tui.state.text import SafeText
from approver_tui.widgets.approvals.differences import difference_lines
from approver_tui.widgets.approvals.narrow_form import NarrowForm
from approver_tui.widgets.entry_sheet import PreviewSheet
from approver_tui.widgets.lines import Line, Role, fmt, wrap_text


class NarrowPanel(ChangePanel[Narrowing, Granted]):
    """The panel with controls, a comparison of asked and granted, Back, and Continue."""

    NAME = "narrow"
    TITLE = SafeText("With limits?")
    HINTS = NARROW_KEYS
    HELP_ROWS = NARROW_HELP

    def __init__(self, context: ScreenContext, state: InboxState, approval: Approval) -> None:
        super().__init__(context, state, approval, SafeText(""))
        self._form: NarrowForm | None = None

    def controls(self) -> ComposeResult:
        """Lay out the controls and the comparison."""
        yield Vertical(id="form")
        yield PreviewSheet(id="narrow-preview")

    def on_mount(self) -> None:
        """Ask the server what can be reduced."""
        super().on_mount()
        work = partial(self.context.server.narrowable, self.approval.id)
        failed = partial(self.preview_failed, None)
        self.run_in_thread(work, self._show_form, failed, group="narrowable")

    def draw_preview(self) -> None:
        """Show what would be granted, or how to reduce the request."""
        key = (self.NAME, self.preview, self._form is None)
        self.query_one(PreviewSheet).show(self._preview_lines, key)

    def blocker(self) -> SafeText:
        """Return why the button is unavailable; empty if it is available."""
        if reason := approval_blocker(self.state, self.approval, self.context) or self.problem:
            return reason
        if self._form is None:
            return fmt("loading what can be reduced.")
        if self.is_loading:
            return fmt("loading the preview.")
        return fmt("reduce something first.") if self.preview is None else SafeText("")

    def read_proposal(self) -> Narrowing | None:
        """Return the proposal, or None if it is empty. Raises ValueError with the problem."""
        assert self._form is not None  # noqa: S101  # only the form posts Changed
        return self._form.proposal or None

    def fetch_preview(self, proposal: Narrowing) -> Granted:
        """Ask the server for the preview. Runs in a thread."""
        return self.context.answers.narrow(self.approval, proposal)

    def labels(self) -> Mapping[str, SafeText]:
        """Return the labels of the controls, by the server's name for each member."""
        return {} if self._form is None else self._form.labels

    def proceed(self, proposal: Narrowing, preview: Granted) -> None:
        """Open the panel that approves the previewed part of the request."""
        del proposal
        self.dismiss(ApproveNext(replace(self.approval, granted=preview)))

    def restore_draft(self) -> None:
        """Restore the draft once the controls exist; the server decides which ones."""
        if self._form is not None:
            super().restore_draft()

    async def _show_form(self, narrowable: Narrowable) -> None:
        if self.is_ready and self._form is None:
            self._form = NarrowForm(narrowable)
            await self.query_one("#form").mount(self._form)
            self.restore_draft()
            self.update_panel()

    def _preview_lines(self, width: int) -> list[Line]:
        if self.preview is not None:
            return difference_lines(self.preview.differences, width)
        words = fmt("Clear a scope or an item, or enter a smaller value. The result is shown here.")
        return [] if self._form is None else wrap_text(words, width, Role.DIM)

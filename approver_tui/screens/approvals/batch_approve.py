"""The panel that approves several requests at once.

Owns: the count, which the user types for more than two requests; the PIN, entered once for all.
Never: approving with a single key; sending before the PIN was accepted.
"""

from functools import partial

from textual.app import ComposeResult
from textual.containers import Horizontal
from textual.widgets import Static

from approver_tui.client import errors
from approver_tui.screens import refusals
from approver_tui.screens.approvals.batch import BatchPanel
from approver_tui.screens.approvals.blockers import approval_blocker
from approver_tui.screens.approvals.inbox_state import InboxState
from approver_tui.screens.context import ScreenContext
from approver_tui.screens.keys import BATCH_APPROVE_HELP
from approver_tui.screens.panel import Approve, BatchSubmitted, PanelClosed
from approver_tui.state.approvals.approvals import Approval
from approver_tui.state.text import SafeText
from approver_tui.widgets.approvals.ceremony_fields import MIN_PIN_LENGTH
from approver_tui.widgets.lines import fmt
from approver_tui.widgets.typed_input import TypedInput

_MAX_COUNT_LENGTH = 4
_MAX_UNCOUNTED = 2
"""Up to this many requests need no typed count."""


class BatchApprovePanel(BatchPanel):
    """A batch panel with a count and a PIN field. Unusual requests start unselected."""

    AUTO_FOCUS = "BatchTable"
    HELP_ROWS = BATCH_APPROVE_HELP
    verb = SafeText("Approve")

    def __init__(self, context: ScreenContext, state: InboxState) -> None:
        super().__init__(context, state, with_unusual=False)
        self._count = TypedInput(id="count", longest=_MAX_COUNT_LENGTH)
        self._counted = self.requests.rows
        """The requests to which the typed count applies."""
        self._is_counted = len(self._counted) > _MAX_UNCOUNTED
        self._pin = TypedInput(id="pin", is_hidden=True)

    def introduction(self, agent: SafeText) -> SafeText:
        """Return the line that says what approving would allow the agent to do."""
        return fmt("Let {} do each of these once:", agent)

    def fields(self) -> ComposeResult:
        """Lay out the count and the PIN field."""
        if self._is_counted:
            with Horizontal(id="count-row", classes="entry"):
                yield Static("How many", markup=False)
                yield self._count
        with Horizontal(id="pin-row", classes="entry"):
            yield Static("PIN", markup=False)
            yield self._pin

    def draw_widgets(self) -> None:
        """Also update count and PIN; clear the count if a request was removed."""
        if self.requests.rows != self._counted:
            self._counted, self._count.value = self.requests.rows, ""
        self._count.disabled = self.is_busy
        self.query_one("#pin-row").display = self._needs_pin
        self._pin.disabled = self.is_busy or not self._needs_pin
        super().draw_widgets()

    def request_blocker(self, approval: Approval) -> SafeText:
        """Return why this request cannot be approved now; empty if it can."""
        return approval_blocker(self.state, approval, self.context)

    def missing_entry(self) -> SafeText:
        """Require the user to see everything, then type the count and the PIN if needed."""
        if self.unread:
            return self.unread
        if self._is_counted and not self.requests.is_count(self._count.value):
            return fmt("type how many are selected.")
        if self._needs_pin and len(self._pin.value) < MIN_PIN_LENGTH:
            return fmt("type your PIN.")
        return SafeText("")

    def submit(self) -> None:
        """Check the PIN, once for all requests; continue immediately if none is needed."""
        needs_pin, pin = self._needs_pin, self._pin.take()
        if not needs_pin:
            self.finish(BatchSubmitted(self.requests.selected, Approve()))
            return
        self.is_busy, self.notice = True, SafeText("")
        self.update_panel()
        work, done = partial(self.context.answers.unlock, pin), partial(self._unlocked, pin)
        self.run_in_thread(work, done, self._unlock_failed, group="unlock")

    def _unlocked(self, pin: str, _result: None) -> None:
        """Continue, unless a request was removed while the PIN was checked."""
        self.is_busy, before = False, self.requests
        self.update_panel()
        if self.requests == before and self.closing_result() is None:
            self.finish(BatchSubmitted(self.requests.selected, Approve(pin)))

    def _unlock_failed(self, error: errors.ClientError) -> None:
        self.is_busy = False
        self.notice = refusals.answer_problem(error, done=fmt("Nothing was approved."))
        if isinstance(error, errors.DeviceLocked | errors.LoginFirst):
            self.finish(PanelClosed(self.notice))
            return
        self.update_panel()
        self._pin.focus()

    @property
    def _needs_pin(self) -> bool:
        return self.requests.needs_pin or not self.context.answers.is_unlocked

"""The panel that approves several requests at once.

Owns: the PIN, entered once for all. Never: a single key that approves; sends before the PIN was
accepted.
"""

from collections.abc import Iterable
from functools import partial

from textual import on
from textual.app import ComposeResult
from textual.containers import Horizontal
from textual.widget import Widget
from textual.widgets import Static

from approver_tui.client import errors
from approver_tui.screens import refusals, thread_messages
from approver_tui.screens.approvals.batch import BatchPanel
from approver_tui.screens.approvals.inbox_state import InboxState
from approver_tui.screens.approvals.reasons import why_no_yes
from approver_tui.screens.context import ScreenContext
from approver_tui.screens.keys import batch_approve_help
from approver_tui.screens.panel import Approve, BatchSubmitted, PanelClosed
from approver_tui.state.approvals.approvals import Approval
from approver_tui.state.text import SafeText
from approver_tui.widgets.approvals.ceremony_fields import SHORTEST_PIN
from approver_tui.widgets.lines import say
from approver_tui.widgets.typed_input import TypedInput


class _Opened(thread_messages.ValueMessage[str]):
    """The PIN was correct, and the app is unlocked."""


class _NotOpened(thread_messages.ValueMessage[errors.ClientError]):
    """The PIN was wrong, or could not be checked."""


class BatchApprovePanel(BatchPanel):
    """Requests with checkboxes, sums, count, PIN, Back, Approve."""

    AUTO_FOCUS = "#back"
    VERB = SafeText("Approve")
    HELP_ROWS = batch_approve_help()

    def __init__(self, context: ScreenContext, state: InboxState) -> None:
        super().__init__(context, state)
        self._pin = TypedInput(id="pin", is_hidden=True)

    def words(self, agent: SafeText) -> SafeText:
        """Return what the agent would be allowed to do."""
        return say("Let {} do each of these once:", agent)

    def more_fields(self) -> ComposeResult:
        """Lay out the PIN field."""
        with Horizontal(id="pin-row", classes="entry"):
            yield Static("PIN", markup=False)
            yield self._pin

    def order(self) -> Iterable[Widget]:
        """Return the count and the PIN."""
        return (*super().order(), self._pin)

    def draw_widgets(self) -> None:
        """Update the PIN's row too."""
        self.query_one("#pin-row").display = self._needs_pin
        self._pin.disabled = self.is_busy or not self._needs_pin
        super().draw_widgets()

    def why_not(self, approval: Approval) -> SafeText:
        """Return why this request cannot be approved now, or an empty text."""
        return why_no_yes(self.state, approval, self.moment)

    def missing(self) -> SafeText:
        """Require the user to see everything."""
        return self.unread

    def missing_last(self) -> SafeText:
        """Require the PIN, if needed."""
        if self._needs_pin and len(self._pin.value) < SHORTEST_PIN:
            return say("type your PIN.")
        return SafeText("")

    def give(self) -> None:
        """Check the PIN, once for all requests; without one continue at once."""
        needs_pin, pin = self._needs_pin, self._pin.take()
        if not needs_pin:
            self.finish(BatchSubmitted(self.requests.chosen, Approve()))
            return
        self.is_busy, self.notice = True, SafeText("")
        self.look_again()
        self.run_worker(partial(self._open, pin), thread=True, group="unlock")

    @on(_Opened)
    def _opened(self, message: _Opened) -> None:
        """If a request was removed while the PIN was checked, the count must be typed again."""
        self.is_busy, before = False, self.requests
        self.look_again()
        if self.requests == before and self.why_close() is None:
            self.finish(BatchSubmitted(self.requests.chosen, Approve(message.value)))

    @on(_NotOpened)
    def _not_opened(self, message: _NotOpened) -> None:
        self.is_busy = False
        self.notice = refusals.answer_problem(message.value, done=say("Nothing was approved."))
        if isinstance(message.value, errors.DeviceLocked | errors.LoginFirst):
            self.finish(PanelClosed(self.notice))
            return
        self.look_again()
        self._pin.focus()

    @property
    def _needs_pin(self) -> bool:
        return self.requests.needs_pin or not self.context.answers.is_unlocked

    def _open(self, pin: str) -> None:
        """Runs in a thread."""
        try:
            self.context.answers.unlock(pin)
        except errors.ClientError as error:
            self.post_message(_NotOpened(error))
        else:
            self.post_message(_Opened(pin))

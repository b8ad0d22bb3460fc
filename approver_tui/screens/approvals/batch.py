"""The panels that approve or deny several requests.

Owns: the requests with their checkboxes, removing requests that changed; the count, which the user
types to approve more than two requests; the PIN, entered once for all; one reason and one note for
all denials. Never: adding a request; approving with a single key or before the PIN was accepted;
sending answers, which `results.py` does.
"""

from collections.abc import Hashable
from functools import partial
from typing import ClassVar

from textual import on
from textual.app import ComposeResult
from textual.binding import BindingType
from textual.containers import Horizontal
from textual.widgets import Input, Static

from approver_tui.client import errors
from approver_tui.screens import refusals
from approver_tui.screens.approvals.blockers import answer_blocker, approval_blocker
from approver_tui.screens.approvals.deny import DenyingPanel
from approver_tui.screens.approvals.inbox_state import InboxState
from approver_tui.screens.approvals.notices import log_alarm
from approver_tui.screens.approvals.selecting import change_reason
from approver_tui.screens.context import ScreenContext
from approver_tui.screens.keys import (
    BATCH_APPROVE_HELP,
    BATCH_DENY_HELP,
    BATCH_DENY_KEYS,
    BATCH_KEYS,
)
from approver_tui.screens.panel import Approve, BatchSubmitted, Overlay, PanelClosed, risk_line
from approver_tui.state.approvals.approvals import Approval
from approver_tui.state.approvals.batch import Batch
from approver_tui.state.money import sums
from approver_tui.state.text import SafeText
from approver_tui.widgets.approvals.batch_table import BatchTable
from approver_tui.widgets.approvals.ceremony_fields import MIN_PIN_LENGTH
from approver_tui.widgets.approvals.denial_form import DenialForm
from approver_tui.widgets.lines import Line, fmt
from approver_tui.widgets.notice_lines import CachedLine, NoticeLines
from approver_tui.widgets.sheet import READING, SCROLL_FIRST, SCROLL_UP, Sheet
from approver_tui.widgets.title_line import TitleLine
from approver_tui.widgets.typed_input import TypedInput

_MAX_NOTICES = 3
_MAX_COUNT_LENGTH = 4
_MAX_UNCOUNTED = 2
"""Up to this many requests need no typed count."""


class BatchPanel(Overlay):
    """A panel with requests and their checkboxes, sums, Back, and the button that answers."""

    HINTS = BATCH_KEYS
    BINDINGS: ClassVar[list[BindingType]] = READING

    def __init__(self, context: ScreenContext, state: InboxState, *, with_unusual: bool) -> None:
        super().__init__(context, state)
        self.requests = Batch.from_selection(state.selection, with_unusual=with_unusual)
        self._sheet = BatchTable(self.requests, context.zone)
        self._removed_texts: tuple[SafeText, ...] = ()
        self._is_empty = False
        """Whether every request in the panel was answered, changed or ended."""
        self.notice = SafeText("")

    @property
    def subject(self) -> Hashable:
        """The kind of panel and the IDs of its requests."""
        return type(self), tuple(row.id for row in self.requests.rows)

    # For subclasses to implement.

    def introduction(self, agent: SafeText) -> SafeText:
        """Return the line above this agent's requests that says what would happen."""
        raise NotImplementedError

    def fields(self) -> ComposeResult:
        """Lay out the fields below the sums."""
        return ()

    def request_blocker(self, approval: Approval) -> SafeText:
        """Return why this request cannot be answered now; empty if it can."""
        raise NotImplementedError

    def missing_entry(self) -> SafeText:
        """Return which entry is missing; empty if none is."""
        raise NotImplementedError

    # Shared by all subclasses.

    def content(self) -> ComposeResult:
        """Lay out the title, the requests, the sums and the fields."""
        yield TitleLine(self._title)
        yield NoticeLines(id="alarm")
        words = self.introduction(self.requests.rows[0].agent.name)
        yield Static(words, id="words", markup=False)
        yield self._sheet
        yield CachedLine(id="more")
        yield CachedLine(id="sums")
        yield from self.fields()
        yield NoticeLines(id="notice")

    def update_panel(self) -> None:
        """Remove requests that changed; close the panel if none is left, otherwise draw it."""
        if self.is_ready and not self.is_busy:
            self._remove_changed()
        super().update_panel()

    def closing_result(self) -> PanelClosed | None:
        """Return what happened to the last request if none is left, else None."""
        return PanelClosed(self._removed_texts[-1]) if self._is_empty else None

    def draw_widgets(self) -> None:
        """Update the time, checkboxes, sums and hint."""
        reason = self.blocker()
        self.query_one(TitleLine).refresh()
        self._sheet.show(self.requests)
        self.query_one("#more", CachedLine).show(self._sheet.more_hint)
        self.query_one("#sums", CachedLine).show(self._sums())
        self.query_one("#alarm", NoticeLines).show_all(log_alarm(self.state))
        notices = (*self._removed_texts[-_MAX_NOTICES:], self.notice)
        self.query_one("#notice", NoticeLines).show_all(*notices)
        self.draw_button(reason)

    def blocker(self) -> SafeText:
        """Return why the button is unavailable; empty if it is available."""
        if self.is_busy:
            return fmt("Sending…")
        if not self.requests.selected:
            return fmt("nothing is selected; press Space on a request.")
        if reason := next(
            filter(None, map(self.request_blocker, self.requests.selected)), SafeText("")
        ):
            return reason
        return self.missing_entry()

    @property
    def unread(self) -> SafeText:
        """The hint to scroll while there is more to read; empty after that."""
        if not self._sheet.unread:
            return SafeText("")
        is_at_end = self._sheet.scroll_offset.y > 0 and not self._sheet.rows_below
        return SCROLL_UP if is_at_end else SCROLL_FIRST

    @on(BatchTable.Toggled)
    def _toggled(self, message: BatchTable.Toggled) -> None:
        if not self.is_busy:
            self.requests = self.requests.with_toggled(message.approval_id)
            if self.requests.selected == self.requests.rows:
                self._sheet.action_read(1)
            self.update_panel()

    @on(Sheet.Scrolled)
    @on(Input.Changed)
    def _input_changed(self) -> None:
        self.update_panel()

    def action_read(self, step: int) -> None:
        """Scroll the requests."""
        self._sheet.action_read(step)

    def _remove_changed(self) -> None:
        """Remove requests that changed since the panel opened."""
        changed = [
            row for row in self.requests.rows if self.state.has_changed(row, self.context.now())
        ]
        if not changed or self._is_empty:
            return
        self.context.guard.arm()
        self._removed_texts += tuple(map(self._removed_text, changed))
        if len(changed) == len(self.requests.rows):
            self._is_empty = True
            return
        self.requests = self.requests.without(frozenset(approval.id for approval in changed))

    def _removed_text(self, approval: Approval) -> SafeText:
        why = change_reason(approval, self.state, self.context)
        return fmt("{} was removed: {}", SafeText(approval.fingerprint), why)

    def _title(self, width: int) -> Line:
        verb = fmt("{} {}?", self.verb, len(self.requests.selected))
        return risk_line(
            verb, self.requests.risk, (self.requests.ends_at, self.context.now()), width
        )

    def _sums(self) -> SafeText:
        approvals = self.requests.selected
        selected = fmt("Selected: {} of {}.", len(approvals), len(self.requests.rows))
        parts = [fmt("  {}: {} in all.", total.label, total.text) for total in sums(approvals)]
        return SafeText(selected + "".join(parts))


class BatchApprovePanel(BatchPanel):
    """A batch panel with a count and a PIN field. Unusual requests start unselected."""

    AUTO_FOCUS = "BatchTable"
    HELP_ROWS = BATCH_APPROVE_HELP
    verb = SafeText("Approve")

    def __init__(self, context: ScreenContext, state: InboxState) -> None:
        super().__init__(context, state, with_unusual=False)
        self._count = TypedInput(id="count", max_length=_MAX_COUNT_LENGTH)
        self._counted_requests = self.requests.rows
        """The requests to which the typed count applies."""
        self._needs_count = len(self._counted_requests) > _MAX_UNCOUNTED
        self._pin = TypedInput(id="pin", is_hidden=True)

    def introduction(self, agent: SafeText) -> SafeText:
        """Return the line that says what approving would allow the agent to do."""
        return fmt("Let {} do each of these once:", agent)

    def fields(self) -> ComposeResult:
        """Lay out the count and the PIN field."""
        if self._needs_count:
            with Horizontal(id="count-row", classes="entry"):
                yield Static("How many", markup=False)
                yield self._count
        with Horizontal(id="pin-row", classes="entry"):
            yield Static("PIN", markup=False)
            yield self._pin

    def draw_widgets(self) -> None:
        """Also update count and PIN; clear the count if a request was removed."""
        if self.requests.rows != self._counted_requests:
            self._counted_requests, self._count.value = self.requests.rows, ""
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
        if self._needs_count and not self.requests.is_count(self._count.value):
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

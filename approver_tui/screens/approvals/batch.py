"""The base of the panels for several requests.

Owns: the requests with their checkboxes, removing requests that changed. Never: adding a request;
sending answers, which `results.py` does.
"""

from collections.abc import Hashable
from typing import ClassVar

from textual import on
from textual.app import ComposeResult
from textual.binding import BindingType
from textual.widgets import Input, Static

from approver_tui.screens.approvals.inbox_state import InboxState
from approver_tui.screens.approvals.notices import log_alarm
from approver_tui.screens.approvals.selecting import change_reason
from approver_tui.screens.context import ScreenContext
from approver_tui.screens.keys import BATCH_KEYS
from approver_tui.screens.panel import Overlay, PanelClosed, risk_line
from approver_tui.state.approvals.approvals import Approval
from approver_tui.state.approvals.batch import Batch
from approver_tui.state.money import sums
from approver_tui.state.text import SafeText
from approver_tui.widgets.approvals.batch_table import BatchTable
from approver_tui.widgets.lines import Line, fmt
from approver_tui.widgets.notice_lines import CachedLine, NoticeLines
from approver_tui.widgets.sheet import READING, SCROLL_FIRST, Sheet
from approver_tui.widgets.title_line import TitleLine

_MAX_NOTICES = 3


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
        return SCROLL_FIRST if self._sheet.unread else SafeText("")

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

"""The panel in which the user approves.

Owns: when Approve is available, the typed entries, what each error means here. Never: approving
with a single key; accepting pasted text, or text typed while the guard blocks input.
"""

from datetime import tzinfo
from functools import partial
from math import ceil
from typing import ClassVar

from textual import events, on
from textual.app import ComposeResult
from textual.binding import BindingType
from textual.geometry import Size
from textual.widgets import Input

from approver_tui.client import errors
from approver_tui.screens import refusals
from approver_tui.screens.approvals.blockers import approval_blocker
from approver_tui.screens.approvals.inbox_state import InboxState
from approver_tui.screens.approvals.notices import log_alarm
from approver_tui.screens.context import ScreenContext
from approver_tui.screens.keys import APPROVE_HELP, APPROVE_KEYS
from approver_tui.screens.panel import Approved, OutcomeUnknown, Panel, PanelClosed
from approver_tui.state.approvals.approvals import Approval
from approver_tui.state.approvals.ceremony import Entries, Step
from approver_tui.state.money import amount
from approver_tui.state.risks import Risk
from approver_tui.state.text import SafeText
from approver_tui.widgets.approvals.ceremony_fields import CeremonyFields
from approver_tui.widgets.approvals.facts import panel_lines
from approver_tui.widgets.approvals.outcomes import RenderContext
from approver_tui.widgets.lines import Line, fmt
from approver_tui.widgets.notice_lines import CachedLine, NoticeLines
from approver_tui.widgets.sheet import READING, SCROLL_FIRST, ReadSheet
from approver_tui.widgets.title_line import TitleLine


class PanelFacts(ReadSheet, can_focus=False):
    """A sheet that tracks how far it was read."""

    def __init__(self, approval: Approval, zone: tzinfo | None) -> None:
        super().__init__()
        self._approval = approval
        self._zone = zone
        self._lines_read = 0

    def lines_for(self, width: int) -> list[Line]:
        """Return the lines of the main facts."""
        return panel_lines(
            self._approval, RenderContext(self._approval.created_at, self._zone, width)
        )

    def get_content_height(self, container: Size, viewport: Size, width: int) -> int:
        """Return the number of rows the facts need, so that the panel is no taller than that."""
        del container, viewport
        return len(self.lines_for(max(2, width - self.scrollbar_size_vertical)))

    @property
    def is_fully_read(self) -> bool:
        """Whether the last line has been on the screen since the width last changed."""
        self._lines_read = max(self._lines_read, self.last_visible_row)
        return 0 < len(self._lines) <= self._lines_read

    def on_resize(self, _event: events.Resize) -> None:
        """Forget which rows were seen, because a different width wraps them differently.

        Textual calls the base class's handler after this one.
        """
        if self._text_width != self._laid_out_for:
            self._lines_read = 0


_MAX_AMOUNT_LENGTH = 15
"""A longer amount would be cut off at 40 columns, next to Back; the facts show it in full."""
_MAX_FIELDS_FOR_TALL_FACTS = 2
"""A panel with up to this many fields has room for tall facts."""
REVIEW_SECONDS = {Risk.LOW: 0.0, Risk.MEDIUM: 0.0, Risk.HIGH: 2.0, Risk.CRITICAL: 3.0}
"""Seconds that must pass after all facts have been seen, on top of the guard's delay."""


class ApprovePanel(Panel):
    """The panel with details, entry fields, and the Back and Approve buttons."""

    TITLE = SafeText("Approve?")
    CHANGED_TEXT = SafeText("This request changed. Nothing was approved.")
    BUTTON = "approve"
    HINTS = APPROVE_KEYS
    HELP_ROWS = APPROVE_HELP
    BINDINGS: ClassVar[list[BindingType]] = READING
    verb = SafeText("Approve")

    def __init__(self, context: ScreenContext, state: InboxState, approval: Approval) -> None:
        super().__init__(context, state, approval)
        needs_pin = approval.needs_pin or not context.answers.is_unlocked
        self._facts = PanelFacts(approval, context.zone)
        self._fields = CeremonyFields(approval, needs_pin=needs_pin)
        self.set_class(approval.display.type_back is not None, "-typing")
        self.set_class(len(approval.steps) > _MAX_FIELDS_FOR_TALL_FACTS, "-many")
        self._all_seen_since: float | None = None
        self._notice = SafeText("")

    @property
    def button_label(self) -> SafeText:
        """The words on the button, with the amount if it is short."""
        amount_text = amount(self.approval)
        if 0 < len(amount_text) <= _MAX_AMOUNT_LENGTH:
            return fmt("{} {}", self.verb, amount_text)
        return self.verb

    def content(self) -> ComposeResult:
        """Lay out the title, the details and the fields."""
        yield TitleLine(self.title_line)
        yield NoticeLines(id="alarm")
        yield self._facts
        yield CachedLine(id="more")
        yield self._fields
        yield NoticeLines(id="notice")

    def draw_widgets(self) -> None:
        """Update the time, the fields and the hint."""
        self._record_seen()
        reason = self.blocker()
        self.query_one(TitleLine).refresh()
        self.query_one("#alarm", NoticeLines).show_all(log_alarm(self.state))
        self._fields.show(is_busy=self.is_busy)
        self.query_one("#more", CachedLine).show(self._facts.more_hint)
        self.query_one("#notice", NoticeLines).show_all(self._notice)
        self.draw_button(reason)

    def blocker(self) -> SafeText:
        """Return why Approve is unavailable; empty if it is available."""
        blocker = approval_blocker(self.state, self.approval, self.context)
        if reason := super().blocker() or blocker:
            return reason
        if self._all_seen_since is None:
            return SCROLL_FIRST
        if missing := self._fields.missing_entry:
            return missing
        left = self._all_seen_since + REVIEW_SECONDS[self.approval.risk] - self.context.ticks()
        if left > 0:
            return fmt("Available in {} s.", ceil(left))
        return SafeText("")

    @on(PanelFacts.Scrolled)
    @on(Input.Changed)
    def _input_changed(self) -> None:
        self.update_panel()

    def submit(self) -> None:
        """Send the approval, in a thread."""
        work = partial(self._send, self._fields.take_pin(), self._fields.entries())
        self.is_busy, self._notice = True, SafeText("")
        self.update_panel()
        self.run_in_thread(work, self._approved, self._refused, group="approve")

    def action_read(self, step: int) -> None:
        """Scroll the details."""
        self._facts.action_read(step)

    def _approved(self, approval: Approval) -> None:
        self.finish(Approved(approval))

    def _refused(self, error: errors.ClientError) -> None:
        self.is_busy = False
        result = self._closing_result_for(error)
        if result is not None:
            self.finish(result)
            return
        self._fields.needs_pin |= isinstance(error, errors.PinNeeded)
        self._notice = refusals.answer_problem(error, done=fmt("Nothing was approved."))
        self.update_panel()
        self._focus_next_entry(error)

    def _focus_next_entry(self, error: errors.ClientError) -> None:
        """Move the focus to the field or button where the user can continue."""
        if isinstance(error, errors.WrongEntry) and error.step is not None:
            self._fields.retype(error.step)
        elif self._fields.needs_pin:
            self._fields.retype(Step.PIN)
        else:
            self.query_one("#back").focus()

    def _send(self, pin: str | None, entries: Entries) -> Approval:
        """Send the approval. Runs in a thread.

        If the request itself does not need the PIN, the PIN unlocks the app for a while.
        """
        answers, approval = self.context.answers, self.approval
        if pin is not None and not approval.needs_pin:
            answers.unlock(pin)
            pin = None
        return answers.approve(approval, fingerprint=approval.fingerprint, pin=pin, entries=entries)

    def _closing_result_for(self, error: errors.ClientError) -> PanelClosed | OutcomeUnknown | None:
        """Return how the panel closes on this error; None if the user can try again."""
        match error:
            case errors.Changed():
                return PanelClosed(self.CHANGED_TEXT)
            case errors.AlreadyDecided(approval=winner):
                return PanelClosed(refusals.already_decided(winner, self.context), winner)
            case errors.UnknownOutcome() | errors.WireError():
                return OutcomeUnknown(self.approval)
            case errors.DeviceLocked() | errors.RequestLocked() | errors.LoginFirst():
                return PanelClosed(
                    refusals.answer_problem(error, done=fmt("Nothing was approved."))
                )
            case _:
                return None

    def _record_seen(self) -> None:
        if self._all_seen_since is None and self._facts.is_fully_read:
            self._all_seen_since = self.context.ticks()

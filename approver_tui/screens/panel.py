"""The base of the panels that answer requests.

Owns: following the inbox's state; keeping the request as it was when the panel opened, and closing
the panel when the request changes. Never: answering, which is in `approve.py`, `deny.py`,
`narrow.py` and `report.py`, and for several requests in `batch.py`.
"""

from collections.abc import Hashable
from dataclasses import dataclass, field
from typing import ClassVar

from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.widget import Widget
from textual.widgets import Static

from approver_tui.screens.approvals.inbox_state import InboxState
from approver_tui.screens.button_panel import TICK, ButtonPanel
from approver_tui.screens.context import ScreenContext
from approver_tui.screens.drafts import Draft, read_draft, restore_draft
from approver_tui.screens.help import HelpScreen
from approver_tui.screens.keys import Rows, help_with_keymap
from approver_tui.state.approvals.approvals import Approval
from approver_tui.state.approvals.countdown import countdown_stage
from approver_tui.state.approvals.decision import NO_EXTRAS, DenialExtras, DenyCode
from approver_tui.state.incidents.reports import ReportResult
from approver_tui.state.risks import Risk
from approver_tui.state.text import SafeText
from approver_tui.widgets.approvals.outcomes import outcome
from approver_tui.widgets.lines import Line, Piece, Role, fmt, justify
from approver_tui.widgets.times import remaining
from approver_tui.widgets.title_line import TitleLine


@dataclass(frozen=True, slots=True)
class PanelClosed:
    """The panel closed by itself because of `reason`; `approval` is a newer copy, if any."""

    reason: SafeText
    approval: Approval | None = None


@dataclass(frozen=True, slots=True)
class Approved:
    """The server has recorded the approval."""

    approval: Approval


@dataclass(frozen=True, slots=True)
class Deny:
    """A denial with its reason and notes."""

    code: DenyCode
    note: str
    extras: DenialExtras = NO_EXTRAS


@dataclass(frozen=True, slots=True)
class DenialSubmitted:
    """The user denied a request; the denial is not sent yet."""

    approval: Approval
    answer: Deny


@dataclass(frozen=True, slots=True)
class OutcomeUnknown:
    """An answer was sent, but its outcome is unknown."""

    approval: Approval


@dataclass(frozen=True, slots=True)
class Approve:
    """An approval with the PIN, for requests that need it."""

    pin: str | None = field(repr=False, default=None)


@dataclass(frozen=True, slots=True)
class ApproveNext:
    """The user continues to approve a narrowed request or the request for a standing grant."""

    approval: Approval
    also: Approval | None = None
    """The request to approve after `approval`, if any."""


@dataclass(frozen=True, slots=True)
class ReportAccepted:
    """The server has accepted a report."""

    reported: ReportResult


@dataclass(frozen=True, slots=True)
class BatchSubmitted:
    """The user gave one answer to several requests; nothing is sent yet."""

    approvals: tuple[Approval, ...]
    answer: Approve | Deny


PanelResult = (
    PanelClosed
    | Approved
    | DenialSubmitted
    | ApproveNext
    | ReportAccepted
    | OutcomeUnknown
    | BatchSubmitted
    | None
)
"""The result of a panel; None if the user went back."""


class Overlay(ButtonPanel[PanelResult]):
    """A panel over the inbox that receives the state of the inbox."""

    HELP_ROWS: ClassVar[Rows] = ()
    """The help of the panel; empty if it has none."""
    BINDINGS: ClassVar[list[BindingType]] = [Binding("f1,question_mark", "help", show=False)]

    def __init__(self, context: ScreenContext, state: InboxState) -> None:
        super().__init__(context)
        self.state = state
        self.draft: Draft = {}
        """What the user typed before going back; empty if nothing."""
        self._untouched: Draft = {}

    @property
    def subject(self) -> Hashable:
        """A key for the panel's draft, which is restored only in a panel with the same key."""
        return type(self)

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        """Disable the help key of a panel without help."""
        has_help = action != "help" or bool(self.HELP_ROWS)
        return has_help and super().check_action(action, parameters)

    def on_mount(self) -> None:
        """Ignore input that was meant for the screen below, restore the draft, and draw."""
        self.context.guard.arm()
        self.set_interval(TICK, self.update_panel)
        self.restore_draft()
        self.update_panel()
        if self.is_ready:
            self.call_after_refresh(self.show_from_top, self.query_one(".panel"))

    def restore_draft(self) -> None:
        """Restore what the user typed before going back."""
        self._untouched = read_draft(self)
        restore_draft(self, self.draft)

    def action_back(self) -> None:
        """Go back, and keep what was typed."""
        self.take_draft()
        super().action_back()

    def take_draft(self) -> None:
        """Store what was typed in `draft`, for the next time this panel opens."""
        if self.is_ready and not self.is_busy:
            current_draft = read_draft(self)
            self.draft = {} if current_draft == self._untouched else current_draft

    def on_resize(self) -> None:
        """Keep the focused widget in view."""
        self.call_after_refresh(self.show_focus)

    def can_view_entire(self, widget: Widget) -> bool:
        """Whether a focused widget is visible without scrolling.

        Textual alone would count the areas under the docked title and key bar as visible.
        """
        docked = self.query("TitleLine, KeyBar")
        return super().can_view_entire(widget) and not any(
            widget.region.overlaps(bar.region) for bar in docked
        )

    def state_changed(self, state: InboxState) -> None:
        """Use a new state; a panel that is not mounted yet uses it once it is."""
        self.state = state
        self.update_panel()

    def update_panel(self) -> None:
        """Close the panel if there is nothing left to answer; otherwise draw it."""
        if not self.is_ready:
            return
        if closed := self.closing_result():
            self.finish(closed)
        else:
            self.draw()

    def closing_result(self) -> PanelClosed | None:
        """Return why there is nothing left to answer; subclasses implement it."""
        raise NotImplementedError

    def finish(self, result: PanelResult) -> None:
        """Close this panel with `result`, after closing the help above it.

        The user did not expect this, so the guard drops input that was meant for the panel.
        """
        self.context.guard.arm()
        if self in self.app.screen_stack:
            while self.app.screen is not self:
                self.app.pop_screen()
            self.dismiss(result)

    def action_help(self) -> None:
        """Show the help for this panel, with the user's key bindings."""
        rows = help_with_keymap(self.HELP_ROWS, self.context.keys)
        self.app.push_screen(HelpScreen(fmt("KEYS IN THIS PANEL"), rows, self.blocker()))


class Panel(Overlay):
    """A panel for one approval, drawn from the copy it was opened with."""

    TITLE: ClassVar[SafeText]
    CHANGED_TEXT: ClassVar[SafeText]
    """The message if the request changed while the panel was open."""
    ALLOWS_ENDED_REQUESTS: ClassVar[bool] = False
    """Whether the panel stays open when the request has ended."""

    def __init__(self, context: ScreenContext, state: InboxState, approval: Approval) -> None:
        super().__init__(context, state)
        self.approval = approval
        self._opened_copy = state.inbox.find(approval.id) or approval
        """The listed copy when the panel opened; other approvers may have narrowed it already."""

    @property
    def subject(self) -> Hashable:
        """The kind of panel, with the ID and the exact texts of its request."""
        return type(self), self.approval.id, self.approval.texts

    def title_line(self, width: int) -> Line:
        """Return a line with the panel's action, the risk and the remaining time."""
        expires_at, now = self.approval.expires_at, self.context.now()
        has_ended = bool(outcome(self.approval, now, self.context.zone))
        return risk_line(
            self.TITLE, self.approval.risk, None if has_ended else (expires_at, now), width
        )

    def heading(self) -> ComposeResult:
        """Lay out the title and the headline of the request."""
        yield TitleLine(self.title_line)
        yield Static(self.approval.headline, id="headline", markup=False)

    def closing_result(self) -> PanelClosed | None:
        """Return how the request ended or that it changed; None while it can be answered."""
        copy = self.state.inbox.find(self.approval.id) or self.approval
        if self.is_busy:
            return None
        if self.state.is_unverified(self.approval.id):
            return PanelClosed(self.CHANGED_TEXT)
        if copy.texts != self.approval.texts or copy.granted != self._opened_copy.granted:
            return PanelClosed(self.CHANGED_TEXT, copy)
        return None if self.ALLOWS_ENDED_REQUESTS else self._ended_result(copy)

    def _ended_result(self, copy: Approval) -> PanelClosed | None:
        """Return how the request ended, if it did."""
        ended_text = outcome(copy, self.context.now(), self.context.zone)
        if not ended_text:
            return None
        if copy.was_superseded:
            return PanelClosed(self.CHANGED_TEXT, copy)
        return PanelClosed(
            fmt("Already decided. {}", ended_text) if copy.decision else ended_text, copy
        )


def risk_line(verb: SafeText, risk: Risk, left: tuple[int, int] | None, width: int) -> Line:
    """Return a line with the action, the risk and the remaining time.

    `left` is the time of expiry and the current time; None if the request ended.
    """
    risk_label = Piece(fmt("{} RISK", SafeText(risk.value.upper())), Role(risk.value))
    return justify((Piece(fmt("{}  ", verb)), risk_label), (_time_left_piece(left),), width)


def _time_left_piece(left: tuple[int, int] | None) -> Piece:
    if left is None:
        return Piece(fmt("  ended"))
    stage, time = countdown_stage(*left), remaining(*left)
    text = fmt("  {} left", time) if stage is None else fmt("  {} {}", stage.verb, time)
    return Piece(text, Role.PLAIN if stage is None else Role.ALERT)

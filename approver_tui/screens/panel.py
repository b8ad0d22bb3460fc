"""The base of the panels that answer.

Owns: following the inbox's state; keeping the request as it was when the panel opened, and closing
when it changes. Never: answers; those are in `approve.py`, `deny.py`, `narrow.py` and `report.py`,
and for several requests in `batch.py`.
"""

from collections.abc import Hashable
from dataclasses import dataclass, field
from typing import ClassVar

from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.widget import Widget
from textual.widgets import Static

from approver_tui.screens.approvals.blockers import AnswerContext
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
class DenialSubmitted:
    """The user denied; nothing is sent yet."""

    approval: Approval
    code: DenyCode
    note: str
    extras: DenialExtras = NO_EXTRAS


@dataclass(frozen=True, slots=True)
class OutcomeUnknown:
    """An answer was sent, and its outcome is unknown."""

    approval: Approval


@dataclass(frozen=True, slots=True)
class Approve:
    """An approval, with the PIN for requests that need it."""

    pin: str | None = field(repr=False, default=None)


@dataclass(frozen=True, slots=True)
class Deny:
    """A denial, with its reason and notes."""

    code: DenyCode
    note: str
    extras: DenialExtras = NO_EXTRAS


@dataclass(frozen=True, slots=True)
class ApproveNext:
    """The user goes on to approve a part, or the request that creates a standing grant."""

    approval: Approval
    also: Approval | None = None
    """The request to approve after it."""


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
"""None: the user went back."""


class Overlay(ButtonPanel[PanelResult]):
    """A panel over the inbox that receives its state."""

    HELP_ROWS: ClassVar[Rows] = ()
    """Its help; empty if it has none."""
    BINDINGS: ClassVar[list[BindingType]] = [Binding("f1,question_mark", "help", show=False)]

    def __init__(self, context: ScreenContext, state: InboxState) -> None:
        super().__init__(context)
        self.state = state
        self.draft: Draft = {}
        """What was typed before the user left it; empty if nothing was."""
        self._untouched: Draft = {}

    @property
    def subject(self) -> Hashable:
        """What it is about; a draft is not used for anything else."""
        return type(self)

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        """Disable the help of a panel without one."""
        has_help = action != "help" or bool(self.HELP_ROWS)
        return has_help and super().check_action(action, parameters)

    def on_mount(self) -> None:
        """Whatever is being typed was meant for the screen below."""
        self.context.guard.arm()
        self.set_interval(TICK, self.update_panel)
        self.restore_draft()
        self.update_panel()
        if self.is_ready:
            self.call_after_refresh(self.show_from_top, self.query_one(".panel"))

    def restore_draft(self) -> None:
        """Put back what was typed before the user left this panel."""
        self._untouched = read_draft(self)
        restore_draft(self, self.draft)

    def action_back(self) -> None:
        """Go back and keep what was typed."""
        self.take_draft()
        super().action_back()

    def take_draft(self) -> None:
        """Note what was typed, for the next time this panel opens."""
        if self.is_ready and not self.is_busy:
            typed = read_draft(self)
            self.draft = {} if typed == self._untouched else typed

    def on_resize(self) -> None:
        """Keep the focused widget in view."""
        self.call_after_refresh(self.show_focus)

    def can_view_entire(self, widget: Widget) -> bool:
        """Whether a focused widget needs no scrolling.

        Textual counts areas below the docked title and keys as visible.
        """
        docked = self.query("TitleLine, KeyBar")
        return super().can_view_entire(widget) and not any(
            widget.region.overlaps(each.region) for each in docked
        )

    def state_changed(self, state: InboxState) -> None:
        """Take a new state. A panel that is not mounted yet uses it when it is."""
        self.state = state
        self.update_panel()

    def update_panel(self) -> None:
        """Close if there is nothing left to answer; otherwise draw."""
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
        """Close with `result`, and close the help above this panel first.

        No key was pressed for this, so the guard drops the input that was meant for the panel.
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

    @property
    def moment(self) -> AnswerContext:
        """The context for the reasons."""
        return AnswerContext.at(self.context)


class Panel(Overlay):
    """A panel over one approval, drawn from the copy it was opened with."""

    TITLE: ClassVar[SafeText]
    CHANGED_TEXT: ClassVar[SafeText]
    """The message if the request changed under the panel."""

    def __init__(self, context: ScreenContext, state: InboxState, approval: Approval) -> None:
        super().__init__(context, state)
        self.approval = approval
        self._opened_copy = state.inbox.find(approval.id) or approval
        """The state when the panel opened; in it others may have approved a part."""

    @property
    def subject(self) -> Hashable:
        """The kind of panel, and the very texts of its request."""
        return type(self), self.approval.id, self.approval.texts

    def title_line(self, width: int) -> Line:
        """Return the action, the risk, and the remaining time."""
        until, now = self.approval.expires_at, self.context.now()
        is_over = bool(outcome(self.approval, now, self.context.zone))
        return risk_line(self.TITLE, self.approval.risk, None if is_over else (until, now), width)

    def heading(self) -> ComposeResult:
        """Lay out the title and the request in one line."""
        yield TitleLine(self.title_line)
        yield Static(self.approval.headline, id="headline", markup=False)

    def closing_result(self) -> PanelClosed | None:
        """Return how the request ended, or that it changed."""
        copy = self.state.inbox.find(self.approval.id) or self.approval
        if self.is_busy:
            return None
        if self.state.is_unverified(self.approval.id):
            return PanelClosed(self.CHANGED_TEXT)
        if copy.texts != self.approval.texts or copy.granted != self._opened_copy.granted:
            return PanelClosed(self.CHANGED_TEXT, copy)
        return self._ended_result(copy)

    def _ended_result(self, copy: Approval) -> PanelClosed | None:
        """Return why it can no longer be answered; panels for past requests override this."""
        over = outcome(copy, self.context.now(), self.context.zone)
        if not over:
            return None
        if copy.was_superseded:
            return PanelClosed(self.CHANGED_TEXT, copy)
        return PanelClosed(fmt("Already decided. {}", over) if copy.decided else over, copy)


def risk_line(verb: SafeText, risk: Risk, left: tuple[int, int] | None, width: int) -> Line:
    """Return the action, the risk, and the remaining time; `left` is None when it has ended."""
    word = Piece(fmt("{} RISK", SafeText(risk.value.upper())), Role(risk.value))
    return justify((Piece(fmt("{}  ", verb)), word), (_time_left_piece(left),), width)


def _time_left_piece(left: tuple[int, int] | None) -> Piece:
    if left is None:
        return Piece(fmt("  ended"))
    at, time = countdown_stage(*left), remaining(*left)
    words = fmt("  {} left", time) if at is None else fmt("  {} {}", at.verb, time)
    return Piece(words, Role.PLAIN if at is None else Role.ALERT)

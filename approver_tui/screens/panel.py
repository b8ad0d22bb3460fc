"""What the panels that decide have in common.

Owns: standing over the inbox and hearing of its table; the request as it was when the panel opened,
and closing when it is not that any more. Never: an answer; those are `approve.py`, `deny.py`,
`narrow.py` and `report.py`, and for several at once `batch.py`.
"""

from dataclasses import dataclass, field

from textual.screen import ModalScreen
from textual.widget import Widget

from approver_tui.messages import KeyWanted
from approver_tui.screens.desk import Desk
from approver_tui.screens.guard import InputGuard
from approver_tui.screens.help import HelpScreen
from approver_tui.screens.keys import Rows, help_as_chosen
from approver_tui.screens.reasons import Moment
from approver_tui.screens.table import Table
from approver_tui.screens.withdrawal import WithdrawingScreen
from approver_tui.state.approvals import Approval
from approver_tui.state.countdown import near
from approver_tui.state.decision import NOTHING_MORE, Aside, DenyCode
from approver_tui.state.reported import Reported
from approver_tui.state.risks import Risk
from approver_tui.state.text import SafeText
from approver_tui.widgets.lines import Line, Piece, Role, say, spread
from approver_tui.widgets.records import Viewpoint, outcome
from approver_tui.widgets.times import remaining

TICK = 0.5
"""How often, in seconds, a screen looks at the clocks."""


@dataclass(frozen=True, slots=True)
class Closed:
    """The panel closed by itself; `reason` says why, and `approval` is newer if there is one."""

    reason: SafeText
    approval: Approval | None = None


@dataclass(frozen=True, slots=True)
class Approved:
    """The server has taken the yes."""

    approval: Approval


@dataclass(frozen=True, slots=True)
class DenialGiven:
    """The person said no; nothing is sent yet."""

    approval: Approval
    code: DenyCode
    note: str
    aside: Aside = NOTHING_MORE


@dataclass(frozen=True, slots=True)
class Unknown:
    """An answer left and nobody knows whether it arrived."""

    approval: Approval


@dataclass(frozen=True, slots=True)
class Yes:
    """A yes, with the PIN for those that take it."""

    pin: str | None = field(repr=False, default=None)


@dataclass(frozen=True, slots=True)
class No:
    """A no, with what goes beside it."""

    code: DenyCode
    note: str
    aside: Aside = NOTHING_MORE


@dataclass(frozen=True, slots=True)
class LessWanted:
    """The person wants to agree to a part; `approval` says in `granted` to which."""

    approval: Approval


@dataclass(frozen=True, slots=True)
class AheadWanted:
    """The person wants to approve ahead; `approval` is the request that gives it."""

    approval: Approval


@dataclass(frozen=True, slots=True)
class ReportTaken:
    """The server has taken a report."""

    reported: Reported


@dataclass(frozen=True, slots=True)
class BatchGiven:
    """The person gave one answer to several requests; nothing is sent yet."""

    approvals: tuple[Approval, ...]
    answer: Yes | No


PanelResult = (
    Closed
    | Approved
    | DenialGiven
    | LessWanted
    | AheadWanted
    | ReportTaken
    | Unknown
    | BatchGiven
    | None
)
"""None: the person went back."""


class Overlay(ModalScreen[PanelResult], WithdrawingScreen[PanelResult]):
    """A panel over the inbox, which is told what is known."""

    def __init__(self, desk: Desk, table: Table) -> None:
        super().__init__()
        self.desk = desk
        self.table = table
        self.is_busy = False

    def on_mount(self) -> None:
        """Whatever is being typed was meant for the screen below."""
        self.desk.guard.arm()
        self.set_interval(TICK, self.look_again)
        self.look_again()
        if self.is_whole:
            self.call_after_refresh(self.show_from_top, self.query_one(".panel"))

    def input_guard(self) -> InputGuard:
        """Return the guard of the app."""
        return self.desk.guard

    def on_resize(self) -> None:
        """Keep in sight what has the focus."""
        self.call_after_refresh(self.show_focus)

    def can_view_entire(self, widget: Widget) -> bool:
        """Tell whether a focused widget needs no scrolling.

        Textual takes what lies under the docked title or keys for visible.
        """
        docked = self.query("TitleLine, KeyBar")
        return super().can_view_entire(widget) and not any(
            widget.region.overlaps(each.region) for each in docked
        )

    def table_changed(self, table: Table) -> None:
        """Take what is known now. A panel that is not there yet looks at it when it is."""
        self.table = table
        self.look_again()

    def look_again(self) -> None:
        """Close if there is nothing to answer any more; otherwise draw."""
        if not self.is_whole:
            return
        if closed := self.why_close():
            self.finish(closed)
        else:
            self.draw()

    def why_close(self) -> Closed | None:
        """Return why there is nothing to answer any more; the subclass's duty."""
        raise NotImplementedError

    def on_key_wanted(self, message: KeyWanted) -> None:
        """A clicked key counts as that key."""
        self.app.simulate_key(message.key)

    def action_back(self) -> None:
        """Go back without an answer, unless one is on its way."""
        if not self.is_busy:
            self.dismiss(None)

    def finish(self, result: PanelResult) -> None:
        """End with `result`, and end the help that lies over this panel before it.

        Nobody pressed a key for this, so whatever is being typed was meant for the panel.
        """
        self.desk.guard.arm()
        if self in self.app.screen_stack:
            while self.app.screen is not self:
                self.app.pop_screen()
            self.dismiss(result)

    def open_help(self, keys: Rows, reason: SafeText) -> None:
        """Show the help for this panel, with the keys that the person chose."""
        rows = help_as_chosen(keys, self.desk.keys)
        self.app.push_screen(HelpScreen(say("KEYS IN THIS PANEL"), rows, reason))

    @property
    def moment(self) -> Moment:
        """Now, for the reasons."""
        return Moment.at(self.desk)


class Panel(Overlay):
    """A panel over one approval, drawn from the copy it was opened with."""

    NOTHING_HAPPENED: SafeText
    """What to say when the request changed under the panel."""

    def __init__(self, desk: Desk, table: Table, approval: Approval) -> None:
        super().__init__(desk, table)
        self.approval = approval
        self._found = table.inbox.find(approval.id) or approval
        """What the table had when the panel opened; in it others may have approved a part."""

    def view(self, width: int) -> Viewpoint:
        """Return how the facts are looked at."""
        return self.desk.view(width)

    def title_line(self, verb: SafeText, width: int) -> Line:
        """Return what this panel does, the risk, and the time that is left."""
        until, now = self.approval.expires_at, self.desk.now()
        is_over = bool(outcome(self.approval, now, self.desk.zone))
        return risk_line(verb, self.approval.risk, None if is_over else (until, now), width)

    def why_close(self) -> Closed | None:
        """Return how it ended, or that it is not what it was."""
        copy = self.table.inbox.find(self.approval.id) or self.approval
        if self.is_busy:
            return None
        if self.table.doubts(self.approval.id):
            return Closed(self.NOTHING_HAPPENED)
        if copy.texts != self.approval.texts or copy.granted != self._found.granted:
            return Closed(self.NOTHING_HAPPENED, copy)
        return self._why_over(copy)

    def _why_over(self, copy: Approval) -> Closed | None:
        """Tell whether it was decided meanwhile; panels for what is over say otherwise."""
        over = outcome(copy, self.desk.now(), self.desk.zone)
        if not over:
            return None
        if copy.was_superseded:
            return Closed(self.NOTHING_HAPPENED, copy)
        return Closed(say("Already decided. {}", over) if copy.decided else over, copy)


def risk_line(verb: SafeText, risk: Risk, left: tuple[int, int] | None, width: int) -> Line:
    """Return what a panel does, the risk, and what is left: until when, and now; None when over."""
    word = Piece(say("{} RISK", SafeText(risk.value.upper())), Role(risk.value))
    return spread((Piece(say("{}  ", verb)), word), (_left(left),), width)


def _left(left: tuple[int, int] | None) -> Piece:
    if left is None:
        return Piece(say("  over"))
    at, time = near(*left), remaining(*left)
    words = say("  {} left", time) if at is None else say("  {} {}", at.verb, time)
    return Piece(words, Role.PLAIN if at is None else Role.ALERT)

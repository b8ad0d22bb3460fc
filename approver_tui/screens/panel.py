"""What the two panels that decide have in common.

Owns: the request as it was when the panel opened, and closing when it is not that any more.
Never: an answer; that is `approve.py` and `deny.py`.
"""

from dataclasses import dataclass

from textual.screen import ModalScreen

from approver_tui.messages import KeyWanted
from approver_tui.screens.desk import Desk
from approver_tui.screens.help import HelpScreen
from approver_tui.screens.reasons import Moment
from approver_tui.screens.table import Table
from approver_tui.screens.whole import WholeScreen
from approver_tui.state.approvals import Approval
from approver_tui.state.decision import DenyCode
from approver_tui.state.text import SafeText
from approver_tui.widgets.facts import Viewpoint, outcome
from approver_tui.widgets.lines import Line, Piece, risk_role, say, spread
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


@dataclass(frozen=True, slots=True)
class Unknown:
    """An answer left and nobody knows whether it arrived."""

    approval: Approval


PanelResult = Closed | Approved | DenialGiven | Unknown | None
"""None: the person went back."""


class Panel(ModalScreen[PanelResult], WholeScreen[PanelResult]):
    """A panel over one approval, drawn from the copy it was opened with."""

    NOTHING_HAPPENED: SafeText
    """What to say when the request changed under the panel."""

    def __init__(self, desk: Desk, table: Table, approval: Approval) -> None:
        super().__init__()
        self.desk = desk
        self.table = table
        self.approval = approval
        self.is_busy = False

    def on_mount(self) -> None:
        """Whatever is being typed was meant for the screen below."""
        self.desk.guard.arm()
        self.set_interval(TICK, self.look_again)
        self.look_again()

    def table_changed(self, table: Table) -> None:
        """Take what is known now. A panel that is not there yet looks at it when it is."""
        self.table = table
        self.look_again()

    def look_again(self) -> None:
        """Close if this request is over or not what it was; otherwise draw."""
        if not self.is_whole:
            return
        if closed := self._why_close():
            self.finish(closed)
        else:
            self.draw()

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

    def open_help(self, keys: tuple[tuple[SafeText, SafeText], ...], reason: SafeText) -> None:
        """Show the help for this panel."""
        self.app.push_screen(HelpScreen(say("KEYS IN THIS PANEL"), keys, reason))

    @property
    def moment(self) -> Moment:
        """Now, for the reasons."""
        return Moment(self.desk.now(), self.desk.zone)

    def view(self, width: int) -> Viewpoint:
        """Return how the facts are looked at."""
        return Viewpoint(self.desk.now(), self.desk.zone, width)

    def title_line(self, verb: SafeText, width: int) -> Line:
        """Return what this panel does, the risk, and the time that is left."""
        risk = self.approval.risk
        left = say("  {} left", remaining(self.approval.expires_at, self.desk.now()))
        word = Piece(say("{} RISK", SafeText(risk.value.upper())), risk_role(risk))
        return spread((Piece(say("{}  ", verb)), word), (Piece(left),), width)

    def _why_close(self) -> Closed | None:
        copy = self.table.inbox.find(self.approval.id) or self.approval
        if self.is_busy:
            return None
        if self.table.doubts(self.approval.id):
            return Closed(self.NOTHING_HAPPENED)
        if _texts(copy) != _texts(self.approval):
            return Closed(self.NOTHING_HAPPENED, copy)
        over = outcome(copy, self.desk.now(), self.desk.zone)
        if not over:
            return None
        return Closed(say("Already decided. {}", over) if copy.decided else over, copy)


def _texts(approval: Approval) -> tuple[str, str, str, str]:
    return (
        approval.action_digest,
        approval.display_digest,
        approval.action_text,
        approval.display_text,
    )

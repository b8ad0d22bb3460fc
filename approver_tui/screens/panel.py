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


class Panel(ModalScreen[PanelResult]):
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
        """Compare with what is known now; close if this request is not what it was."""
        self.table = table
        copy = table.inbox.find(self.approval.id)
        if self.is_busy or copy is None:
            return
        now = self.desk.now()
        if _texts(copy) != _texts(self.approval):
            self._close(Closed(self.NOTHING_HAPPENED, copy))
        elif over := outcome(copy, now, self.desk.zone):
            already = say("Already decided. {}", over) if copy.decided else over
            self._close(Closed(already, copy))
        else:
            self.look_again()

    def look_again(self) -> None:
        """Bring the panel up to the clocks; subclasses add their own."""
        if not self.is_busy and not self.approval.is_waiting(self.desk.now()):
            self._close(Closed(outcome(self.approval, self.desk.now(), self.desk.zone)))

    def on_key_wanted(self, message: KeyWanted) -> None:
        """A clicked key counts as that key."""
        self.app.simulate_key(message.key)

    def action_back(self) -> None:
        """Go back without an answer, unless one is on its way."""
        if not self.is_busy:
            self.dismiss(None)

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

    def _close(self, closed: Closed) -> None:
        self.desk.guard.arm()
        if self.is_current:
            self.dismiss(closed)
        elif self.is_attached:
            self.app.call_later(self._close_below_help, closed)

    def _close_below_help(self, closed: Closed) -> None:
        if isinstance(self.app.screen, HelpScreen):
            self.app.pop_screen()
        if self.is_current:
            self.dismiss(closed)


def _texts(approval: Approval) -> tuple[str, str, str, str]:
    return (
        approval.action_digest,
        approval.display_digest,
        approval.action_text,
        approval.display_text,
    )

"""One approval as a row of the inbox.

Owns: the two lines of a row, the words for what is going on with it. Never: selection, scrolling.
"""

from dataclasses import dataclass
from enum import StrEnum

from approver_tui.state.approvals import Approval, ApprovalState, Kind, Risk
from approver_tui.state.text import SafeText
from approver_tui.widgets.lines import Line, Piece, Role, crop, pad, risk_role, say, spread
from approver_tui.widgets.times import remaining

_SYMBOLS = {Risk.LOW: " . ", Risk.MEDIUM: " ! ", Risk.HIGH: "!! ", Risk.CRITICAL: "!!!"}
_WORDS = {Risk.LOW: "LOW", Risk.MEDIUM: "MED", Risk.HIGH: "HIGH", Risk.CRITICAL: "CRIT"}
_BEFORE = {Kind.CONSENT: SafeText("consent for "), Kind.APP_ACTION: SafeText("app ")}
"""What stands before the name of whoever asks."""
_WORD_WIDTH = 5
_INDENT = 4


class Doing(StrEnum):
    """What this program is doing about an approval; the words stand in its row."""

    SENDING = "sending"
    CHECKING = "checking"
    """An answer was sent and its receipt lost."""
    DENYING = "denying"
    """A denial waits its five seconds and can be taken back."""


@dataclass(frozen=True, slots=True)
class Row:
    """An approval with all that its row depends on."""

    approval: Approval
    now: int
    doing: Doing | None = None
    is_selected: bool = False

    @property
    def is_open(self) -> bool:
        """Whether it still waits for an answer."""
        return self.approval.is_waiting(self.now)


def row_lines(row: Row, width: int) -> tuple[Line, Line]:
    """Return marker, risk, headline and what remains; below it who asks for what."""
    return _first(row, width), _second(row, width)


def _first(row: Row, width: int) -> Line:
    risk = row.approval.risk
    cursor = Piece(say(">") if row.is_selected else say(" "), Role.STRONG)
    role = risk_role(risk) if row.is_open else Role.DIM
    symbol = _SYMBOLS[risk] if row.is_open else "   "
    word = pad(SafeText(symbol + _WORDS[risk]), len(symbol) + _WORD_WIDTH)
    headline = Piece(row.approval.headline, Role.PLAIN if row.is_open else Role.DIM)
    state = Piece(say(" {}", _state(row)), Role.STRONG if row.doing else Role.PLAIN)
    return spread((cursor, Piece(word, role), headline), (state,), width)


def _second(row: Row, width: int) -> Line:
    agent = row.approval.agent
    text = _who(row.approval)
    new = say(" NEW") if agent.first_request and row.is_open else SafeText("")
    shown = crop(text, width - _INDENT - len(new))
    margin = Piece(SafeText(" " * _INDENT))
    return (margin, Piece(shown, Role.DIM), Piece(new, Role.STRONG))


def _who(approval: Approval) -> SafeText:
    display = approval.display
    if approval.kind is Kind.DEVICE:
        return say("a device at {}", display.asked_from)
    if approval.kind is Kind.APP_DEVICE:
        return say("{} on a device at {}", display.agent.name, display.asked_from)
    resource = SafeText(display.resource.removeprefix("https://"))
    return say("{}{} > {}", _BEFORE.get(approval.kind, SafeText("")), display.agent.name, resource)


def _state(row: Row) -> SafeText:
    if row.doing is not None:
        return SafeText(row.doing.value)
    if row.is_open:
        return remaining(row.approval.expires_at, row.now)
    if row.approval.state is ApprovalState.PENDING:
        return say("expired")
    return SafeText(row.approval.state_word)

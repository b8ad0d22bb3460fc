"""The inbox row of an approval or of a group of look-alikes.

Owns: the two lines of a row, the words for an answer in progress. Never: selecting, scrolling.
"""

from dataclasses import dataclass
from enum import StrEnum

from rich.cells import cell_len

from approver_tui.state.approvals.approvals import Approval, ApprovalState, Kind
from approver_tui.state.approvals.countdown import countdown_stage
from approver_tui.state.approvals.look_alikes import Fold
from approver_tui.state.risks import Risk
from approver_tui.state.text import SafeText
from approver_tui.widgets.lines import (
    Line,
    Piece,
    Role,
    crop,
    fmt,
    justify,
    length,
    money_width,
    pad,
)
from approver_tui.widgets.times import remaining

_SYMBOLS = {Risk.LOW: " . ", Risk.MEDIUM: " ! ", Risk.HIGH: "!! ", Risk.CRITICAL: "!!!"}
_RISK_WORDS = {Risk.LOW: "LOW", Risk.MEDIUM: "MED", Risk.HIGH: "HIGH", Risk.CRITICAL: "CRIT"}
_PREFIXES = {
    Kind.CONSENT: SafeText("consent for "),
    Kind.APP_ACTION: SafeText("app "),
    Kind.STANDING_GRANT: SafeText("grant for "),
}
"""The text before the requester's name, by kind."""
_WORD_WIDTH = 5
INDENT = 4
"""The indent of the second line in cells, where the checkbox is."""


class AnswerProgress(StrEnum):
    """The progress of an answer in this program; the row shows the value."""

    SENDING = "sending"
    CHECKING = "checking"
    """An answer was sent, but no confirmation arrived."""
    DENYING = "denying"
    """A denial waits for five seconds and can be undone."""


@dataclass(frozen=True, slots=True)
class InboxRow:
    """A row's approval or group, with everything else the row depends on."""

    fold: Fold
    now: int
    in_progress: AnswerProgress | None = None
    has_cursor: bool = False
    me: str | None = None
    """The ID of the current user; a request for another user names that user."""
    has_box: bool = False
    """Whether the row shows a checkbox."""
    quiet: SafeText = SafeText("")  # noqa: RUF009  # SafeText is immutable
    """Why the request does not notify; empty if it does."""

    @property
    def approval(self) -> Approval:
        """The approval that the row shows."""
        return self.fold.approval

    @property
    def is_open(self) -> bool:
        """Whether the approval is still waiting for an answer."""
        return self.approval.is_waiting(self.now)

    @property
    def box(self) -> SafeText:
        """The checkbox, or blanks, as wide as the indent."""
        if not self.has_box:
            return SafeText(" " * INDENT)
        if not self.fold.selected_count:
            return SafeText("[ ] ")
        is_ready = self.fold.is_open or self.fold.selected_count >= self.fold.waiting
        return SafeText("[x] " if is_ready else "[-] ")


def row_lines(row: InboxRow, width: int) -> tuple[Line, Line]:
    """Return one line with risk, headline and time left, and one with agent and resource."""
    headline = row.approval.granted_headline
    state = Piece(fmt(" {}", _state_text(row)), _state_role(row))
    headline_width = width - 1 - len(_SYMBOLS[Risk.LOW]) - _WORD_WIDTH - cell_len(state.text) - 1
    if money_width(headline) > headline_width:  # the second line has room for the state
        return _first_line(row, (), width), _second_line(row, (state,), width)
    return _first_line(row, (state,), width), _second_line(row, (), width)


def _first_line(row: InboxRow, state: Line, width: int) -> Line:
    risk = row.approval.risk
    cursor = Piece(fmt(">") if row.has_cursor else fmt(" "), Role.STRONG)
    role = Role(risk.value) if row.is_open else Role.DIM
    symbol = _SYMBOLS[risk] if row.is_open else "   "
    risk_label = pad(SafeText(symbol + _RISK_WORDS[risk]), len(symbol) + _WORD_WIDTH)
    headline = Piece(row.approval.granted_headline, Role.PLAIN if row.is_open else Role.DIM)
    return justify((cursor, Piece(risk_label, role), headline), state, width)


def _second_line(row: InboxRow, state: Line, width: int) -> Line:
    new_text = fmt(" NEW") if row.fold.is_new and row.is_open else SafeText("")
    mark = fmt("  {}", row.fold.count_label) if row.fold.count_label else SafeText("")
    quiet = fmt("  {}", row.quiet) if row.quiet and row.is_open else SafeText("")
    other_width = len(new_text) + len(quiet) + len(mark) + length(state)
    requester = crop(_requester_for(row), width - INDENT - other_width)
    margin = Piece(row.box, Role.STRONG if row.has_box else Role.PLAIN)
    quiet_pieces = (Piece(quiet),) if quiet else ()
    line = (margin, Piece(requester, Role.DIM), *quiet_pieces, Piece(new_text, Role.STRONG))
    role = Role.STRONG if row.fold.is_group else Role.DIM
    line = (*line, Piece(mark, role)) if mark else line
    return justify(line, state, width) if state else line


def _requester_for(row: InboxRow) -> SafeText:
    display = row.approval.display
    if row.me in {None, display.user_id}:
        return _requester(row.approval)
    return fmt("{} for {}", _requester(row.approval), display.user_name)


def _requester(approval: Approval) -> SafeText:
    display = approval.display
    if approval.kind is Kind.DEVICE:
        return fmt("a device at {}", display.asked_from)
    if approval.kind is Kind.APP_DEVICE:
        return fmt("{} on a device at {}", display.agent.name, display.asked_from)
    resource = SafeText(display.resource.removeprefix("https://"))
    return fmt(
        "{}{} > {}", _PREFIXES.get(approval.kind, SafeText("")), display.agent.asks_as, resource
    )


def _state_role(row: InboxRow) -> Role:
    if row.in_progress is not None:
        return Role.STRONG
    is_near = row.is_open and countdown_stage(row.approval.expires_at, row.now)
    return Role.ALERT if is_near else Role.PLAIN


def _time_left_text(row: InboxRow) -> SafeText:
    """Return the remaining time; in the last minute with a word before it."""
    expires_at = row.approval.expires_at
    stage, left = countdown_stage(expires_at, row.now), remaining(expires_at, row.now)
    return left if stage is None else fmt("{} {}", stage.verb, left)


def _state_text(row: InboxRow) -> SafeText:
    if row.in_progress is not None:
        return SafeText(row.in_progress.value)
    if row.is_open:
        left = _time_left_text(row)
        if row.approval.is_locked:
            return fmt("locked  {}", left)
        vote_tally = row.approval.vote_tally
        return left if vote_tally is None else fmt("{}  {}", vote_tally.progress, left)
    if row.approval.state is ApprovalState.PENDING:
        return fmt("expired")
    return SafeText(row.approval.verdict_text)

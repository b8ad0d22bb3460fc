"""The list of reasons for a denial.

Owns: the numbered list, the choice, what the agent is told for it. Never: preselecting one; the
user must choose.
"""

from typing import ClassVar

from textual import events
from textual.binding import Binding, BindingType
from textual.message import Message

from approver_tui.state.approvals.decision import DenyCode
from approver_tui.state.text import SafeText
from approver_tui.widgets.lines import Line, Piece, Role, fmt, justify, length
from approver_tui.widgets.sheet import Sheet

_CODES = tuple(DenyCode)
NOT_PICKED = fmt("pick a reason, 1 to {}.", len(_CODES))
"""Why a denial cannot be sent yet."""


class DenyCodes(Sheet, can_focus=True):
    """One line for each reason; digits pick, arrows move, Enter sends."""

    BINDINGS: ClassVar[list[BindingType]] = [
        *(Binding(str(number + 1), f"pick({number})", show=False) for number in range(len(_CODES))),
        Binding("j,down", "move(1)", show=False),
        Binding("k,up", "move(-1)", show=False),
        Binding("enter", "send", show=False),
    ]

    class Picked(Message):
        """The user chose a reason."""

        def __init__(self, code: DenyCode) -> None:
            super().__init__()
            self.code = code

    class Sent(Message):
        """The user pressed Enter on the list."""

    def __init__(self) -> None:
        super().__init__()
        self._index = -1

    @property
    def code(self) -> DenyCode | None:
        """The chosen reason."""
        return _CODES[self._index] if self._index >= 0 else None

    def lines_for(self, width: int) -> list[Line]:
        """Return one line per reason."""
        return [self._line(number, code, width) for number, code in enumerate(_CODES)]

    def action_pick(self, index: int) -> None:
        """Choose a reason."""
        self._index = index
        self.relayout()
        self.post_message(self.Picked(_CODES[index]))

    def action_move(self, step: int) -> None:
        """Choose the next or the previous reason."""
        self.action_pick(min(len(_CODES) - 1, max(0, self._index + step)))

    def action_send(self) -> None:
        """Ask to send the denial."""
        self.post_message(self.Sent())

    def on_click(self, event: events.Click) -> None:
        """Choose the clicked reason."""
        if event.y < len(_CODES):
            self.action_pick(event.y)

    def _line(self, number: int, code: DenyCode, width: int) -> Line:
        is_chosen = number == self._index
        text = fmt(
            "{} {} {}", fmt(">") if is_chosen else fmt(" "), number + 1, SafeText(code.label)
        )
        agent_text = fmt("({})", SafeText(code.agent_may))
        left = Piece(text, Role.STRONG if is_chosen else Role.PLAIN)
        if length((left,)) + length((extras := Piece(agent_text, Role.DIM),)) >= width:
            return (left,)
        return justify((left,), (extras,), width)

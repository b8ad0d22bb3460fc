"""The list of reasons for a denial.

Owns: the numbered list, the choice, what the agent is told for it. Never: preselecting one; the
user must choose.
"""

from approver_tui.state.approvals.decision import DenyCode
from approver_tui.state.text import SafeText
from approver_tui.widgets.choices import Choices
from approver_tui.widgets.lines import Line, Piece, Role, fmt, justify, length

_CODES = tuple(DenyCode)
NOT_PICKED = fmt("pick a reason, 1 to {}.", len(_CODES))
"""Why a denial cannot be sent yet."""


class DenyCodes(Choices):
    """One line for each reason, with what the agent is told."""

    def __init__(self) -> None:
        super().__init__([SafeText(code.label) for code in _CODES])
        self.styles.height = len(_CODES)

    @property
    def code(self) -> DenyCode | None:
        """The chosen reason."""
        return None if self.index is None else _CODES[self.index]

    def choice_lines(self, number: int, text: SafeText, role: Role, width: int) -> list[Line]:
        """Return the line of a reason, with what the agent may do if there is room."""
        left = Piece(text, role)
        extras = Piece(fmt("({})", SafeText(_CODES[number].agent_may)), Role.DIM)
        if length((left,)) + length((extras,)) >= width:
            return [(left,)]
        return [justify((left,), (extras,), width)]

"""The list of reasons for a denial.

Owns: the numbered list, the choice, the text that says what the agent may do. Never: preselecting a
reason, which the user must choose.
"""

from approver_tui.state.approvals.decision import DenyCode
from approver_tui.state.text import SafeText
from approver_tui.widgets.choices import Choices
from approver_tui.widgets.lines import Line, Piece, Role, fmt, justify, length

_CODES = tuple(DenyCode)
NOT_PICKED = fmt("choose a reason, 1 to {}.", len(_CODES))
"""The hint that a reason must be chosen first."""


class DenyCodes(Choices):
    """A line for each reason, with what the agent may do after it."""

    def __init__(self) -> None:
        super().__init__([SafeText(code.label) for code in _CODES])
        self.styles.height = len(_CODES)

    @property
    def code(self) -> DenyCode | None:
        """The chosen reason, if any."""
        return None if self.index is None else _CODES[self.index]

    def choice_lines(self, number: int, text: SafeText, role: Role, width: int) -> list[Line]:
        """Return the line of a reason; if there is room, it says what the agent may do."""
        label = Piece(text, role)
        agent_may = Piece(fmt("({})", SafeText(_CODES[number].agent_may)), Role.DIM)
        if length((label,)) + length((agent_may,)) >= width:
            return [(label,)]
        return [justify((label,), (agent_may,), width)]

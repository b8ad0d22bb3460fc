"""A numbered list from which the user chooses one option.

Owns: the numbers, the choice. Never: preselecting an option; sending.
"""

from collections.abc import Sequence
from typing import ClassVar

from textual import events
from textual.binding import Binding, BindingType
from textual.message import Message

from approver_tui.state.text import SafeText
from approver_tui.widgets.lines import Line, Role, fmt, wrap_text
from approver_tui.widgets.sheet import Sheet

_MAX_DIGIT = 9


class Choices(Sheet, can_focus=True):
    """A list of options; digits choose one, arrow keys choose the next or previous one."""

    BINDINGS: ClassVar[list[BindingType]] = [
        *(Binding(str(number + 1), f"pick({number})", show=False) for number in range(_MAX_DIGIT)),
        Binding("j,down", "move(1)", show=False),
        Binding("k,up", "move(-1)", show=False),
    ]

    class Picked(Message):
        """The user chose an option."""

    def __init__(self, words: Sequence[SafeText], *, id: str | None = None) -> None:  # noqa: A002  # Textual's name
        super().__init__(id=id)
        self._words = tuple(words)
        self._rows: list[int] = []
        self.index: int | None = None
        """The index of the chosen option; None if none is chosen."""

    def lines_for(self, width: int) -> list[Line]:
        """Return the lines of all options; long ones wrap."""
        lines: list[Line] = []
        self._rows = []
        for number, words in enumerate(self._words):
            is_chosen = number == self.index
            text = fmt("{} {} {}", fmt(">") if is_chosen else fmt(" "), number + 1, words)
            rows = self.choice_lines(number, text, Role.STRONG if is_chosen else Role.PLAIN, width)
            lines += rows
            self._rows += [number] * len(rows)
        return lines

    def choice_lines(self, _number: int, text: SafeText, role: Role, width: int) -> list[Line]:
        """Return the lines of an option."""
        return wrap_text(text, width, role)

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        """Disable digits that have no option."""
        return action != "pick" or parameters[0] in range(len(self._words))

    def action_pick(self, index: int) -> None:
        """Choose an option by its index."""
        self.index = index
        self.relayout()
        self.post_message(self.Picked())

    def action_move(self, step: int) -> None:
        """Choose the option `step` rows down; if none is chosen, the first one."""
        current = -1 if self.index is None else self.index
        self.action_pick(min(len(self._words) - 1, max(0, current + step)))

    def on_click(self, event: events.Click) -> None:
        """Choose the clicked option."""
        row = event.y + self.scroll_offset.y
        if row < len(self._rows):
            self.action_pick(self._rows[row])

"""A numbered list with one choice.

Owns: the numbers, the choice. Never: preselecting one; sending.
"""

from collections.abc import Sequence
from typing import ClassVar

from textual import events
from textual.binding import Binding, BindingType
from textual.message import Message

from approver_tui.state.text import SafeText
from approver_tui.widgets.lines import Line, Role, fmt, wrapped
from approver_tui.widgets.sheet import Sheet

_MAX = 9


class Choices(Sheet, can_focus=True):
    """One line each; digits pick, arrows move."""

    BINDINGS: ClassVar[list[BindingType]] = [
        *(Binding(str(number + 1), f"pick({number})", show=False) for number in range(_MAX)),
        Binding("j,down", "move(1)", show=False),
        Binding("k,up", "move(-1)", show=False),
    ]

    class Picked(Message):
        """The user chose another one."""

    def __init__(self, words: Sequence[SafeText], *, id: str | None = None) -> None:  # noqa: A002  # Textual's name
        super().__init__(id=id)
        self._words = tuple(words)
        self._rows: list[int] = []
        self.index: int | None = None
        """The index of the choice."""

    def lines_for(self, width: int) -> list[Line]:
        """Return a line for each choice; long ones wrap."""
        lines: list[Line] = []
        self._rows = []
        for number, words in enumerate(self._words):
            chosen = number == self.index
            text = fmt("{} {} {}", fmt(">") if chosen else fmt(" "), number + 1, words)
            rows = self.choice_lines(number, text, Role.STRONG if chosen else Role.PLAIN, width)
            lines += rows
            self._rows += [number] * len(rows)
        return lines

    def choice_lines(self, _number: int, text: SafeText, role: Role, width: int) -> list[Line]:
        """Return the lines of one choice."""
        return wrapped(text, width, role)

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        """Digits without a choice mean nothing here."""
        return action != "pick" or parameters[0] in range(len(self._words))

    def action_pick(self, index: int) -> None:
        """Choose one."""
        self.index = index
        self.relayout()
        self.post_message(self.Picked())

    def action_move(self, step: int) -> None:
        """Choose the next or the previous one."""
        before = -1 if self.index is None else self.index
        self.action_pick(min(len(self._words) - 1, max(0, before + step)))

    def on_click(self, event: events.Click) -> None:
        """Choose the clicked one."""
        row = event.y + self.scroll_offset.y
        if row < len(self._rows):
            self.action_pick(self._rows[row])

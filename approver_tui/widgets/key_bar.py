"""The keys of a screen, in at most two lines.

Owns: which keys fit; the way out and the help always do. A click counts as the key. Never: acting;
an unavailable key is shown as off, and pressing it says why.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from rich.cells import cell_len
from textual import events
from textual.content import Content
from textual.widgets import Static

from approver_tui.messages import KeyClicked
from approver_tui.state.text import SafeText

_LINES = 2
_GAP = "  "


@dataclass(frozen=True, slots=True)
class Hint:
    """One key and what it does."""

    shown: SafeText
    """The key as shown to the user."""
    label: SafeText
    key: str
    """The key's name in Textual; empty if it cannot be clicked."""
    is_kept: bool = False
    """True for help and the way out, which are never dropped."""
    is_off: bool = False
    is_main: bool = False
    """True for the main keys of a screen: dropped last, and shown even when off."""

    @property
    def text(self) -> str:
        """The hint as it is drawn."""
        off = " (off)" if self.is_off else ""
        return f"{self.shown} {self.label}{off}"


def fit(hints: Sequence[Hint], width: int) -> list[list[Hint]]:
    """Return at most two lines of hints.

    Hints that are off are dropped first, then those late in the order: a key that does nothing
    never takes the place of one that works.
    """
    chosen = list(hints)
    while len(lines := _wrap_hints(chosen, width)) > _LINES:
        spare = [hint for hint in chosen if not hint.is_kept]
        if not spare:
            break
        off = [hint for hint in spare if hint.is_off and not hint.is_main]
        chosen.remove((off or spare)[-1])
    return lines[:_LINES]


class KeyBar(Static):
    """The last lines of a screen."""

    def __init__(self, hints: Sequence[Hint] = ()) -> None:
        super().__init__(markup=False)
        self._hints = tuple(hints)

    def show(self, hints: Sequence[Hint]) -> None:
        """Draw other hints."""
        if tuple(hints) != self._hints:
            self._hints = tuple(hints)
            self.refresh(layout=True)

    def render(self) -> Content:
        """Draw the hints, the keys bolder than their labels."""
        lines = fit(self._hints, self.size.width or self.app.size.width)
        return Content("\n").join(Content(_GAP).join(map(_hint_content, hints)) for hints in lines)

    def on_click(self, event: events.Click) -> None:
        """Ask for the key that was clicked."""
        lines = fit(self._hints, self.size.width)
        if event.y < len(lines) and (hint := _hint_at(lines[event.y], event.x)) and hint.key:
            self.post_message(KeyClicked(hint.key))


def _hint_content(hint: Hint) -> Content:
    style = "dim" if hint.is_off else ""
    key = Content.styled(hint.shown, style or "bold $accent")
    return key + Content.styled(hint.text[len(hint.shown) :], style)


def _wrap_hints(hints: list[Hint], width: int) -> list[list[Hint]]:
    lines: list[list[Hint]] = [[]]
    for hint in hints:
        if lines[-1] and _width([*lines[-1], hint]) > width:
            lines.append([])
        lines[-1].append(hint)
    return lines


def _width(hints: list[Hint]) -> int:
    return cell_len(_GAP.join(hint.text for hint in hints))


def _hint_at(hints: list[Hint], x: int) -> Hint | None:
    start = 0
    for hint in hints:
        end = start + cell_len(hint.text)
        if start <= x < end:
            return hint
        start = end + len(_GAP)
    return None

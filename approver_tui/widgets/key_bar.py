"""The key hints of a screen, in at most two lines.

Owns: which hints fit, always with Help and the key that leaves the screen; clicks on hints.
Never: performing the action of a key; showing a key that does nothing now.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from rich.cells import cell_len
from textual import events
from textual.content import Content
from textual.geometry import Size
from textual.widgets import Static

from approver_tui.messages import KeyClicked
from approver_tui.state.text import SafeText

_MAX_LINES = 2
_GAP = "  "


@dataclass(frozen=True, slots=True)
class Hint:
    """A key and what it does."""

    key_text: SafeText
    """The key as shown to the user."""
    label: SafeText
    key: str
    """The key's name in Textual; empty if it cannot be clicked."""
    is_kept: bool = False
    """True for Help and the key that leaves the screen, which are never dropped."""
    is_off: bool = False
    """True for a key that is unavailable now: it is not shown, and pressing it says why."""

    @property
    def text(self) -> str:
        """The hint as it is drawn."""
        return f"{self.key_text} {self.label}"


def fit(hints: Sequence[Hint], width: int) -> list[list[Hint]]:
    """Return at most two lines of available hints; the last hints are dropped first."""
    available = [hint for hint in hints if not hint.is_off]
    while len(lines := _wrap_hints(available, width)) > _MAX_LINES:
        droppable = [hint for hint in available if not hint.is_kept]
        if not droppable:
            break
        available.remove(droppable[-1])
    return lines[:_MAX_LINES]


class KeyBar(Static):
    """The key hints at the bottom of a screen."""

    def __init__(self, hints: Sequence[Hint] = ()) -> None:
        super().__init__(markup=False)
        self._hints = tuple(hints)

    def show(self, hints: Sequence[Hint]) -> None:
        """Draw new hints, if they changed."""
        if tuple(hints) != self._hints:
            self._hints = tuple(hints)
            self.refresh(layout=True)

    def render(self) -> Content:
        """Draw the hints, with the keys in bold."""
        lines = fit(self._hints, self.size.width or self.app.size.width)
        return Content("\n").join(Content(_GAP).join(map(_hint_content, hints)) for hints in lines)

    def get_content_height(self, container: Size, viewport: Size, width: int) -> int:  # noqa: ARG002  # Textual's signature
        """Return how many lines the hints need at `width`, not the current width."""
        return len(fit(self._hints, width))

    def on_click(self, event: events.Click) -> None:
        """Post the key of the clicked hint."""
        lines = fit(self._hints, self.size.width)
        if event.y < len(lines) and (hint := _hint_at(lines[event.y], event.x)) and hint.key:
            self.post_message(KeyClicked(hint.key))


def _hint_content(hint: Hint) -> Content:
    key = Content.styled(hint.key_text, "bold $accent")
    return key + Content(hint.text[len(hint.key_text) :])


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

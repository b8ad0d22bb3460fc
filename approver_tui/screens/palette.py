"""The command palette: the list of commands of the screen below.

Owns: the list and the search. Never: running a command; the screen
below presses its key.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import ClassVar

from textual import on
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Vertical
from textual.screen import ModalScreen
from textual.widgets import Input, Static

from approver_tui.screens.keys import PAGES_WITH_CONTENTS, PALETTE_KEYS
from approver_tui.screens.ready_screen import ReadyScreen
from approver_tui.state.saved_filters import NO_FILTERS
from approver_tui.state.text import SafeText, display_safe
from approver_tui.widgets.entry_list import Entry, EntryList, Section
from approver_tui.widgets.key_bar import KeyBar
from approver_tui.widgets.lines import fmt

_MAX_SEARCH_LENGTH = 40
_QUESTION = SafeText("What do you want to do?")


@dataclass(frozen=True, slots=True)
class Command:
    """A command of a screen."""

    key: SafeText
    """The key as shown to the user; choosing the command presses it."""
    words: SafeText


def commands(
    rows: Iterable[tuple[SafeText, SafeText]], filters: Mapping[str, str] = NO_FILTERS
) -> tuple[Command, ...]:
    """Return commands for pages, for help rows with a single key, and for saved filters."""
    page_commands = [
        Command(SafeText(str(digit)), fmt("page: {}{}", name, contents))
        for digit, (name, contents) in enumerate(PAGES_WITH_CONTENTS, start=1)
    ]
    others = [Command(key, words) for key, words in rows if " " not in key and "-" not in key[1:]]
    filter_commands = [
        Command(display_safe(f"@{name}"), fmt("filter: {}", display_safe(text)))
        for name, text in filters.items()
    ]
    return (*page_commands, *others, *filter_commands)


class Palette(ModalScreen[SafeText | None], ReadyScreen[SafeText | None]):
    """A search field and the matching commands. Its result is the key of the chosen command."""

    AUTO_FOCUS = "#search"
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape", "dismiss", show=False),
        Binding("down", "move(1)", show=False, priority=True),
        Binding("up", "move(-1)", show=False, priority=True),
    ]

    def __init__(self, commands: Sequence[Command], question: SafeText = _QUESTION) -> None:
        super().__init__()
        self._question = question
        self._commands = tuple(commands)
        self._index = 0
        self._search = Input(id="search", compact=True, max_length=_MAX_SEARCH_LENGTH)
        self._search.cursor_blink = False

    def compose(self) -> ComposeResult:
        """Lay out the search field, the matches and the keys."""
        with Vertical(classes="panel -tall"):
            yield Static(self._question, markup=False)
            yield self._search
            yield EntryList(id="found")
            yield KeyBar(PALETTE_KEYS)

    def on_mount(self) -> None:
        """Show all commands."""
        self.draw()

    def draw_widgets(self) -> None:
        """Show the matching commands and the cursor."""
        matches = self._matches
        self._index = min(self._index, max(0, len(matches) - 1))
        entries = tuple(
            Entry(command.key, command.words, SafeText(""), command.key) for command in matches
        )
        heading = fmt("COMMANDS ({})", len(matches))
        section = Section(heading, entries, empty=fmt("No matching command."))
        cursor = matches[self._index].key if matches else None
        self.query_one(EntryList).show((section,), cursor)

    @on(Input.Changed)
    def _typed(self) -> None:
        self._index = 0
        self.draw()

    @on(Input.Submitted)
    def _chosen(self) -> None:
        matches = self._matches
        self.dismiss(matches[self._index].key if matches else None)

    def action_move(self, step: int) -> None:
        """Move the cursor by `step` rows."""
        self._index = max(0, self._index + step)
        self.draw()

    @property
    def _matches(self) -> tuple[Command, ...]:
        words = self._search.value.casefold().split()
        return tuple(
            command
            for command in self._commands
            if all(
                word in command.words.casefold() or word == command.key.casefold() for word in words
            )
        )

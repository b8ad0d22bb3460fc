"""Taking the hand of a person who is not there off the button that decides.

Owns: the focus back on Back, the typed secrets emptied, what counts as typing that was meant for
something else. Never: closes a panel; what was read and written stays.

Quiet alone does not tell that somebody looks: a person pauses in another window too. So a panel
that was left, or into which a word is typed, has to be brought to its button again.
"""

from typing import Any

from textual import events
from textual.app import App
from textual.screen import ScreenResultType
from textual.widgets import Input

from approver_tui.screens.guard import InputGuard
from approver_tui.screens.ready_screen import ReadyScreen
from approver_tui.widgets.typed_input import TypedInput

_WAYS = frozenset({"enter", "tab", "shift+tab", "escape"})
"""Keys that people press between controls, whether or not this one does anything with them."""


class SafeFocusScreen(ReadyScreen[ScreenResultType]):
    """The base of every panel with a button that decides; `#back` is the one that does not."""

    def input_guard(self) -> InputGuard:
        """Return the guard of the app; the subclass's duty."""
        raise NotImplementedError

    def withdraw(self, *, forgetting: bool) -> None:
        """Put the focus on Back; `forgetting` empties the fields that hide what is typed."""
        if not self.is_ready:
            return
        for back in self.query("#back"):
            self.set_focus(back)
        if forgetting:
            for field in self.query(TypedInput):
                field.forget()

    def on_key(self, event: events.Key) -> None:
        """A key that means nothing here is part of a word that was meant for something else."""
        if self.is_ready and not self._means_something(event):
            event.stop()
            self.input_guard().arm()
            self.withdraw(forgetting=False)

    def _means_something(self, event: events.Key) -> bool:
        is_bound = event.key in _WAYS or event.key in self.active_bindings
        return is_bound or isinstance(self.focused, Input)


def focus_back(app: App[Any], *, forgetting: bool) -> None:
    """Withdraw from every panel that is open, also from one that lies under its help."""
    for screen in app.screen_stack:
        if isinstance(screen, SafeFocusScreen):
            screen.withdraw(forgetting=forgetting)

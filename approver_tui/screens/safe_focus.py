"""Moves the focus away from the deciding button when the user may not be looking.

Owns: moving the focus to Back, clearing typed secrets, detecting typing that was meant for another
window. Never: closing a panel; what was read and typed stays.

A quiet keyboard does not prove that the user looks at the panel, because they may pause in another
window. Therefore, after leaving the window or typing text at a button, they must move to the
deciding button again.
"""

from typing import TYPE_CHECKING, Any

from textual import events
from textual.app import App
from textual.screen import ScreenResultType
from textual.widgets import Input

from approver_tui.screens.ready_screen import ReadyScreen
from approver_tui.widgets.typed_input import TypedInput

if TYPE_CHECKING:
    from approver_tui.screens.context import ScreenContext

_EXPECTED_KEYS = frozenset({"enter", "tab", "shift+tab", "escape"})
"""Keys that are never stray typing, even if the focused control ignores them."""


class SafeFocusScreen(ReadyScreen[ScreenResultType]):
    """The base of every panel with a deciding button; `#back` is the safe button."""

    context: "ScreenContext"

    def focus_back_button(self, *, clear_secrets: bool) -> None:
        """Move the focus to Back; `clear_secrets` also clears the fields that hide their text."""
        if not self.is_ready:
            return
        for back_button in self.query("#back"):
            self.set_focus(back_button)
        if clear_secrets:
            for field in self.query(TypedInput):
                field.clear_secret()

    def on_key(self, event: events.Key) -> None:
        """Move the focus to Back on an unbound key, because the user is typing elsewhere."""
        if self.is_ready and not self._is_expected(event):
            event.stop()
            self.context.guard.arm()
            self.focus_back_button(clear_secrets=False)

    def _is_expected(self, event: events.Key) -> bool:
        is_bound = event.key in _EXPECTED_KEYS or event.key in self.active_bindings
        return is_bound or isinstance(self.focused, Input)


def reset_panels(app: App[Any], *, clear_secrets: bool) -> None:
    """Move the focus to Back in every open panel, also in one below its help."""
    for screen in app.screen_stack:
        if isinstance(screen, SafeFocusScreen):
            screen.focus_back_button(clear_secrets=clear_secrets)

"""A panel with two buttons: Back, and one that acts.

Owns: the buttons with the hint and the keys below them, the order of Tab, input that was meant for
the screen below. Never: what the button does; the subclass's `submit` does that.
"""

from collections.abc import Iterable
from typing import ClassVar

from textual import on
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Horizontal, Vertical
from textual.screen import ModalScreen, ScreenResultType
from textual.widget import Widget
from textual.widgets import Button

from approver_tui.screens.context import ScreenContext
from approver_tui.screens.guard import InputGuard
from approver_tui.screens.safe_focus import SafeFocusScreen
from approver_tui.state.text import SafeText
from approver_tui.widgets.key_bar import Hint, KeyBar
from approver_tui.widgets.lines import fmt
from approver_tui.widgets.notice_lines import CachedLine
from approver_tui.widgets.panel_button import PanelButton, button_hint

TICK = 0.5
"""How often, in seconds, a screen looks at the clocks."""


class ButtonPanel(ModalScreen[ScreenResultType], SafeFocusScreen[ScreenResultType]):
    """The content, Back, the button, the hint, the keys."""

    AUTO_FOCUS = "#back"
    NAME: ClassVar[str | None] = None
    """Its name in the style sheet, if it has one."""
    CLASSES: ClassVar[str] = "panel"
    BUTTON: ClassVar[str] = "do"
    """The ID of the button that acts."""
    BACK: ClassVar[SafeText] = fmt("Back")
    HINTS: ClassVar[tuple[Hint, ...]] = ()
    BINDINGS: ClassVar[list[BindingType]] = [Binding("escape", "back", show=False)]
    verb: SafeText = SafeText("")
    """The name of the button in the hint; empty if there is only Back."""

    def __init__(self, context: ScreenContext) -> None:
        super().__init__()
        self.context = context
        self.is_busy = False

    def content(self) -> ComposeResult:
        """Lay out everything above the buttons."""
        raise NotImplementedError

    def blocker(self) -> SafeText:
        """Return why the button is unavailable, or an empty text."""
        return SafeText("")

    def submit(self) -> None:
        """Act: the button was pressed, and nothing blocks it."""

    def tab_order(self) -> Iterable[Widget] | None:
        """Return the fields between Back and the button; None for the order on the screen."""
        return None

    @property
    def button_label(self) -> SafeText:
        """The words on the button."""
        return self.verb

    def compose(self) -> ComposeResult:
        """Lay out the content, the buttons, hint and keys."""
        with Vertical(classes=self.CLASSES, id=self.NAME):
            yield from self.content()
            with Horizontal(id="buttons"):
                yield PanelButton(self.BACK, id="back")
                if self.verb:
                    yield PanelButton(self.button_label, id=self.BUTTON)
            yield CachedLine(id="hint")
            yield KeyBar(self.HINTS)

    def input_guard(self) -> InputGuard:
        """Return the guard of the app."""
        return self.context.guard

    @property
    def focus_chain(self) -> list[Widget]:
        """Tab goes from Back through the fields to the button, without passing Back again."""
        fields = self.tab_order() if self.is_ready else ()
        if fields is None:
            return super().focus_chain
        order = (*self.query("#back"), *fields, *self.query(f"#{self.BUTTON}"))
        return [widget for widget in order if widget.focusable]

    def draw_button(self, reason: SafeText, text: SafeText | None = None) -> None:
        """Update the button and the hint; a button that becomes unavailable loses the focus."""
        words = button_hint(self.verb, reason) if text is None else text
        self.query_one("#hint", CachedLine).show(words)
        button = self.query_one(f"#{self.BUTTON}", PanelButton)
        if reason and button.has_focus:
            self.query_one("#back").focus()
        button.disabled = bool(reason)

    def action_back(self) -> None:
        """Go back, unless something is being sent."""
        if not self.is_busy:
            self.dismiss(None)

    @on(Button.Pressed)
    def _pressed(self, message: Button.Pressed) -> None:
        if message.button.id == "back":
            self.action_back()
        elif not self.context.guard.is_blocking and not self.blocker():
            self.submit()

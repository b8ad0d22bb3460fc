"""The base of panels with two buttons: Back and one that acts.

Owns: the buttons, the hint and the keys below them, what Enter does, ignoring input that was meant
for the screen below. Never: the action of the button, which is the subclass's `submit`; moving the
focus because the button became available or unavailable.

Tab moves through the fields, then to the button, then to Back.
"""

from dataclasses import replace
from typing import ClassVar

from textual import events, on
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Horizontal, Vertical
from textual.screen import ModalScreen, ScreenResultType
from textual.widgets import Button

from approver_tui.screens.context import ScreenContext
from approver_tui.screens.keys import ENTER
from approver_tui.screens.safe_focus import SafeFocusScreen
from approver_tui.state.text import SafeText
from approver_tui.widgets.key_bar import Hint, KeyBar
from approver_tui.widgets.lines import fmt
from approver_tui.widgets.notice_lines import CachedLine
from approver_tui.widgets.panel_button import PanelButton, button_hint

TICK = 0.5
"""How often, in seconds, a screen updates what depends on the time."""


class ButtonPanel(ModalScreen[ScreenResultType], SafeFocusScreen[ScreenResultType]):
    """A panel with content, a button, Back, a hint and keys."""

    AUTO_FOCUS = "#back"
    NAME: ClassVar[str | None] = None
    """The panel's ID in the style sheet, if it has one."""
    CLASSES: ClassVar[str] = "panel"
    BUTTON: ClassVar[str] = "do"
    """The ID of the button that acts."""
    BACK: ClassVar[SafeText] = fmt("Back")
    HINTS: ClassVar[tuple[Hint, ...]] = ()
    BINDINGS: ClassVar[list[BindingType]] = [Binding("escape", "back", show=False)]
    verb: SafeText = SafeText("")
    """The verb for the button and its hint; empty if there is only Back."""

    def __init__(self, context: ScreenContext) -> None:
        super().__init__()
        self.context = context
        self.is_busy = False

    def content(self) -> ComposeResult:
        """Lay out everything above the buttons."""
        raise NotImplementedError

    def blocker(self) -> SafeText:
        """Return why the button is unavailable; empty if it is available."""
        return fmt("Sending…") if self.is_busy else SafeText("")

    def submit(self) -> None:
        """Perform the panel's action; called when the button is pressed and available."""

    @property
    def button_label(self) -> SafeText:
        """The words on the button."""
        return self.verb

    def compose(self) -> ComposeResult:
        """Lay out the content, the buttons, the hint and the keys."""
        with Vertical(classes=self.CLASSES, id=self.NAME):
            yield from self.content()
            with Horizontal(id="buttons"):
                if self.verb:
                    yield PanelButton(self.button_label, id=self.BUTTON)
                yield PanelButton(self.BACK, id="back")
            yield CachedLine(id="hint")
            yield KeyBar(self.HINTS)

    def draw_button(self, reason: SafeText, text: SafeText | None = None) -> None:
        """Update the button, the hint and the keys."""
        if self.focused is not None and self.focused.id == "back" and reason.startswith("type "):
            reason = fmt("press Tab, then {}", reason)
        hint = button_hint(self.verb, reason) if text is None else text
        self.query_one("#hint", CachedLine).show(hint)
        self.query_one(f"#{self.BUTTON}", PanelButton).is_off = bool(reason)
        self.query_one(KeyBar).show(self.hints())

    def hints(self) -> tuple[Hint, ...]:
        """Return the key hints, with what Enter does on the focused widget first."""
        label = self.enter_label()
        enter = (replace(ENTER, label=label),) if label else ()
        return (*enter, *self.HINTS)

    def enter_label(self) -> SafeText:
        """Return what Enter does on the focused widget; empty if nothing."""
        label = getattr(self.focused, "enter_label", SafeText(""))
        assert isinstance(label, SafeText)  # noqa: S101  # each widget declares it as one
        return label

    def on_descendant_focus(self, _event: events.DescendantFocus) -> None:
        """Update the hint that says what Enter does."""
        self.draw()

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
        else:
            self.draw()

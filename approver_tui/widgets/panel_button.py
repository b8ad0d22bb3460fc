"""A panel button that shows without color whether it has the focus.

Owns: the brackets or pointers around a label. Never: making Approve more prominent than Deny.
"""

from textual import events
from textual.content import Content
from textual.reactive import reactive
from textual.widgets import Button

from approver_tui.state.text import SafeText
from approver_tui.widgets.lines import fmt


class PanelButton(Button):
    """A button, drawn as `[ Back ]`, or as `> Back <` while it has the focus.

    A button that is off can still have the focus; the hint below it says why it is off.
    """

    is_off: reactive[bool] = reactive(default=False, toggle_class="-off")

    def __init__(self, label: SafeText, *, id: str) -> None:  # noqa: A002  # Textual's name
        super().__init__(Content(f"[ {label} ]"), id=id, compact=True)
        self._words = label
        self.active_effect_duration = 0  # otherwise a press changes its color for 0.2 s

    @property
    def enter_label(self) -> SafeText:
        """What Enter does on this button; empty if it is off."""
        return SafeText("") if self.is_off else self._words

    def on_focus(self, _event: events.Focus) -> None:
        """Show pointers around the label."""
        self.label = Content(f"> {self._words} <")

    def on_blur(self, _event: events.Blur) -> None:
        """Show brackets around the label."""
        self.label = Content(f"[ {self._words} ]")


def button_hint(verb: SafeText, reason: SafeText) -> SafeText:
    """Return how to press the main button of a panel, or why it is unavailable.

    A reason that starts with a capital letter, such as "Sending…", is shown without the verb.
    """
    if not reason:
        return fmt("Tab to {}, then Enter.", verb)
    return reason if reason[0].isupper() else fmt("{} unavailable: {}", verb, reason)

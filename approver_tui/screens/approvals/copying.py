"""Copies a request's facts, ID or link to the clipboard.

Owns: the keys that copy, the text that is copied. Never: copying an agent's own words; the facts
come from the server, and the link is built from the ID.
"""

from typing import ClassVar

from textual.binding import BindingType

from approver_tui.screens.keyed_screen import KeyedScreen
from approver_tui.screens.keys import bindings
from approver_tui.screens.palette import Command, Palette
from approver_tui.state.approvals.approvals import Approval
from approver_tui.state.text import SafeText, display_safe
from approver_tui.widgets.lines import fmt


class CopyingScreen(KeyedScreen):
    """A screen with keys that copy from the request under the cursor."""

    BINDINGS: ClassVar[list[BindingType]] = bindings("copy_fact copy_link", copy="copy_id")

    @property
    def current(self) -> Approval | None:
        """The request under the cursor, if any."""
        raise NotImplementedError

    def action_copy_fact(self) -> None:
        """Ask which fact to copy, and copy its value."""
        if self.current is None:
            self._copy(None)
            return
        facts = dict(enumerate(self.current.display.facts, 1))
        commands = [
            Command(SafeText(str(number)), fmt("{}: {}", fact.label, fact.value))
            for number, fact in facts.items()
        ]

        def copy(chosen_number: SafeText | None) -> None:
            if chosen_number is not None:
                self._copy(facts[int(chosen_number)].value)

        self.app.push_screen(Palette(commands, fmt("Which fact do you want to copy?")), copy)

    def action_copy_id(self) -> None:
        """Copy the request's ID."""
        self._copy(None if self.current is None else self.current.id)

    def action_copy_link(self) -> None:
        """Copy the link to the request's page."""
        issuer = self.context.environment.issuer
        self._copy(None if self.current is None else f"{issuer}/r/{self.current.id}")

    def _copy(self, text: str | None) -> None:
        """Copy `text`, and show it in a message, because terminals do not confirm a copy."""
        if text is None:
            self.show_message(fmt("Copy unavailable: nothing is selected."))
            return
        self.app.copy_to_clipboard(text)
        shown = display_safe(text, max_len=200)
        self.show_message(fmt("Copied, if this terminal supports it: {}", shown))

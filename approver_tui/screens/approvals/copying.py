"""Copies a request's facts, ID or link to the clipboard.

Owns: the text that is copied. Never: copying an agent's own words; the facts come from the server,
and the link is built from the ID.
"""

from collections.abc import Callable

from textual.app import App

from approver_tui.screens.context import ScreenContext
from approver_tui.screens.palette import Command, Palette
from approver_tui.state.approvals.approvals import Approval
from approver_tui.state.text import SafeText, display_safe
from approver_tui.widgets.lines import fmt


def choose_fact(
    app: App[object], approval: Approval | None, show: Callable[[SafeText], None]
) -> None:
    """Ask which fact to copy, copy its value and show a message."""
    if approval is None:
        show(_copy_text(app, None))
        return
    facts = dict(enumerate(approval.display.facts, 1))
    commands = [
        Command(SafeText(str(number)), fmt("{}: {}", fact.label, fact.value))
        for number, fact in facts.items()
    ]

    def copy(chosen_number: SafeText | None) -> None:
        if chosen_number is not None:
            show(_copy_text(app, facts[int(chosen_number)].value))

    app.push_screen(Palette(commands, fmt("Which fact do you want to copy?")), copy)


def copy_id(app: App[object], approval: Approval | None) -> SafeText:
    """Copy the request's ID and return the message to show."""
    return _copy_text(app, None if approval is None else approval.id)


def copy_link(app: App[object], approval: Approval | None, context: ScreenContext) -> SafeText:
    """Copy the link to the request's page and return the message to show."""
    return _copy_text(
        app, None if approval is None else f"{context.environment.issuer}/r/{approval.id}"
    )


def _copy_text(app: App[object], text: str | None) -> SafeText:
    """Copy `text`; return a message that repeats it, because terminals do not confirm a copy."""
    if text is None:
        return fmt("Copy unavailable: nothing is selected.")
    app.copy_to_clipboard(text)
    return fmt("Copied, if this terminal supports it: {}", display_safe(text, max_len=200))

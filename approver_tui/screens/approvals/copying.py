"""Copying a request's facts, ID or link to the clipboard.

Owns: the texts. Never: an agent's own words; facts are the server's, and the link is built from the
ID.
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
    """Ask which fact to copy, copy its value, and show the message."""
    if approval is None:
        show(_copy_text(app, None))
        return
    facts = dict(enumerate(approval.display.facts, 1))
    commands = [
        Command(SafeText(str(number)), fmt("{}: {}", fact.label, fact.value))
        for number, fact in facts.items()
    ]

    def copy(safe_text: SafeText | None) -> None:
        if safe_text is not None:
            show(_copy_text(app, facts[int(safe_text)].value))

    app.push_screen(Palette(commands, fmt("Which fact do you want to copy?")), copy)


def copy_id(app: App[object], approval: Approval | None) -> SafeText:
    """Copy the ID; return the message."""
    return _copy_text(app, None if approval is None else approval.id)


def copy_link(app: App[object], approval: Approval | None, context: ScreenContext) -> SafeText:
    """Copy the link to its page; return the message."""
    return _copy_text(
        app, None if approval is None else f"{context.environment.issuer}/r/{approval.id}"
    )


def _copy_text(app: App[object], text: str | None) -> SafeText:
    """Copy a text and show it too, because the terminal does not confirm a copy."""
    if text is None:
        return fmt("Copy unavailable: nothing is selected.")
    app.copy_to_clipboard(text)
    return fmt("Copied, if this terminal supports it: {}", display_safe(text, max_len=200))

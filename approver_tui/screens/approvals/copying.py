"""What of a request goes to the clipboard: its id, or the address of its page.

Owns: the words. Never: text of an agent; an id is the server's, and a link is made of ours and it.
"""

from textual.app import App

from approver_tui.screens.context import ScreenContext
from approver_tui.state.approvals.approvals import Approval
from approver_tui.state.text import SafeText, display_safe
from approver_tui.widgets.lines import say


def copy_id(app: App[object], approval: Approval | None) -> SafeText:
    """Copy the id; return what to say."""
    return _copy(app, None if approval is None else approval.id)


def copy_link(app: App[object], approval: Approval | None, context: ScreenContext) -> SafeText:
    """Copy the address of its page; return what to say."""
    return _copy(app, None if approval is None else f"{context.environment.issuer}/r/{approval.id}")


def _copy(app: App[object], text: str | None) -> SafeText:
    """Whether a terminal takes it is not told, so what was copied is shown too."""
    if text is None:
        return say("Copy is off: nothing is selected.")
    app.copy_to_clipboard(text)
    return say("Copied, where this terminal takes it: {}", display_safe(text, max_len=200))

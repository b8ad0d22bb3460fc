"""Messages from widgets to screens about what the user wants.

Owns: the messages that more than one widget or screen uses. Never: acting on any of them.
"""

from textual.message import Message


class RowMessage(Message):
    """The user did something with the row of an approval, or of another entry."""

    def __init__(self, approval_id: str) -> None:
        super().__init__()
        self.approval_id = approval_id
        """The ID of the approval or entry of that row."""


class CursorMoved(RowMessage):
    """The cursor moved to another approval."""


class PastEnd(Message):
    """The user pressed a movement key in a list without rows."""


class Opened(RowMessage):
    """The user wants to read an approval."""


class CheckboxClicked(RowMessage):
    """The user clicked the checkbox of an approval; same as its key on that row."""


class LoginChosen(Message):
    """The user wants to switch to another server."""

    def __init__(self, name: str) -> None:
        super().__init__()
        self.name = name
        """The login's name; an empty string for a new login."""


class SignInChosen(Message):
    """The user wants to sign in again after the server revoked this device."""


class KeyClicked(Message):
    """The user clicked a key in the key bar; same as pressing it."""

    def __init__(self, key: str) -> None:
        super().__init__()
        self.key = key
        """The key's name in Textual."""

"""Messages from widgets to screens about what the user wants.

Owns: the messages that more than one widget or screen uses. Never: acting on any of them.
"""

from textual.message import Message


class Selected(Message):
    """The cursor moved to another approval."""

    def __init__(self, approval_id: str) -> None:
        super().__init__()
        self.approval_id = approval_id
        """The approval under the cursor."""


class PastEnd(Message):
    """The user pressed a movement key in a list without rows."""


class Opened(Message):
    """The user wants to read an approval."""

    def __init__(self, approval_id: str) -> None:
        super().__init__()
        self.approval_id = approval_id
        """The approval to read."""


class CheckboxClicked(Message):
    """The user clicked the checkbox of an approval; same as its key on that row."""

    def __init__(self, approval_id: str) -> None:
        super().__init__()
        self.approval_id = approval_id
        """The approval of that row."""


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

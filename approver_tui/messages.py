"""What a person wants, as messages from widgets to screens.

Owns: the wishes that more than one widget or screen knows. Never: carries out any of them.
"""

from textual.message import Message


class Selected(Message):
    """The person moved to another approval."""

    def __init__(self, approval_id: str) -> None:
        super().__init__()
        self.approval_id = approval_id
        """The approval that is under the cursor now."""


class PastEnd(Message):
    """The person moved on in a list without rows."""


class Opened(Message):
    """The person wants to read an approval."""

    def __init__(self, approval_id: str) -> None:
        super().__init__()
        self.approval_id = approval_id
        """The approval to read."""


class MarkWanted(Message):
    """The person clicked the mark of an approval; it counts as the key on its row."""

    def __init__(self, approval_id: str) -> None:
        super().__init__()
        self.approval_id = approval_id
        """The approval in whose row it stands."""


class LoginWanted(Message):
    """The person wants to go over to another server."""

    def __init__(self, name: str) -> None:
        super().__init__()
        self.name = name
        """The login's name; nothing for one that is not there yet."""


class SignInWanted(Message):
    """The person wants to sign in again where the server has signed this device out."""


class KeyWanted(Message):
    """The person clicked a key in the key bar; it counts as that key."""

    def __init__(self, key: str) -> None:
        super().__init__()
        self.key = key
        """The key's name, as Textual names it."""

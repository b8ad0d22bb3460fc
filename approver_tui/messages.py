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


class Opened(Message):
    """The person wants to read an approval."""

    def __init__(self, approval_id: str) -> None:
        super().__init__()
        self.approval_id = approval_id
        """The approval to read."""


class KeyWanted(Message):
    """The person clicked a key in the key bar; it counts as that key."""

    def __init__(self, key: str) -> None:
        super().__init__()
        self.key = key
        """The key's name, as Textual names it."""

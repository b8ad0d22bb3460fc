"""The agent that made a request.

Owns: who it is, and who called it. Never: what it asks.
"""

from dataclasses import dataclass

from approver_tui.state.text import SafeText


@dataclass(frozen=True, slots=True)
class RequestingAgent:
    """The agent that made the request, as the server knows it."""

    id: SafeText
    name: SafeText
    owners: tuple[SafeText, ...]
    first_request: bool
    """Whether this is the agent's first request to this user."""
    keys: tuple[SafeText, ...] = ()
    """The names of its credentials."""
    through: tuple[SafeText, ...] = ()
    """The clients that called it and each other, nearest first."""

    @property
    def asks_as(self) -> SafeText:
        """The agent with who called it, such as `assistant through gateway`."""
        return SafeText(" through ".join([*reversed(self.through), self.name]))

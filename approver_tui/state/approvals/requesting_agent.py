"""The agent that made a request.

Owns: its identity and its callers. Never: what it requests.
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
    """The chain of clients that called it, nearest first."""

    @property
    def asks_as(self) -> SafeText:
        """The agent and its callers, such as `assistant through gateway`."""
        return SafeText(" through ".join([*reversed(self.through), self.name]))

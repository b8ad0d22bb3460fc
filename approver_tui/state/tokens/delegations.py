"""The tokens by which somebody acts for a person.

Owns: one token as it is shown, and all of one agent together. Never: the token itself.
Times are integers, milliseconds since the epoch.
"""

from dataclasses import dataclass
from enum import StrEnum

from approver_tui.state.text import SafeText


class DelegationState(StrEnum):
    """How a token stands."""

    LIVE = "live"
    EXPIRED = "expired"
    REVOKED = "revoked"


@dataclass(frozen=True, slots=True)
class Actor:
    """Who holds a token or acted on the way to it."""

    id: str
    name: SafeText


@dataclass(frozen=True, slots=True)
class Delegation:
    """Who acts for the person, where, with what, until when."""

    id: str
    state: DelegationState
    client: Actor
    resource: SafeText
    scopes: tuple[SafeText, ...]
    actors: tuple[Actor, ...]
    """Everybody who acts in it, the present one first; nobody for an app of one's own."""
    issued_at: int
    expires_at: int
    last_used_at: int | None
    revoked_at: int | None
    approval_id: SafeText | None
    """The approval that it stands on."""

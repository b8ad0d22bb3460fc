"""Tokens issued to act for the user.

Owns: one token as it is shown. Never: the token string itself.

Times are integers, milliseconds since the epoch.
"""

from dataclasses import dataclass
from enum import StrEnum

from approver_tui.state.text import LongLine, SafeText


class DelegationState(StrEnum):
    """The state of a token."""

    LIVE = "live"
    EXPIRED = "expired"
    REVOKED = "revoked"


@dataclass(frozen=True, slots=True)
class Actor:
    """The client that holds the token, or an earlier actor in its chain."""

    id: str
    name: SafeText


@dataclass(frozen=True, slots=True)
class Delegation:
    """A token issued to act for the user."""

    id: str
    state: DelegationState
    client: Actor
    resource: LongLine
    scopes: tuple[SafeText, ...]
    actors: tuple[Actor, ...]
    """The chain of actors, the current one first; empty for the user's own app."""
    issued_at: int
    expires_at: int
    last_used_at: int | None
    revoked_at: int | None
    approval_id: SafeText | None
    """The approval that it was issued for."""

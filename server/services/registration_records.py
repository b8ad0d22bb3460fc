"""What we remember of invitations and of the agents that registered themselves."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Invitation:
    """A right to register agents, of one owner and within one ceiling. Its token is a hash here."""

    id: str
    token_hash: bytes
    owner_id: str
    grant_types: tuple[str, ...]
    resources: tuple[str, ...]
    scopes: tuple[str, ...]
    action_types: tuple[str, ...] | None
    """None means every registered type."""
    asks: tuple[str, ...] | None
    """Whom the agents may ask, by user ids; None means everybody."""
    uses_left: int
    created_by: str
    created_at: int
    expires_at: int
    revoked_at: int | None

    def live(self, now: int) -> bool:
        """Reports whether an agent may still register with it."""
        return self.uses_left > 0 and self.revoked_at is None and now < self.expires_at


@dataclass(frozen=True, slots=True)
class Registration:
    """That an agent registered itself, and the hash of the token by which it is changed."""

    agent_id: str
    invitation_id: str
    token_hash: bytes
    created_at: int

"""The installation's own numbers and switches, as the services see them."""

from dataclasses import dataclass
from typing import Literal
from urllib.parse import urlsplit


@dataclass(frozen=True, slots=True)
class ServerPolicy:
    """Made from the settings when the program starts."""

    issuer: str
    on_loopback: bool
    """The issuer is on this machine, whose three names then count as one host."""
    access_token_alg: str
    access_token_seconds: int
    assertion_audience: Literal["issuer", "endpoints"]
    hide_unknown_users: bool
    open_per_agent: int
    open_per_user: int
    open_in_all: int
    denials_before_pause: int
    notify_per_minute: int
    notify_per_hour: int
    notify_per_agent: int
    notify_per_type: int
    notify_low_per_hour: int
    owner_grace_days: int = 14
    dpop_nonces: bool = False
    """Proofs of clients must carry a nonce of ours."""
    not_before: int = 0
    """When a backup was last restored: what was signed before that moment is not accepted."""

    @property
    def api_audience(self) -> str:
        """The audience of people's tokens for our own API."""
        return f"{self.issuer}/api"

    @property
    def owner_grace_ms(self) -> int:
        """So long an agent goes on for which nobody enabled answers."""
        return self.owner_grace_days * 24 * 60 * 60 * 1000

    @property
    def rp_id(self) -> str:
        """The host for which passkeys are made (WebAuthn 4, RP ID)."""
        return urlsplit(self.issuer).hostname or ""

    @property
    def userinfo_audience(self) -> str:
        """The audience of tokens that are about the person and nothing else."""
        return f"{self.issuer}/userinfo"

    @property
    def assertion_audiences(self) -> tuple[str, ...]:
        """What `aud` of a client assertion may be (RFC 10070; endpoints only where set)."""
        if self.assertion_audience == "issuer":
            return (self.issuer,)
        return (self.issuer, f"{self.issuer}/token", f"{self.issuer}/bc-authorize")

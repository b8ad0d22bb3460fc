"""The installation's own numbers and switches, as the services see them."""

from dataclasses import dataclass
from typing import Literal


@dataclass(frozen=True, slots=True)
class Rules:
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
    dpop_nonces: bool = False
    """Proofs of clients must carry a nonce of ours."""

    @property
    def api_audience(self) -> str:
        """The audience of people's tokens for our own API."""
        return f"{self.issuer}/api"

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

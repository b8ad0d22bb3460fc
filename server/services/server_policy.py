"""The settings that services use."""

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal
from urllib.parse import urlsplit

if TYPE_CHECKING:
    from server.protocol.clients.app_registration import Registration
    from server.protocol.clients.client_documents import UnknownClients


@dataclass(frozen=True, slots=True)
class ServerPolicy:
    """Created from the settings when the program starts."""

    issuer: str
    on_loopback: bool
    """Whether the issuer is on loopback. The three names of loopback then count as one host."""
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
    """Whether clients' DPoP proofs must contain a nonce from the server."""
    unknown_clients: "UnknownClients" = "never"
    """Whether unregistered apps may sign people in."""
    app_registration: "Registration" = "off"
    """Whether apps that people use may register themselves."""
    allowed_hosts: frozenset[str] = frozenset()
    blocked_hosts: frozenset[str] = frozenset()
    not_before: int = 0
    """When a backup was last restored. Earlier signatures are not accepted."""

    @property
    def api_audience(self) -> str:
        """The audience of people's tokens for Sayso's own API."""
        return f"{self.issuer}/api"

    @property
    def owner_grace_ms(self) -> int:
        """How long an agent keeps working without an enabled owner."""
        return self.owner_grace_days * 24 * 60 * 60 * 1000

    @property
    def rp_id(self) -> str:
        """The relying party ID for passkeys (WebAuthn 4, RP ID)."""
        return urlsplit(self.issuer).hostname or ""

    @property
    def userinfo_audience(self) -> str:
        """The audience of tokens that only allow `/userinfo`."""
        return f"{self.issuer}/userinfo"

    @property
    def assertion_audiences(self) -> tuple[str, ...]:
        """The accepted `aud` values of client assertions (RFC 10070; endpoints only if set)."""
        if self.assertion_audience == "issuer":
            return (self.issuer,)
        return (self.issuer, f"{self.issuer}/token", f"{self.issuer}/bc-authorize")

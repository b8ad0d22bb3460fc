"""What we remember of passkeys and of the browsers that are signed in with one.

Times are milliseconds since the epoch (`*_at`).
"""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class MadePasskey:
    """A passkey as its authenticator made it."""

    credential: bytes
    public_key: bytes
    """COSE_Key (RFC 9052 7), as it came."""
    signs: int
    """How often it says that it has signed; synchronised ones always say 0."""
    synced: bool
    """It may leave the machine on which it was made (backup eligibility, WebAuthn 6.1.3)."""


@dataclass(frozen=True, slots=True)
class Passkey:
    """The passkey that is a device of the kind `browser`."""

    device_id: str
    credential: bytes
    public_key: bytes
    signs: int
    synced: bool
    last_signed: bytes | None = None
    """SHA-256 of what its last assertion signed."""


@dataclass(frozen=True, slots=True)
class Browser:
    """One browser that is signed in with a passkey, known by its cookie."""

    token_hash: bytes
    """SHA-256 of the cookie."""
    device_id: str
    signed_in_at: int
    expires_at: int
    ended_at: int | None = None

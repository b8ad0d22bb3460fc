"""Devices, terminal sessions, passkeys and device codes."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final, Literal

BROWSER: Final = "browser"
"""The kind of device that is a passkey."""
PASSKEY: Final = "passkey"
"""A browser's only key. For each signature, it verifies the person by fingerprint, face or PIN."""
MAX_ATTEMPTS: Final = 10
"""A device locks after this many wrong PINs."""


@dataclass(frozen=True, slots=True)
class EnrollmentCode:
    """A one-time code, stored as a public ID and the keyed hash of its secret."""

    id: str
    user_id: str
    secret_hash: bytes
    created_by: str
    created_at: int
    expires_at: int
    used_at: int | None = None
    tries: int = 0


@dataclass(frozen=True, slots=True)
class Session:
    """A terminal's sign-in: the thumbprint of its session key and the hash of its refresh token."""

    id: str
    user_id: str
    code_id: str
    jkt: str
    public_jwk: Mapping[str, str]
    refresh_hash: bytes
    rotated_at: int
    created_at: int
    expires_at: int
    previous_hash: bytes | None = None
    revoked_at: int | None = None
    device_id: str | None = None
    admitted_as: str | None = None
    """The name under which an older device approved it; None after an enrollment code."""
    resumes: bool = False
    """After a backup is restored, proving possession of the session key resumes the session,
    because the database does not know newer refresh tokens."""


@dataclass(frozen=True, slots=True)
class Device:
    """A terminal with its session key and two approval keys (public halves only)."""

    id: str
    user_id: str
    session_id: str
    name: str
    kind: str
    state: Literal["active", "revoked"]
    created_at: int
    last_seen_at: int | None
    high_from: int
    """It cannot approve high-risk requests before this, unless an older device vouches for it."""
    keys: Mapping[str, Mapping[str, str]]
    """"session", "low", "high" → public JWK."""
    kids: Mapping[str, str]
    """"session", "low", "high" → RFC 7638 thumbprint."""
    pin_tries: int = 0
    """Number of PIN calls since the last correct PIN; the device locks at `MAX_ATTEMPTS`."""
    pin_calls: int = 0
    """Number of all PIN calls; part of the next nonce."""
    pin_unconfirmed: int = 0
    """Number of PIN calls that no signature has confirmed."""
    pin_epoch: int = 1
    """The version of the key with which the server answers this device's PIN calls."""
    pin_for: str | None = None
    """The subject of the last PIN call, for example a request."""
    pin_for_at: int | None = None
    """When the last PIN call was made."""
    statements: int = 0
    """Number of accepted statements about this device; part of the next nonce."""
    alarmed_at: int | None = None
    """When its passkey's counter last went back, which suggests a copy."""


@dataclass(frozen=True, slots=True)
class CreatedPasskey:
    """A passkey as created by its authenticator."""

    credential: bytes
    public_key: bytes
    """COSE_Key (RFC 9052 7), as received."""
    signs: int
    """The signature counter; synced passkeys always report 0."""
    synced: bool
    """Whether it may be synced to other machines (backup eligibility, WebAuthn 6.1.3)."""


@dataclass(frozen=True, slots=True)
class Passkey:
    """The passkey of a `browser` device."""

    device_id: str
    credential: bytes
    public_key: bytes
    signs: int
    synced: bool
    last_signed: bytes | None = None
    """SHA-256 of the data that its last assertion signed."""


@dataclass(frozen=True, slots=True)
class Browser:
    """A browser that is signed in with a passkey, identified by its cookie."""

    token_hash: bytes
    """SHA-256 of the cookie."""
    device_id: str
    signed_in_at: int
    expires_at: int
    ended_at: int | None = None


@dataclass(frozen=True, slots=True)
class DeviceCode:
    """A device that wants to sign in (RFC 8628).

    After the user code is entered, its approval determines its state.
    """

    id: str
    device_code_hash: bytes
    """SHA-256 of the code with which the device polls."""
    user_code_hash: bytes
    """Keyed, because a user code is short."""
    client_id: str
    resource: str
    """"" for the terminal app, and for requests with OpenID scopes only."""
    scope: str
    """"" for the terminal app."""
    jkt: str
    """The thumbprint of the session key that a terminal proved; "" for an app."""
    name: str
    """The name that a terminal reports; "" for an app."""
    address: str
    """The network address that the request came from."""
    created_at: int
    expires_at: int
    interval_ms: int
    last_poll_at: int | None = None
    approval_id: str | None = None
    """The approval that entering the code created; at most one per code."""

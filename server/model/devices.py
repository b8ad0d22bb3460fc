"""Devices, terminals' sessions, passkeys and device codes, and the ports of their rows."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final, Literal, Protocol

BROWSER: Final = "browser"
"""The kind of device that is a passkey."""
PASSKEY: Final = "passkey"
"""The only key of a browser. Each signature verifies the person by finger, face or PIN."""
MAX_ATTEMPTS: Final = 10
"""A device locks after this many wrong PINs."""


@dataclass(frozen=True, slots=True)
class EnrollmentCode:
    """A one-time code: a public ID and the keyed hash of its secret."""

    id: str
    user_id: str
    secret_hash: bytes
    created_by: str
    created_at: int
    expires_at: int
    used_at: int | None
    tries: int


@dataclass(frozen=True, slots=True)
class Session:
    """A terminal's sign-in: the thumbprint of its session key and the hash of its refresh token."""

    id: str
    user_id: str
    code_id: str
    jkt: str
    public_jwk: Mapping[str, str]
    refresh_hash: bytes
    previous_hash: bytes | None
    rotated_at: int
    created_at: int
    expires_at: int
    revoked_at: int | None
    device_id: str | None
    admitted_as: str | None = None
    """The name under which an older device approved it; None after an enrollment code."""
    resumes: bool = False
    """After a restore, a proof of its key resumes it, because newer tokens are unknown."""


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
    """It cannot decide high risk before this, unless an older device vouches for it."""
    keys: Mapping[str, Mapping[str, str]]
    """"session", "low", "high" → public JWK."""
    kids: Mapping[str, str]
    """"session", "low", "high" → RFC 7638 thumbprint."""
    pin_tries: int
    pin_calls: int
    pin_unconfirmed: int
    pin_epoch: int
    pin_for: str | None
    pin_for_at: int | None
    statements: int
    """Number of accepted statements about this device; part of the next nonce."""
    alarmed_at: int | None = None
    """When its passkey's counter last went back, which suggests a copy."""


@dataclass(frozen=True, slots=True)
class CreatedPasskey:
    """A passkey as its authenticator created it."""

    credential: bytes
    public_key: bytes
    """COSE_Key (RFC 9052 7), as received."""
    signs: int
    """The signature counter; synced passkeys always report 0."""
    synced: bool
    """It may be synced to other machines (backup eligibility, WebAuthn 6.1.3)."""


@dataclass(frozen=True, slots=True)
class Passkey:
    """The passkey of a device of the kind `browser`."""

    device_id: str
    credential: bytes
    public_key: bytes
    signs: int
    synced: bool
    last_signed: bytes | None = None
    """SHA-256 of what its last assertion signed."""


@dataclass(frozen=True, slots=True)
class Browser:
    """One browser that is signed in with a passkey, identified by its cookie."""

    token_hash: bytes
    """SHA-256 of the cookie."""
    device_id: str
    signed_in_at: int
    expires_at: int
    ended_at: int | None = None


@dataclass(frozen=True, slots=True)
class DeviceCode:
    """A device that wants to sign in (RFC 8628).

    After its user code is entered, the state of its approval counts.
    """

    id: str
    device_code_hash: bytes
    """SHA-256 of the code with which the device polls."""
    user_code_hash: bytes
    """Keyed, because a user code is short."""
    client_id: str
    resource: str
    """"" for the terminal app, and if the scopes are only about the person."""
    scope: str
    """"" for the terminal app."""
    jkt: str
    """The thumbprint of the session key that a terminal proved; "" for an app."""
    name: str
    """The name that a terminal reports; "" for an app."""
    address: str
    """The address of the request."""
    created_at: int
    expires_at: int
    interval_ms: int
    last_poll_at: int | None
    approval_id: str | None
    """The approval that entering the code created; at most one per code."""


class EnrollmentCodeRows(Protocol):
    """Enrollment codes."""

    def add(self, code: EnrollmentCode) -> None: ...
    def get(self, code_id: str) -> EnrollmentCode | None: ...
    def count_miss(self, code_id: str) -> int:
        """Count a wrong secret; returns how many there were."""

    def use(self, code_id: str, now: int) -> bool:
        """Return whether this call used it up; at most one call gets True."""

    def withdraw(self, user_id: str, now: int) -> None:
        """End the user's unused codes."""


class DeviceCodeRows(Protocol):
    """Device codes (RFC 8628)."""

    def add(self, code: DeviceCode) -> None: ...
    def by_device_code(self, device_code_hash: bytes) -> DeviceCode | None: ...
    def by_user_code(self, user_code_hash: bytes) -> DeviceCode | None: ...
    def use(self, code_id: str, approval_id: str, now: int) -> bool:
        """Store the approval that it created; at most one call gets True."""

    def record_poll(self, code_id: str, *, now: int, interval_ms: int) -> None:
        """Store the time of a poll; MUST change nothing else."""

    def prune(self, before: int) -> int: ...


class SessionRows(Protocol):
    """Sign-ins of terminals."""

    def add(self, session: Session) -> None: ...
    def get(self, session_id: str) -> Session | None: ...
    def any_resumable(self) -> bool:
        """Return whether terminals may resume sessions after a restore."""

    def resumable(self, jkt: str) -> Session | None:
        """Return the session that this key may resume after a restore."""

    def by_refresh(self, refresh_hash: bytes) -> Session | None:
        """Return the session of this current or previous refresh token."""

    def rotate(self, session_id: str, old: bytes, new: bytes, now: int, expires_at: int) -> bool:
        """Replace the refresh token if it still is `old`."""

    def bind(self, session_id: str, device_id: str, expires_at: int) -> None: ...
    def revoke(self, session_id: str, now: int) -> None: ...


class DeviceRows(Protocol):
    """Devices with which people decide."""

    def add(self, device: Device) -> None: ...
    def get(self, device_id: str) -> Device | None: ...
    def of_user(self, user_id: str) -> list[Device]: ...
    def all(self) -> list[Device]: ...
    def active_count(self, user_id: str, now: int) -> int: ...
    def had_recently(self, user_id: str, *, not_ended_before: int, used_after: int) -> bool:
        """Return whether the user has, or had, a device that meets both times."""

    def in_use(self, user_id: str, *, now: int, used_after: int) -> bool:
        """Return whether the user has an active device, past its waiting time, used since then."""

    def mark_seen(self, device_id: str, now: int) -> None:
        """Record the use, at most once a minute."""

    def count_attempt(
        self, device_id: str, purpose: str | None, now: int, *, max_attempts: int, max_calls: int
    ) -> Device | None:
        """Count a PIN call for this purpose; MUST be one statement with its limits."""

    def confirm(self, device_id: str, *, entered: bool) -> None:
        """Reset the PIN attempts after a valid signature of the high-risk key or passkey."""

    def unlock(self, device_id: str) -> None: ...
    def vouch(self, device_id: str, now: int) -> None: ...
    def mark_alarmed(self, device_id: str, now: int) -> None: ...
    def rename(self, device_id: str, name: str) -> None: ...
    def count_statement(self, device_id: str, seen: int) -> bool:
        """Count a statement if the count still equals that of its nonce."""

    def page(self, user_id: str | None, after: tuple[int, str], limit: int) -> list[Device]: ...
    def enable(self, device_id: str, high_from: int) -> None:
        """Enable a device that a restore turned off; it can decide high risk from then on."""

    def revoke(self, device_id: str) -> bool: ...


class PasskeyRows(Protocol):
    """Passkeys. Each credential MUST be stored once."""

    def add(self, passkey: Passkey) -> None: ...
    def of_device(self, device_id: str) -> Passkey | None: ...
    def by_credential(self, credential: bytes) -> Passkey | None: ...
    def of_user(self, user_id: str) -> list[Passkey]:
        """Return those of active devices."""

    def count(self, device_id: str, signs: int, signed: bytes) -> bool:
        """Store the counter of an assertion; returns whether it is valid.

        It is valid if it is higher than before, if both are 0, or if the assertion is a repetition.
        MUST be one conditional UPDATE.
        """


class BrowserRows(Protocol):
    """Browsers that are signed in."""

    def add(self, browser: Browser) -> None: ...
    def by_token(self, token_hash: bytes) -> Browser | None: ...
    def end(self, token_hash: bytes, now: int) -> bool:
        """Return whether this call ended it."""

    def prune(self, now: int) -> None: ...

"""Devices, terminals' sessions, passkeys and device codes, and what their rows promise."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final, Literal, Protocol

BROWSER: Final = "browser"
"""The kind of device that a passkey is."""
PASSKEY: Final = "passkey"
"""The one key of a browser. Its word takes the person's finger, face or PIN, every time."""
MOST_TRIES: Final = 10
"""So many wrong PINs lock a device."""


@dataclass(frozen=True, slots=True)
class EnrolmentCode:
    """A one-time code: a public id and the keyed hash of its secret."""

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
    """A terminal's sign-in: the thumbprint of its key S and the hash of its refresh token."""

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
    """The name under which an older device let this one in; None after an enrolment code."""
    resumes: bool = False
    """After a restore, a proof of its key signs in again; no earlier token is known here."""


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
    """Before this moment it decides nothing at high risk, unless an old device vouched for it."""
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
    """How many statements about this device were accepted; part of the next nonce."""
    alarmed_at: int | None = None
    """When the counter of its passkey last went back, so that a copy of it may be in use."""


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


@dataclass(frozen=True, slots=True)
class DeviceCode:
    """A device that wants to sign in, until its code was typed and its approval answered.

    It has no state of its own: after the code was typed, the approval's is what counts.
    """

    id: str
    device_code_hash: bytes
    """SHA-256 of what the device polls with."""
    user_code_hash: bytes
    """Keyed, for a user code is short."""
    client_id: str
    resource: str
    """"" for the terminal app, and where the scopes are about the person alone."""
    scope: str
    """"" for the terminal app."""
    jkt: str
    """The thumbprint of the session key that a terminal has proved to hold; "" for an app."""
    name: str
    """What a terminal calls itself; "" for an app."""
    address: str
    """Where it asked from."""
    created_at: int
    expires_at: int
    interval_ms: int
    last_poll_at: int | None
    approval_id: str | None
    """The approval that typing the code opened; each code opens one at most."""


class CodeRows(Protocol):
    """Enrolment codes."""

    def add(self, code: EnrolmentCode) -> None: ...
    def get(self, code_id: str) -> EnrolmentCode | None: ...
    def missed(self, code_id: str) -> int:
        """Count one wrong secret and return how many there were."""

    def use(self, code_id: str, now: int) -> bool:
        """Reports whether this call used it up; at most one call ever gets True."""

    def withdraw(self, user_id: str, now: int) -> None:
        """End the user's unused codes."""


class DeviceCodeRows(Protocol):
    """Device grants under way."""

    def add(self, code: DeviceCode) -> None: ...
    def by_device_code(self, device_code_hash: bytes) -> DeviceCode | None: ...
    def by_user_code(self, user_code_hash: bytes) -> DeviceCode | None: ...
    def use(self, code_id: str, approval_id: str, now: int) -> bool:
        """Tie it to the approval that it opened; at most one call ever gets True."""

    def paced(self, code_id: str, *, now: int, interval_ms: int) -> None:
        """Remember a poll; MUST touch nothing else."""

    def prune(self, before: int) -> int: ...


class SessionRows(Protocol):
    """Sign-ins of terminals."""

    def add(self, session: Session) -> None: ...
    def get(self, session_id: str) -> Session | None: ...
    def any_resumes(self) -> bool:
        """Reports whether there are sessions that terminals may resume after a restore."""

    def resuming(self, jkt: str) -> Session | None:
        """The session that the holder of this key may resume after a restore."""

    def by_refresh(self, refresh_hash: bytes) -> Session | None:
        """The session whose current or previous refresh token this is."""

    def rotate(self, session_id: str, old: bytes, new: bytes, now: int, expires_at: int) -> bool:
        """Replace the refresh token if it still is `old`."""

    def bind(self, session_id: str, device_id: str, expires_at: int) -> None: ...
    def revoke(self, session_id: str, now: int) -> None: ...


class DeviceRows(Protocol):
    """What people decide from."""

    def add(self, device: Device) -> None: ...
    def get(self, device_id: str) -> Device | None: ...
    def of_user(self, user_id: str) -> list[Device]: ...
    def all(self) -> list[Device]: ...
    def active_count(self, user_id: str, now: int) -> int: ...
    def present(self, user_id: str, *, not_ended_before: int, used_after: int) -> bool:
        """Reports whether a device of the user, ended ones too, fits both moments."""

    def in_use(self, user_id: str, *, now: int, used_after: int) -> bool:
        """Reports whether a device of the user is in force, no longer waits, and was used since."""

    def seen(self, device_id: str, now: int) -> None:
        """Remember the visit, at most once a minute."""

    def count_try(
        self, device_id: str, purpose: str | None, now: int, *, tries: int, calls: int
    ) -> Device | None:
        """One more PIN call, naming an approval; MUST be one statement with its limits."""

    def confirm(self, device_id: str, *, entered: bool) -> None:
        """A valid signature of the high key or a passkey: the tries start again."""

    def unlock(self, device_id: str) -> None: ...
    def vouch(self, device_id: str, now: int) -> None: ...
    def alarmed(self, device_id: str, now: int) -> None: ...
    def rename(self, device_id: str, name: str) -> None: ...
    def stated(self, device_id: str, seen: int) -> bool:
        """Count a statement if as many were counted before as its nonce says."""

    def page(self, user_id: str | None, after: tuple[int, str], limit: int) -> list[Device]: ...
    def enable(self, device_id: str, high_from: int) -> None:
        """Enable a device that a restore turned off, for high risk from that moment on."""

    def revoke(self, device_id: str) -> bool: ...


class PasskeyRows(Protocol):
    """Passkeys. A credential MUST be there once."""

    def add(self, passkey: Passkey) -> None: ...
    def of_device(self, device_id: str) -> Passkey | None: ...
    def by_credential(self, credential: bytes) -> Passkey | None: ...
    def of_user(self, user_id: str) -> list[Passkey]:
        """Those of devices that are active."""

    def count(self, device_id: str, signs: int, signed: bytes) -> bool:
        """Keep the count of an assertion; reports whether it may count.

        It may if it is higher than the one before, if both are 0, or if what it signed is the same
        as before. MUST be one conditional UPDATE.
        """


class BrowserRows(Protocol):
    """Browsers that are signed in."""

    def add(self, browser: Browser) -> None: ...
    def by_token(self, token_hash: bytes) -> Browser | None: ...
    def end(self, token_hash: bytes, now: int) -> bool:
        """Reports whether this call ended it."""

    def prune(self, now: int) -> None: ...

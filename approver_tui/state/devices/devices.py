"""The user and their devices.

Owns: devices, their PIN counters, the account. Never: private keys.
"""

from dataclasses import dataclass

from approver_tui.state.text import SafeText


@dataclass(frozen=True, slots=True)
class PinState:
    """How many PIN attempts a device has used and has left."""

    tries: int
    left: int
    locked: bool
    """Ten wrong attempts: another device or an administrator must unlock it."""
    exhausted: bool
    """Too many wrong attempts over the lifetime of the PIN: a new PIN is needed."""


@dataclass(frozen=True, slots=True)
class Browser:
    """A browser of a device with push notifications, and their state."""

    device_id: str
    service: SafeText
    """The host of its push service."""
    delivered_at: int | None = None
    """When the push service last accepted a message for it."""
    is_dormant: bool = False
    """Nobody has opened a page in this browser for two weeks."""
    problem: SafeText | None = None
    """Why the push service rejects messages now."""
    lost_at: int | None = None
    """When the push service reported that it no longer knows the browser."""


@dataclass(frozen=True, slots=True)
class Device:
    """One enrolled device of this user. Keys are RFC 7638 thumbprints."""

    id: str
    name: SafeText
    kind: SafeText
    is_active: bool
    created_at: int
    last_seen_at: int | None
    high_from: int
    """The time from which it can approve high-risk and critical requests."""
    is_this: bool
    session_key: str
    low_key: str
    high_key: str
    pin: PinState
    nonce: str | None
    """The nonce for a statement about this device by the calling device; not in the feed."""
    browsers: tuple[Browser, ...] = ()
    """Its browsers with push notifications. Only the Devices page shows them."""


@dataclass(frozen=True, slots=True)
class OneTimeCode:
    """A code that signs in another device, the link to its page for a browser, and its expiry."""

    code: SafeText
    link: SafeText
    expires_at: int


@dataclass(frozen=True, slots=True)
class User:
    """The user who is logged in."""

    id: str
    name: SafeText
    email: SafeText | None
    roles: tuple[SafeText, ...]


@dataclass(frozen=True, slots=True)
class Me:
    """Who is logged in, on which device, and the server's time."""

    user: User
    device: Device | None
    server_time: int

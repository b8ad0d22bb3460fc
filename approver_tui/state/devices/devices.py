"""The devices from which a person decides, and the person themselves.

Owns: devices, their PIN counters, the account. Never: private keys.
"""

from dataclasses import dataclass

from approver_tui.state.text import SafeText


@dataclass(frozen=True, slots=True)
class PinState:
    """How many PIN tries a device has used and has left."""

    tries: int
    left: int
    locked: bool
    """Ten unconfirmed tries: another device or an administrator must unlock it."""
    exhausted: bool
    """The PIN has had too many unconfirmed tries in its life: a new one is due."""


@dataclass(frozen=True, slots=True)
class Browser:
    """One browser of a device that asked to be called by web push, and how that goes."""

    device_id: str
    service: SafeText
    """Whose push service it is."""
    delivered_at: int | None = None
    """When that took a message for it last."""
    is_dormant: bool = False
    """Nobody opened a page there for two weeks."""
    problem: SafeText | None = None
    """Why the service takes no message at the moment."""
    lost_at: int | None = None
    """When the service said that it knows the browser no more."""


@dataclass(frozen=True, slots=True)
class Device:
    """One enrolled device of this person. Key members are RFC 7638 thumbprints."""

    id: str
    name: SafeText
    kind: SafeText
    is_active: bool
    created_at: int
    last_seen_at: int | None
    high_from: int
    """From when on it may approve what is high or critical."""
    is_this: bool
    session_key: str
    low_key: str
    high_key: str
    pin: PinState
    nonce: str | None
    """The server's nonce for a statement about this device by the calling one; not in the feed."""
    browsers: tuple[Browser, ...] = ()
    """Where it is called by push; only on the page of devices."""


@dataclass(frozen=True, slots=True)
class User:
    """The person who is logged in."""

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

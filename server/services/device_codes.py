"""The record of a device grant under way; the steps are in `device_grant.py`."""

from dataclasses import dataclass


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

"""The approver's API as plain methods, one per endpoint.

Owns: paths, bodies, what each answer becomes. Safe to call from several threads.
Never: what an answer means to the person; that is deciding.py and the screens.
"""

from collections.abc import Callable
from dataclasses import dataclass

from approver_tui.client.profile import Profile
from approver_tui.state.approvals import Approval
from approver_tui.state.devices import Device, Me

Clock = Callable[[], int]
"""The wall clock: milliseconds since the epoch."""


@dataclass(frozen=True, slots=True)
class Page:
    """One page of approvals. `feed_cursor` is where the live feed continues from."""

    items: tuple[Approval, ...]
    next: str | None
    feed_cursor: int
    server_time: int


@dataclass(frozen=True, slots=True)
class PinAnswer:
    """The server's half of the PIN: `y`, a nonce for the confirmation, tries used and left."""

    y: bytes
    nonce: str
    tries: int
    left: int


class Client:
    """One logged-in device's way to its server."""

    def __init__(self, profile: Profile, *, clock: Clock) -> None: ...
    def now(self) -> int:
        """Return the server's time as far as known, in milliseconds."""

    def me(self) -> Me: ...
    def inbox(self, state: str = "waiting", *, limit: int = 50, cursor: str | None = None) -> Page: ...
    def approval(self, approval_id: str) -> Approval: ...
    def pin(self, x: bytes, purpose: str) -> PinAnswer: ...
    def confirm_pin(self, statement: str) -> None: ...
    def decide(self, approval_id: str, decision: str, note: str | None = None) -> Approval: ...
    def devices(self) -> tuple[Device, ...]: ...
    def revoke_device(self, device_id: str) -> None: ...
    def unlock_device(self, device_id: str, statement: str) -> Device: ...
    def vouch_device(self, device_id: str, statement: str) -> Device: ...
    def logout(self) -> None: ...

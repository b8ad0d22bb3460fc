"""Opens an approval key with the PIN.

Owns: the counted call to the server and the proof that the PIN was right, the lock between programs
with one login, the low key of an unlocked app and its idle limit, the high key during one
signature. Never: what is signed for an approval.
"""

import threading
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass

from approver_tui.client import files
from approver_tui.client.api import Client
from approver_tui.client.devices import keys
from approver_tui.client.devices.keys import KeyLevel
from approver_tui.client.errors import PinInUse, StorageFailed, WrongPin
from approver_tui.client.jose import SigningKey, unb64

IDLE_LIMIT = 15 * 60
"""How long an unlocked app stays unlocked without activity, in seconds."""

_BOOTTIME_CLOCK = getattr(time, "CLOCK_BOOTTIME", time.CLOCK_MONOTONIC)
"""CLOCK_MONOTONIC stops while Linux sleeps; macOS has no CLOCK_BOOTTIME and needs none."""

_PIN_LOCK_TIMEOUT = 20
"""How long a program waits for another one that uses the same login, in seconds."""

SESSION_PURPOSE = "session"
"""The purpose of a PIN call without an approval."""


@dataclass(frozen=True, slots=True)
class OpenedKey:
    """A private key in memory that can be wiped, and the nonce of the call that opened it."""

    scalar: bytearray
    nonce: str

    @property
    def key(self) -> SigningKey:
        """The key, for as long as the caller needs it."""
        return SigningKey.from_scalar(bytes(self.scalar))

    def wipe(self) -> None:
        """Clear the private key."""
        keys.wipe(self.scalar)


def _start_pin_call(client: Client, pin: str, purpose: str) -> Callable[[KeyLevel], OpenedKey]:
    """Make one counted call; return a function that opens a sealed key with its answer.

    Raises BadPin without a call, DeviceLocked or Unreachable; the function raises WrongPin.
    """
    keys.check_pin(pin)
    profile = client.profile
    x = keys.stretch(pin, unb64(profile.salt))
    answer = client.pin(x, purpose)

    def open_level(level: KeyLevel) -> OpenedKey:
        blob = unb64(profile.low_blob if level is KeyLevel.LOW else profile.high_blob)
        try:
            scalar = keys.unseal(blob, x=x, y=answer.y, level=level, device=profile.device_id)
        except keys.UnsealFailed as error:
            raise WrongPin(answer.tries, answer.left) from error
        return OpenedKey(scalar, answer.nonce)

    return open_level


def open_key(client: Client, pin: str, level: KeyLevel, purpose: str) -> OpenedKey:
    """Open a sealed key with one counted call. Raises WrongPin, DeviceLocked, Unreachable."""
    return _start_pin_call(client, pin, purpose)(level)


def open_session(client: Client, pin: str) -> OpenedKey:
    """Open the low key with one counted call, and prove the PIN with the high key.

    The high key is wiped before this returns. Raises as `open_key` and `pin_lock` do, and the
    server's errors about the proof.
    """
    with pin_lock(client):
        open_level = _start_pin_call(client, pin, SESSION_PURPOSE)
        high = open_level(KeyLevel.HIGH)
        try:
            confirm_pin(client, high)
        finally:
            high.wipe()
        return open_level(KeyLevel.LOW)


@contextmanager
def pin_lock(client: Client) -> Iterator[None]:
    """Hold the lock of this login from a PIN call until its answer.

    The server accepts only the last PIN call of a device, so a call by another program in between
    would invalidate the answer. Raises PinInUse after 20 seconds, or StorageFailed.
    """
    with ExitStack() as stack:
        file = client.home.pin_lock_file
        try:
            stack.enter_context(files.file_lock(file, timeout=_PIN_LOCK_TIMEOUT))
        except TimeoutError as error:
            raise PinInUse("Another program is using the PIN of this login. Try again.") from error
        except OSError as error:
            raise StorageFailed(f"The PIN cannot be used now: {error}.") from error
        yield


@contextmanager
def temporary_high_key(client: Client, pin: str, purpose: str) -> Iterator[OpenedKey]:
    """Open the high key, and wipe it when the block ends."""
    opened_key = open_key(client, pin, KeyLevel.HIGH, purpose)
    try:
        yield opened_key
    finally:
        opened_key.wipe()


def confirm_pin(client: Client, high_key: OpenedKey) -> None:
    """Confirm the PIN to the server with a signature of the high key."""
    client.confirm_pin(sign_pin_proof(client, high_key))


def sign_pin_proof(client: Client, high_key: OpenedKey) -> str:
    """Return the statement that the PIN was right, because it opened the high key."""
    return client.sign_statement(high_key.key, "pin", client.profile.device_id, high_key.nonce)


def boottime_seconds() -> float:
    """Return a monotonic clock in seconds that includes sleep, if the system has one."""
    return time.clock_gettime(_BOOTTIME_CLOCK)


class LowKey:
    """The low key of an unlocked app.

    `ticks` is a monotonic clock in seconds, which nobody can set back.
    """

    def __init__(self, client: Client, ticks: Callable[[], float] = boottime_seconds) -> None:
        self._client = client
        self._ticks = ticks
        self._lock = threading.Lock()
        self._opened: OpenedKey | None = None
        self._last_used_at = 0.0

    def open(self, pin: str) -> None:
        """Open the key and keep it until it is idle or locked."""
        opened_key = open_session(self._client, pin)
        self.lock()
        with self._lock:
            self._opened, self._last_used_at = opened_key, self._ticks()

    def get(self) -> SigningKey | None:
        """Return the key, or None if the app is locked. Does not restart the idle limit."""
        with self._lock:
            return None if self._has_expired() or self._opened is None else self._opened.key

    def touch(self) -> None:
        """Restart the idle limit, unless it has passed."""
        with self._lock:
            if not self._has_expired():
                self._last_used_at = self._ticks()

    def lock(self) -> None:
        """Wipe the key."""
        with self._lock:
            self._wipe()

    def _has_expired(self) -> bool:
        if self._ticks() - self._last_used_at <= IDLE_LIMIT:
            return False
        self._wipe()
        return True

    def _wipe(self) -> None:
        if self._opened is not None:
            self._opened.wipe()
        self._opened = None

"""Password hashing with argon2id: slow on purpose, only a few at a time, never on the event loop.

In the server, `background` runs a function on a real thread; in a command it calls it directly.
"""

import threading
from collections.abc import Callable
from typing import Final, Protocol, TypeVar

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError

from server.model.store import Busy

T = TypeVar("T")

MAX_CONCURRENT_HASHES: Final = 2
"""The maximum number of concurrent hashes, of 19 MiB each."""
_TIMEOUT_SECONDS: Final = 5.0
_MEMORY_KIB, _ROUNDS, _LANES = 19_456, 2, 1
"""The second of OWASP's recommended configurations; a hash takes about 20 ms."""


class BackgroundRunner(Protocol):
    """Runs a function without blocking other requests."""

    def __call__(self, work: Callable[[], T]) -> T:
        """Return the function's result, or raise its exception."""


def run_inline(work: Callable[[], T]) -> T:
    """Call the function directly, for programs that do not serve requests."""
    return work()


class Argon2Passwords:
    """The adapter for the `PasswordHasher` port."""

    def __init__(self, background: BackgroundRunner = run_inline) -> None:
        self._background = background
        self._slots = threading.BoundedSemaphore(MAX_CONCURRENT_HASHES)
        self._argon2 = PasswordHasher(_ROUNDS, _MEMORY_KIB, _LANES)
        self._dummy: str | None = None

    def hash(self, password: str) -> str:
        """Return the hash with its salt and parameters. Raises `Busy`."""
        return self._run(lambda: self._argon2.hash(password))

    def verify(self, password: str, hashed: str | None) -> bool:
        """Return whether the password is correct. Takes as long without a hash. Raises `Busy`."""
        return self._run(lambda: self._matches(password, hashed))

    def _matches(self, password: str, hashed: str | None) -> bool:
        if self._dummy is None:
            self._dummy = self._argon2.hash("nobody")
        try:
            self._argon2.verify(hashed or self._dummy, password)
        except (VerificationError, InvalidHashError):
            return False
        return hashed is not None

    def _run(self, work: Callable[[], T]) -> T:
        if not self._slots.acquire(timeout=_TIMEOUT_SECONDS):
            raise Busy("Too many passwords are being checked.")
        try:
            return self._background(work)
        finally:
            self._slots.release()

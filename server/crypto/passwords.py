"""Passwords of people by argon2id: slow on purpose, a few at a time, and never on the loop.

`elsewhere` runs a function on a real thread while others are served; in a command it is a call.
"""

import threading
from collections.abc import Callable
from typing import Final, Protocol, TypeVar

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError

from server.model.store import Busy

T = TypeVar("T")

AT_ONCE: Final = 2
"""Hashes of 19 MiB that are made at the same time."""
_PATIENCE_SECONDS: Final = 5.0
_MEMORY_KIB, _ROUNDS, _LANES = 19_456, 2, 1
"""The second of OWASP's recommended settings; about 20 ms here."""


class BackgroundRunner(Protocol):
    """Runs a function where it holds up nobody else."""

    def __call__(self, work: Callable[[], T]) -> T:
        """What the function answers or raises."""


def run_inline(work: Callable[[], T]) -> T:
    """Runs it at once; for programs that serve nobody."""
    return work()


class Argon2Passwords:
    """The port `PasswordHasher`."""

    def __init__(self, elsewhere: BackgroundRunner = run_inline) -> None:
        self._elsewhere = elsewhere
        self._turns = threading.BoundedSemaphore(AT_ONCE)
        self._argon2 = PasswordHasher(_ROUNDS, _MEMORY_KIB, _LANES)
        self._nobody: str | None = None

    def hash(self, password: str) -> str:
        """The hash, with its salt and settings in it. Raises `Busy`."""
        return self._in_turn(lambda: self._argon2.hash(password))

    def verify(self, password: str, hashed: str | None) -> bool:
        """Reports whether this is the password; nobody's takes as long. Raises `Busy`."""
        return self._in_turn(lambda: self._is(password, hashed))

    def _is(self, password: str, hashed: str | None) -> bool:
        if self._nobody is None:
            self._nobody = self._argon2.hash("nobody")
        try:
            self._argon2.verify(hashed or self._nobody, password)
        except (VerificationError, InvalidHashError):
            return False
        return hashed is not None

    def _in_turn(self, work: Callable[[], T]) -> T:
        if not self._turns.acquire(timeout=_PATIENCE_SECONDS):
            raise Busy("Too many passwords are being checked.")
        try:
            return self._elsewhere(work)
        finally:
            self._turns.release()

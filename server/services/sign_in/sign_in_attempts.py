"""Limits failed sign-ins, per account and address, and per address.

An attempt is counted before it is checked, so parallel attempts do not help. All spellings of a
name count toward its account. A name without an account is counted in its normalized form.
"""

import hashlib
from dataclasses import dataclass

from server.model.store import Unit
from server.model.users import User
from server.protocol import addresses
from server.protocol.confusables import skeleton
from server.protocol.text import pluralize
from server.protocol.users import passwords


class TooManyAttempts(Exception):
    """The form must wait before the next attempt."""

    def __init__(self, seconds: int) -> None:
        super().__init__(f"Too many attempts. Wait {pluralize(seconds, 'second')}, then try again.")
        self.seconds = seconds


@dataclass(frozen=True, slots=True)
class SignInAttempt:
    """The counters of one attempt."""

    account: bytes
    """The account, or the passkey, at this address."""
    address: bytes | None
    """All accounts at this address; None for a passkey, or if a proxy hides the address."""

    @property
    def keys(self) -> tuple[bytes, ...]:
        """The counters that can require a wait."""
        return (self.account,) if self.address is None else (self.account, self.address)


def of_account(user: User | None, name: str, peer: str) -> SignInAttempt:
    """Return an attempt for a name and its user, if any; `peer` is empty if unknown."""
    account_key = f"nobody\n{skeleton(name)}" if user is None else f"user\n{user.id}"
    network = addresses.network(peer).encode()
    address = _key(b"address", network) if network else None
    return SignInAttempt(_key(b"account", account_key.encode(), network), address)


def of_passkey(credential: bytes, peer: str) -> SignInAttempt:
    """Return an attempt with a passkey, which other people's wrong passwords do not block."""
    network = addresses.network(peer).encode()
    return SignInAttempt(_key(b"account", b"passkey\n" + credential, network), None)


def count(tx: Unit, attempt: SignInAttempt) -> TooManyAttempts | None:
    """Count one more attempt, unless it must wait; return the error to raise after the commit."""
    for key in attempt.keys:
        tx.lock(f"signs in {key.hex()}")
    waits = [tx.passwords.paused_until(key, tx.now) for key in attempt.keys]
    until = max((wait for wait in waits if wait is not None), default=None)
    if until is not None:
        return TooManyAttempts(max(1, (until - tx.now + 999) // 1000))
    forget_at = tx.now + passwords.ATTEMPTS_RESET_MS
    attempts = tx.passwords.count_attempt(attempt.account, tx.now, forget_at)
    tx.passwords.pause(attempt.account, tx.now + passwords.pause_ms(attempts))
    if attempt.address is not None:
        attempts = tx.passwords.count_attempt(attempt.address, tx.now, forget_at)
        tx.passwords.pause(attempt.address, tx.now + passwords.address_pause_ms(attempts))
    return None


def record_success(tx: Unit, attempt: SignInAttempt) -> None:
    """Reset the account's failures, and subtract this attempt from the address's failures."""
    tx.passwords.clear_attempts(attempt.account)
    if attempt.address is not None:
        tx.passwords.undo_attempt(attempt.address)


def record_failure(tx: Unit, attempt: SignInAttempt) -> None:
    """Keep the failures for another hour."""
    for key in attempt.keys:
        tx.passwords.keep_attempts(key, tx.now + passwords.ATTEMPTS_RESET_MS)


def _key(*parts: bytes) -> bytes:
    return hashlib.sha256(b"\n".join(parts)).digest()

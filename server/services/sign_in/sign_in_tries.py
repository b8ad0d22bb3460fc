"""Limits on sign-in tries: failures for one account at one address, and for one address.

A try counts before it is checked, so sending many at once gains nothing. All spellings of a name
count for the account that it resolves to; a name without an account counts by its folded form.
"""

import hashlib
from dataclasses import dataclass

from server.model.store import Unit
from server.model.users import User
from server.protocol.confusables import skeleton
from server.protocol.users import passwords


class TooManyAttempts(Exception):
    """The form has to wait before it may be tried again."""

    def __init__(self, seconds: int) -> None:
        super().__init__(f"Too many tries. Wait {seconds} seconds, then try again.")
        self.seconds = seconds


@dataclass(frozen=True, slots=True)
class SignInAttempt:
    """One try to sign in, as it is counted."""

    account: bytes
    """The account, or the passkey, at this address."""
    address: bytes | None
    """All accounts from this address; None for a passkey, of which nothing can be guessed, and
    where a proxy hides the address."""

    @property
    def keys(self) -> tuple[bytes, ...]:
        """What must wait after failures."""
        return (self.account,) if self.address is None else (self.account, self.address)


def of_account(user: User | None, name: str, peer: str) -> SignInAttempt:
    """A try with a name that resolved to this user, or to none; `peer` is empty if unknown."""
    called = f"nobody\n{skeleton(name)}" if user is None else f"user\n{user.id}"
    network = passwords.network(peer).encode()
    address = _key(b"address", network) if network else None
    return SignInAttempt(_key(b"account", called.encode(), network), address)


def of_passkey(credential: bytes, peer: str) -> SignInAttempt:
    """The try of a passkey: wrong passwords of others at its address do not hold it up."""
    network = passwords.network(peer).encode()
    return SignInAttempt(_key(b"account", b"passkey\n" + credential, network), None)


def count(tx: Unit, tried: SignInAttempt) -> TooManyAttempts | None:
    """Count one more try, unless it must wait; returns the error to raise after the commit."""
    for key in tried.keys:
        tx.lock(f"signs in {key.hex()}")
    waits = [tx.passwords.paused_until(key, tx.now) for key in tried.keys]
    until = max((one for one in waits if one is not None), default=None)
    if until is not None:
        return TooManyAttempts(max(1, (until - tx.now + 999) // 1000))
    forget_at = tx.now + passwords.FORGOTTEN_MS
    tries = tx.passwords.tried(tried.account, tx.now, forget_at)
    tx.passwords.pause(tried.account, tx.now + passwords.pause_ms(tries))
    if tried.address is not None:
        tries = tx.passwords.tried(tried.address, tx.now, forget_at)
        tx.passwords.pause(tried.address, tx.now + passwords.pause_of_address_ms(tries))
    return None


def was_right(tx: Unit, tried: SignInAttempt) -> None:
    """Forget the account's failures. This try no longer counts for the address; others do."""
    tx.passwords.was_right(tried.account)
    if tried.address is not None:
        tx.passwords.give_back(tried.address)


def was_wrong(tx: Unit, tried: SignInAttempt) -> None:
    """Remember the failures for an hour from now."""
    for key in tried.keys:
        tx.passwords.was_wrong(key, tx.now + passwords.FORGOTTEN_MS)


def _key(*parts: bytes) -> bytes:
    return hashlib.sha256(b"\n".join(parts)).digest()

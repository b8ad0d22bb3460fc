"""Sign-in to apps with a passkey.

It works like the sign-in to Sayso's own pages (`passkeys.py`), but with the cookie of the sign-in
pages for apps. The two cookies are not interchangeable.
"""

from dataclasses import dataclass

from server.model.audit import Entry
from server.model.devices import Device
from server.model.store import Store, Unit
from server.protocol import errors
from server.protocol.devices.passkeys import Assertion
from server.services.audit import audit, floods
from server.services.devices import passkeys
from server.services.devices.passkeys import PasskeyService
from server.services.sign_in import sign_in_attempts
from server.services.sign_in.sign_ins import SignIns


@dataclass(frozen=True, slots=True)
class PasskeySignIns:
    """Signs a browser in to apps."""

    store: Store
    passkeys: PasskeyService
    sign_ins: SignIns

    def sign_in(self, word: str, *, flow: bytes, peer: str, cookie: str = "") -> str:
        """Verify a passkey assertion; returns the browser's new cookie.

        Rules, in order: 1. The attempt is counted before it is checked, per passkey and address. 2.
        The assertion is valid and new. 3. A failure is stored, and slows the next attempt. Raises
        `TooManyAttempts`, or errors.Problem.
        """
        assertion = passkeys.parse_assertion(word)
        attempt = sign_in_attempts.of_passkey(assertion.credential, peer)
        self.sign_ins.count(attempt)
        try:
            with self.store.write() as tx:
                user, device = self.passkeys.verify(tx, assertion)
                sign_in_attempts.record_success(tx, attempt)
                _lock_active(tx, device)
                return self.sign_ins.start(tx, user, flow, cookie=cookie, device_id=device.id)
        except errors.Problem:
            with self.store.write() as tx:
                sign_in_attempts.record_failure(tx, attempt)
                _record(tx, assertion)
            raise


def _lock_active(tx: Unit, device: Device) -> None:
    """Make a revocation of the device wait for this sign-in. Raises errors.Problem."""
    if tx.devices.lock_active(device.id) is None:
        raise errors.Problem(403, "unknown_passkey", passkeys.UNKNOWN)


def _record(tx: Unit, assertion: Assertion) -> None:
    """Record a failure of a known passkey."""
    passkey = tx.passkeys.by_credential(assertion.credential)
    device = None if passkey is None else tx.devices.get(passkey.device_id)
    if device is not None:
        kind, actor = audit.Type.SIGN_IN_FAILED, audit.by_user(device.user_id)
        floods.record_refusal(tx, Entry(kind, actor, subject=device.user_id, decision="refused"))

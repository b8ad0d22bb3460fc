"""Signing in to apps with a passkey instead of a password.

It is the sign-in of our own pages (`passkeys.py`) with another end: the cookie of apps' sign-in
pages, so that neither cookie is worth anything where the other one is.
"""

from dataclasses import dataclass

from server.model.audit import Entry
from server.model.store import Store, Unit
from server.protocol import errors, names
from server.protocol.devices.passkeys import Assertion
from server.services.audit import audit, floods
from server.services.devices import passkeys
from server.services.devices.passkeys import PasskeyService
from server.services.sign_in import sign_in_tries
from server.services.sign_in.sign_ins import SignIns


@dataclass(frozen=True, slots=True)
class PasskeySignIns:
    """Signs a browser in to apps."""

    store: Store
    passkeys: PasskeyService
    sign_ins: SignIns

    def sign_in(self, word: str, *, flow: bytes, peer: str, cookie: str = "") -> str:
        """Check a passkey's word for an offer of ours; the new cookie of the browser.

        1. The try is counted before it is judged, for this passkey from this address, as a password
        form's is.  2. The word counts, once.  3. What was in vain is stored, and slows the next.

        Raises `TooSoon`, or errors.Problem.
        """
        said = passkeys.read(word)
        tried = sign_in_tries.of_passkey(said.credential, peer)
        self.sign_ins.count(tried)
        try:
            with self.store.write() as tx:
                user, device = self.passkeys.proved(tx, said)
                sign_in_tries.was_right(tx, tried)
                tx.devices.seen(device.id, tx.now)
                how = names.ACR_PASSKEY
                return self.sign_ins.enter(tx, user, flow, cookie=cookie, acr=how)
        except errors.Problem:
            with self.store.write() as tx:
                sign_in_tries.was_wrong(tx, tried)
                _record(tx, said)
            raise


def _record(tx: Unit, said: Assertion) -> None:
    """A failure of somebody who is known here."""
    passkey = tx.passkeys.by_credential(said.credential)
    device = None if passkey is None else tx.devices.get(passkey.device_id)
    if device is not None:
        kind, actor = audit.Type.SIGN_IN_FAILED, audit.by_user(device.user_id)
        floods.record_refusal(tx, Entry(kind, actor, subject=device.user_id, decision="refused"))

"""Verifies devices' signatures: the key and the signed bytes.

Owns: the names of a terminal's three keys and a browser's passkey. Never: deciding whether the key
is sufficient.
"""

from dataclasses import dataclass

from server.model.devices import PASSKEY, Device
from server.model.ports import Authenticators, Verifier
from server.model.store import Unit
from server.protocol import errors
from server.protocol.devices import passkeys
from server.services.devices import passkey_counters


@dataclass(frozen=True, slots=True)
class VerifiedSignature:
    """The bytes that a device signed, and the key that it used."""

    payload: bytes
    key: str


@dataclass(frozen=True, slots=True)
class Signatures:
    """Verifies what devices sign: a compact JWS, or a passkey assertion."""

    verifier: Verifier
    authenticators: Authenticators

    def verify(self, tx: Unit, device: Device, text: str, typ: str) -> VerifiedSignature:
        """Verify a signature of a device. Raises errors.Problem 403, `BadToken` or ValueError."""
        if passkeys.is_assertion(text):
            return self._verify_passkey(tx, device, text)
        kid = self.verifier.key_of(text)
        key = next((name for name, key_id in device.kids.items() if key_id == kid), None)
        if key is None or key not in device.keys:
            raise _unknown_key()
        return VerifiedSignature(
            self.verifier.verify_signed_payload(text, typ, device.keys[key], kid), key
        )

    def _verify_passkey(self, tx: Unit, device: Device, text: str) -> VerifiedSignature:
        assertion = passkeys.read_assertion(text)
        passkey = tx.passkeys.get(device.id)
        if passkey is None or passkey.credential != assertion.credential:
            raise _unknown_key()
        passkey_counters.verify(tx, self.authenticators, device, passkey, assertion)
        return VerifiedSignature(assertion.payload, PASSKEY)


def _unknown_key() -> errors.Problem:
    return errors.Problem(
        403, "key_not_allowed", "The decision is not signed by a key of this device."
    )

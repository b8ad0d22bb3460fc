"""Verifies devices' signatures: the key, the signed bytes and the signature counter.

Owns: the names of a terminal's three keys and a browser's passkey, and the alarm about a counter.
Never: deciding whether the key is sufficient, or what the bytes mean.

A passkey's counter that does not increase means that a copy of the passkey may be in use (WebAuthn
6.1.1). Passkeys without a counter always report 0.
"""

import hashlib
from dataclasses import dataclass
from typing import Final

from server.model.audit import Entry
from server.model.devices import PASSKEY, Device, Passkey
from server.model.ports import Authenticators, Verifier
from server.model.store import Unit
from server.protocol import errors
from server.protocol.devices import passkeys
from server.protocol.devices.passkeys import Assertion
from server.services.audit import audit, floods
from server.services.notifications import attention, notices
from server.services.refusals import RecordedProblem

_ALARM_EVERY_MS: Final = 60 * 60 * 1000


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
        verify_assertion(tx, self.authenticators, device, passkey, assertion)
        return VerifiedSignature(assertion.payload, PASSKEY)


def verify_assertion(
    tx: Unit, authenticators: Authenticators, device: Device, passkey: Passkey, assertion: Assertion
) -> None:
    """Verify an assertion and its counter. Raises `BadToken` or `RecordedProblem` 403.

    A repeated assertion is accepted, because a browser may repeat it after a lost response.
    """
    counter = authenticators.verify_assertion(assertion, passkey)
    signed_bytes = assertion.authenticator_data + hashlib.sha256(assertion.client_data).digest()
    if not tx.passkeys.count(device.id, counter, hashlib.sha256(signed_bytes).digest()):
        raise _counter_problem(device, passkey.signs, counter)
    tx.devices.mark_seen(device.id, tx.now)


def _counter_problem(device: Device, stored: int, counter: int) -> RecordedProblem:
    return RecordedProblem(
        403,
        "passkey_counter",
        "The signature counter of this passkey did not go up, so a copy of it may be in use. "
        "Remove it under Devices and create a new one.",
        record=lambda tx: _record_counter_refusal(tx, device, stored, counter),
    )


def _record_counter_refusal(tx: Unit, device: Device, stored: int, counter: int) -> None:
    kind, by = audit.Type.PASSKEY_REFUSED, audit.by_user(device.user_id)
    facts = {"device": device.id, "counter": counter, "known": stored}
    entry = Entry(kind, by, subject=device.user_id, decision="refused", facts=facts)
    floods.record_refusal(tx, entry)
    tx.devices.mark_alarmed(device.id, tx.now)
    if tx.counters.count(f"passkey counter:{device.id}", _ALARM_EVERY_MS) == 1:
        notices.device(tx, device.user_id, "alarm.passkey_counter", device.id)
        attention.push_all(tx, device.user_id, attention.COPIED)


def _unknown_key() -> errors.Problem:
    return errors.Problem(
        403, "key_not_allowed", "The decision is not signed by a key of this device."
    )

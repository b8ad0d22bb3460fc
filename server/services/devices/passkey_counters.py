"""The signature counter of a passkey (WebAuthn 6.1.1).

Owns: checking the counter, and the alarm. Never: the content that the assertion signs.

A counter that does not increase means that a copy of the passkey may be in use. Passkeys without a
counter always report 0.
"""

import hashlib
from typing import Final

from server.model.audit import Entry
from server.model.devices import Device, Passkey
from server.model.ports import Authenticators
from server.model.store import Unit
from server.protocol.devices.passkeys import Assertion
from server.services.audit import audit, floods
from server.services.notifications import attention, notices
from server.services.refusals import RecordedProblem

ALARM: Final = "alarm.passkey_counter"
_ALARM_EVERY_MS: Final = 60 * 60 * 1000


def verify(
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
        record=lambda tx: _record(tx, device, stored, counter),
    )


def _record(tx: Unit, device: Device, stored: int, counter: int) -> None:
    floods.record_refusal(
        tx,
        Entry(
            type=audit.Type.PASSKEY_REFUSED,
            actor=audit.by_user(device.user_id),
            subject=device.user_id,
            decision="refused",
            facts={"device": device.id, "counter": counter, "known": stored},
        ),
    )
    tx.devices.mark_alarmed(device.id, tx.now)
    if tx.counters.count(f"passkey counter:{device.id}", _ALARM_EVERY_MS) == 1:
        notices.device(tx, device.user_id, ALARM, device.id)
        attention.push_all(tx, device.user_id, attention.COPIED)

"""Devices' signed statements: signer, key and content.

Owns: the nonce of a statement, and checking the statement against the database.
Never: the effect of a statement; `devices.py` and `authority.py` decide that.
"""

from dataclasses import dataclass
from typing import Final

from server.model.devices import PASSKEY, Device
from server.model.ports import BadToken, Secrets
from server.model.store import Unit
from server.protocol import errors
from server.protocol.approvals import decisions
from server.services.devices.signatures import Signatures, VerifiedSignature
from server.services.server_policy import ServerPolicy
from server.services.users import device_auth
from server.services.users.device_auth import Person

PIN_FRESH_MS: Final = 120_000
"""How long a PIN call is valid for its subject."""


@dataclass(frozen=True, slots=True)
class Statements:
    """Checks devices' signed statements."""

    secrets: Secrets
    signatures: Signatures
    server_policy: ServerPolicy

    def nonce(self, device: Device, signer: Device) -> str:
        """Return the nonce of the next statement by `signer` about `device`."""
        return self.secrets.nonce("statement", device.id, signer.id, str(device.statements))

    def check(  # noqa: PLR0913  # the members of a statement
        self,
        tx: Unit,
        jws: str,
        signer: Device,
        keys: tuple[str, ...],
        *,
        purpose: str,
        subject: str,
        nonce: str,
    ) -> str:
        """Check a statement by one of these keys of the signer; return the key.

        Raises errors.Problem 403 `key_not_allowed` or 422 `invalid_statement`.
        """
        expected = decisions.Statement(
            iss=signer.id,
            sub=signer.user_id,
            aud=self.server_policy.issuer,
            purpose=purpose,
            subject=subject,
            nonce=nonce,
            at=tx.now // 1000,
        )
        signed = self._verify(tx, jws, signer, keys)
        decisions.check_statement(_parse(signed), expected)
        return signed.key

    def check_with_pin(  # the members of a statement
        self,
        tx: Unit,
        jws: str,
        device: Device,
        *,
        purpose: str,
        subject: str,
        about: Device | None = None,
    ) -> None:
        """Check a statement that adds access, about this device or the device `about`.

        Checks, in order, that: 1. the waiting time of the device is over; 2. its high-risk key or
        passkey signed this subject and our nonce; 3. the PIN was entered for this subject, or the
        passkey verified the person. Raises errors.Problem 403 or 422.
        """
        if tx.now < device.high_from:
            raise errors.Problem(
                403,
                "device_too_new",
                "This device is too new to do this. Vouch for it from an older device.",
            )
        nonce = self.nonce(about or device, device)
        key = self.check(
            tx, jws, device, ("high", PASSKEY), purpose=purpose, subject=subject, nonce=nonce
        )
        if key != PASSKEY and not is_pin_entered(device, subject, tx.now):
            raise errors.Problem(403, "pin_required", "Enter your PIN for this request.")

    def check_own(self, tx: Unit, person: Person, jws: str, purpose: str, *values: str) -> Device:
        """Check a person's statement about these values; return the device that signed it.

        Raises the errors of `check_with_pin`.
        """
        device = device_auth.current_device(tx, person)
        subject = signed_subject(self.nonce(device, device), *values)
        self.check_with_pin(tx, jws, device, purpose=purpose, subject=subject)
        return device

    def spend(self, tx: Unit, device: Device) -> None:
        """Use up the nonce, and reset the PIN attempts. Raises errors.Problem 422."""
        if not tx.devices.count_statement(device.id, device.statements):
            raise errors.Problem(422, "invalid_statement", "This statement was already used.")
        tx.devices.confirm(device.id, entered=True)

    def _verify(
        self, tx: Unit, jws: str, signer: Device, keys: tuple[str, ...]
    ) -> VerifiedSignature:
        try:
            signed = self.signatures.verify(tx, signer, jws, decisions.STATEMENT_TYPE)
        except (BadToken, ValueError) as error:
            raise _unreadable_statement(error) from error
        if signed.key not in keys:
            raise errors.Problem(
                403,
                "key_not_allowed",
                "This key cannot sign this statement. Use the key that the statement requires.",
            )
        return signed


def _parse(signed: VerifiedSignature) -> decisions.Statement:
    try:
        return decisions.read_statement(signed.payload)
    except ValueError as error:
        raise _unreadable_statement(error) from error


def _unreadable_statement(error: Exception) -> errors.Problem:
    return errors.Problem(
        422, "invalid_statement", "The signed statement is malformed.", log=str(error)
    )


def signed_subject(nonce: str, *values: str) -> str:
    """Return the subject that a device signs for these values; the nonce hides a short value."""
    return decisions.digest("\n".join((nonce, *values)))


def is_pin_entered(device: Device, subject: str, now: int) -> bool:
    """Return whether the last PIN call named this subject, at most 120 seconds ago."""
    if device.pin_for != subject or device.pin_for_at is None:
        return False
    return now - device.pin_for_at <= PIN_FRESH_MS

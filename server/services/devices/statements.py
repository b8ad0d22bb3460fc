"""A device's signed word: who signed it, with which key, and that it says what it must.

Owns: the nonce that a statement repeats, and the check of one against our own rows.
Never: what follows from a statement; `devices.py` and `authority.py` decide that.
"""

from dataclasses import dataclass
from typing import Final

from server.model.devices import PASSKEY, Device
from server.model.ports import BadToken, Secrets
from server.model.store import Unit
from server.protocol import errors
from server.protocol.approvals import decisions
from server.services.devices.signatures import Signatures, Signed
from server.services.server_policy import ServerPolicy

PIN_FRESH_MS: Final = 120_000
"""How long a PIN call counts for what it named."""


@dataclass(frozen=True, slots=True)
class Statements:
    """Checks what devices say under their keys."""

    secrets: Secrets
    signatures: Signatures
    rules: ServerPolicy

    def nonce(self, device: Device, signer: Device) -> str:
        """What `signer` must sign in a statement about `device`; another one after each."""
        return self.secrets.nonce("statement", device.id, signer.id, str(device.statements))

    def check(  # noqa: PLR0913  # the members of a statement, each from our own rows
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
        """Hold a statement by one of these keys of the signer against what it must say; which key.

        Raises errors.Problem 403 `key_not_allowed` or 422 `invalid_statement`.
        """
        expected = decisions.ExpectedStatement(
            iss=signer.id,
            sub=signer.user_id,
            aud=self.rules.issuer,
            purpose=purpose,
            subject=subject,
            nonce=nonce,
            now=tx.now // 1000,
        )
        signed = self._signed(tx, jws, signer, keys)
        decisions.check_statement(_read(signed), expected)
        return signed.key

    def check_with_pin(  # the members of a statement, each from our own rows
        self,
        tx: Unit,
        jws: str,
        device: Device,
        *,
        purpose: str,
        subject: str,
        about: Device | None = None,
    ) -> None:
        """Check a statement that adds power: about this device, or `about` another one.

        1. The device may do this by now.  2. Its high key or its passkey signed this subject and
        our nonce.  3. The person was there: the PIN was entered for this subject, or the passkey
        verified them. Raises errors.Problem 403 or 422.
        """
        if tx.now < device.high_from:
            raise errors.Problem(403, "device_too_new", "This device is too new to do this.")
        nonce = self.nonce(about or device, device)
        key = self.check(
            tx, jws, device, ("high", PASSKEY), purpose=purpose, subject=subject, nonce=nonce
        )
        if key != PASSKEY and not is_pin_entered(device, subject, tx.now):
            raise errors.Problem(403, "pin_required", "Enter your PIN for this very request.")

    def spend(self, tx: Unit, device: Device) -> None:
        """It counted, and never will again; the PIN was right. Raises errors.Problem 422."""
        if not tx.devices.stated(device.id, device.statements):
            raise errors.Problem(422, "invalid_statement", "This statement was used before.")
        tx.devices.confirm(device.id, entered=True)

    def _signed(self, tx: Unit, jws: str, signer: Device, keys: tuple[str, ...]) -> Signed:
        try:
            signed = self.signatures.of(tx, signer, jws, decisions.STATEMENT_TYPE)
        except (BadToken, ValueError) as error:
            raise _unreadable(error) from error
        if signed.key not in keys:
            raise errors.Problem(403, "key_not_allowed", "Another key must sign this.")
        return signed


def _read(signed: Signed) -> decisions.Statement:
    try:
        return decisions.read_statement(signed.payload)
    except ValueError as error:
        raise _unreadable(error) from error


def _unreadable(error: Exception) -> errors.Problem:
    return errors.Problem(
        422, "invalid_statement", "The signed statement cannot be read.", log=str(error)
    )


def is_pin_entered(device: Device, subject: str, now: int) -> bool:
    """Reports whether the device's last PIN call named this subject, 120 seconds ago at most."""
    if device.pin_for != subject or device.pin_for_at is None:
        return False
    return now - device.pin_for_at <= PIN_FRESH_MS

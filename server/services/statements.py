"""A device's signed word: who signed it, with which key, and that it says what it must.

Owns: the nonce that a statement repeats, and the check of one against our own rows.
Never: what follows from a statement; `devices.py` and `authority.py` decide that.
"""

from dataclasses import dataclass

from server.protocol import decisions, errors
from server.services.ports import BadToken, Secrets, Unit, Verifier
from server.services.records import Device
from server.services.rules import Rules


@dataclass(frozen=True, slots=True)
class Statements:
    """Checks what devices say under their keys."""

    secrets: Secrets
    verifier: Verifier
    rules: Rules

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
    ) -> None:
        """Hold a statement by one of these keys of the signer against what it must say.

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
        decisions.check_statement(self._read(jws, signer, keys), expected)

    def _read(self, jws: str, signer: Device, keys: tuple[str, ...]) -> decisions.Statement:
        try:
            kid = self.verifier.key_of(jws)
            key = next((name for name in keys if signer.kids[name] == kid), None)
            if key is None:
                raise errors.Problem(403, "key_not_allowed", "Another key must sign this.")
            raw = self.verifier.signed_by(jws, decisions.STATEMENT_TYPE, signer.keys[key], kid)
            return decisions.read_statement(raw)
        except (BadToken, ValueError) as error:
            raise errors.Problem(
                422, "invalid_statement", "The signed statement cannot be read.", log=str(error)
            ) from error

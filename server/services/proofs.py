"""DPoP proofs at the token endpoint (RFC 9449 5)."""

from collections.abc import Sequence
from dataclasses import dataclass

from server.protocol import decisions, dpop, errors
from server.services.people import first_use
from server.services.ports import Unit, Verifier
from server.services.rules import Rules


@dataclass(frozen=True, slots=True)
class Proofs:
    """Checks the proof that binds a session to its key."""

    verifier: Verifier
    rules: Rules

    def token_endpoint(self, tx: Unit, proofs: Sequence[str]) -> dict[str, str]:
        """The public key that this request proves to hold. Raises errors.InvalidDpopProof."""
        jwk, claims = self.verifier.dpop(dpop.one_proof(proofs))
        use = dpop.check_proof(
            claims,
            method="POST",
            url=f"{self.rules.issuer}/token",
            now=tx.now,
            access_token=None,
            loopback_alias=self.rules.on_loopback,
        )
        if not first_use(tx, decisions.thumbprint(jwk), use):
            raise errors.InvalidDpopProof("The proof was used before; make a new one.")
        return dict(jwk)

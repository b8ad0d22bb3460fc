"""DPoP proofs at the token endpoint (RFC 9449 5), and the nonces that clients' proofs may need."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from server.protocol import decisions, dpop, errors
from server.services.people import first_use
from server.services.ports import Secrets, Unit, Verifier
from server.services.rules import Rules

_USED_BEFORE = "The proof was used before; make a new one."


@dataclass(frozen=True, slots=True)
class Proofs:
    """Checks the proof that binds a session, or a client's token, to its key."""

    verifier: Verifier
    secrets: Secrets
    rules: Rules

    def token_endpoint(self, tx: Unit, proofs: Sequence[str]) -> dict[str, str]:
        """The public key that a terminal proves to hold. Raises errors.InvalidDpopProof."""
        jwk, claims = self.verifier.dpop(dpop.one_proof(proofs))
        self._check(tx, jwk, claims)
        return dict(jwk)

    def of_client(self, tx: Unit, proofs: Sequence[str]) -> str:
        """The thumbprint of the key that a client proves to hold.

        Raises errors.InvalidDpopProof, or errors.UseDpopNonce where nonces are demanded.
        """
        jwk, claims = self.verifier.dpop(dpop.one_proof(proofs))
        if self.rules.dpop_nonces:
            dpop.check_nonce(claims, self._nonces(tx.now))
        self._check(tx, jwk, claims)
        return decisions.thumbprint(jwk)

    def next_nonce(self, now: int) -> Mapping[str, str]:
        """The header that brings a client the nonce for its next proof (RFC 9449 8.2)."""
        return {"DPoP-Nonce": self._nonces(now)[0]} if self.rules.dpop_nonces else {}

    def _check(self, tx: Unit, jwk: Mapping[str, str], claims: Mapping[str, object]) -> None:
        use = dpop.check_proof(
            claims,
            method="POST",
            url=f"{self.rules.issuer}/token",
            now=tx.now,
            access_token=None,
            loopback_alias=self.rules.on_loopback,
        )
        if not first_use(tx, decisions.thumbprint(jwk), use):
            raise errors.InvalidDpopProof(_USED_BEFORE)

    def _nonces(self, now: int) -> tuple[str, ...]:
        return tuple(self.secrets.nonce("dpop", window) for window in dpop.nonce_windows(now))

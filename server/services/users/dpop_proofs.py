"""Checks DPoP proofs (RFC 9449)."""

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from server.model.ports import BadToken, Secrets, Verifier
from server.model.store import Unit
from server.protocol import errors
from server.protocol.approvals import decisions
from server.protocol.tokens import dpop
from server.services.server_policy import ServerPolicy

REPLAY_KIND: Final = "dpop proof"
_USED_BEFORE = "The proof was already used. Create a new one."


@dataclass(frozen=True, slots=True)
class ProofTarget:
    """The request that a proof must match: method, URL, and access token."""

    method: str
    url: str
    access_token: str | None = None


@dataclass(frozen=True, slots=True)
class Proofs:
    """Checks proofs, each of which can be used once."""

    verifier: Verifier
    secrets: Secrets
    server_policy: ServerPolicy

    def terminal(self, tx: Unit, proofs: Sequence[str], *, path: str = "/token") -> dict[str, str]:
        """Return the public key that a terminal proves it holds. Raises errors.InvalidDpopProof."""
        target = ProofTarget("POST", f"{self.server_policy.issuer}{path}")
        return self._proven_key(tx, proofs, target, nonces=False)

    def of_client(self, tx: Unit, proofs: Sequence[str], *, path: str = "/token") -> str:
        """Return the thumbprint of the key that a client proves it holds at an endpoint.

        Raises errors.InvalidDpopProof, or errors.UseDpopNonce if a nonce is required.
        """
        target = ProofTarget("POST", f"{self.server_policy.issuer}{path}")
        jwk = self._proven_key(tx, proofs, target, nonces=self.server_policy.dpop_nonces)
        return decisions.thumbprint(jwk)

    def of_token(
        self,
        tx: Unit,
        proofs: Sequence[str],
        target: ProofTarget,
        *,
        jkt: object,
        nonces: bool = False,
    ) -> None:
        """Check the proof of a request with a bound token (7.1).

        Raises the same errors as `of_client`, and `BadToken` if a different key signed the proof.
        """
        jwk = self._proven_key(tx, proofs, target, nonces=nonces and self.server_policy.dpop_nonces)
        if decisions.thumbprint(jwk) != jkt:
            raise BadToken("the token is bound to a different key")

    def next_nonce(self, now: int) -> Mapping[str, str]:
        """Return the header with the nonce for the client's next proof (8.2)."""
        return {"DPoP-Nonce": self._nonces(now)[0]} if self.server_policy.dpop_nonces else {}

    def _proven_key(
        self, tx: Unit, proofs: Sequence[str], target: ProofTarget, *, nonces: bool
    ) -> dict[str, str]:
        jwk, claims = self.verifier.dpop(dpop.one_proof(proofs))
        if nonces:
            dpop.check_nonce(claims, self._nonces(tx.now))
        use = dpop.check_proof(
            claims,
            method=target.method,
            url=target.url,
            now=tx.now,
            access_token=target.access_token,
            loopback_alias=self.server_policy.on_loopback,
        )
        if use.iat * 1000 < self.server_policy.not_before:
            raise errors.InvalidDpopProof("iat is before the last restore; create a new proof")
        key = hashlib.sha256(f"{decisions.thumbprint(jwk)}\n{use.jti_hash}".encode()).digest()
        if not tx.replays.first_use(REPLAY_KIND, key, use.expires_at):
            raise errors.InvalidDpopProof(_USED_BEFORE)
        return dict(jwk)

    def _nonces(self, now: int) -> tuple[str, ...]:
        return tuple(self.secrets.nonce("dpop", window) for window in dpop.nonce_windows(now))

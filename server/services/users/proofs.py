"""DPoP proofs: who holds the key that a token is, or is going to be, bound to (RFC 9449)."""

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
_USED_BEFORE = "The proof was used before; make a new one."


@dataclass(frozen=True, slots=True)
class ProofTarget:
    """The request that a proof must be for: method, URL, and the token that comes with it."""

    method: str
    url: str
    access_token: str | None = None


@dataclass(frozen=True, slots=True)
class Proofs:
    """Checks proofs, each of which counts once anywhere."""

    verifier: Verifier
    secrets: Secrets
    rules: ServerPolicy

    def terminal(self, tx: Unit, proofs: Sequence[str], *, path: str = "/token") -> dict[str, str]:
        """The public key that a terminal proves to hold. Raises errors.InvalidDpopProof."""
        target = ProofTarget("POST", f"{self.rules.issuer}{path}")
        return self._proved(tx, proofs, target, nonces=False)

    def of_client(self, tx: Unit, proofs: Sequence[str], *, path: str = "/token") -> str:
        """The thumbprint of the key that a client proves to hold, at an endpoint of forms.

        Raises errors.InvalidDpopProof, or errors.UseDpopNonce where nonces are demanded.
        """
        target = ProofTarget("POST", f"{self.rules.issuer}{path}")
        jwk = self._proved(tx, proofs, target, nonces=self.rules.dpop_nonces)
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
        """Hold a request with a bound token against its key (7.1).

        Raises like `of_client`, and `BadToken` when the proof is by another key.
        """
        jwk = self._proved(tx, proofs, target, nonces=nonces and self.rules.dpop_nonces)
        if decisions.thumbprint(jwk) != jkt:
            raise BadToken("the token is bound to another key")

    def next_nonce(self, now: int) -> Mapping[str, str]:
        """The header that brings a client the nonce for its next proof (8.2)."""
        return {"DPoP-Nonce": self._nonces(now)[0]} if self.rules.dpop_nonces else {}

    def _proved(
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
            loopback_alias=self.rules.on_loopback,
        )
        if use.iat * 1000 < self.rules.not_before:
            raise errors.InvalidDpopProof("iat is before the last restore; make a new proof")
        if not _first_use(tx, decisions.thumbprint(jwk), use):
            raise errors.InvalidDpopProof(_USED_BEFORE)
        return dict(jwk)

    def _nonces(self, now: int) -> tuple[str, ...]:
        return tuple(self.secrets.nonce("dpop", window) for window in dpop.nonce_windows(now))


def _first_use(tx: Unit, jkt: str, use: dpop.ProofUse) -> bool:
    """Reports whether this proof is used for the first time, anywhere."""
    key = hashlib.sha256(f"{jkt}\n{use.jti_hash}".encode()).digest()
    return tx.replays.first_use(REPLAY_KIND, key, use.expires_at)

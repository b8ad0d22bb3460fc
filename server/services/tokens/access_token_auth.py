"""Authentication with an access token at this server's own endpoints.

Owns: the resource server's part of RFC 6750 and RFC 9449 7. Never: the endpoint's response.
"""

from dataclasses import dataclass
from typing import Final

from server.model.ports import BadToken
from server.model.store import Unit
from server.model.tokens import LiveToken
from server.protocol import errors
from server.services.tokens.issued_tokens import IssuedTokens
from server.services.users.device_auth import DeviceCall
from server.services.users.dpop_proofs import Proofs, ProofTarget

_SCHEMES: Final = frozenset({"bearer", "dpop"})
_ALGS: Final = 'algs="ES256"'


@dataclass(frozen=True, slots=True)
class AccessTokenAuth:
    """Authenticates requests that carry an access token."""

    tokens: IssuedTokens
    proofs: Proofs

    def authenticate(self, tx: Unit, call: DeviceCall, *, audience: str) -> LiveToken:
        """Return the token of this call if it is valid for this audience.

        Checks, in order, that: 1. the `Authorization` header has the Bearer or DPoP scheme; 2. the
        token is valid and for this audience; 3. a bound token uses the DPoP scheme and comes with a
        proof for this call, and an unbound token uses the Bearer scheme. Raises errors.Problem 401
        with a challenge.
        """
        scheme, _, token = (call.authorization or "").strip().partition(" ")
        if scheme.lower() not in _SCHEMES:
            raise _unauthorized("", f"Bearer, DPoP {_ALGS}", log="no token")
        live_token = self.tokens.live(tx, token.strip())
        if live_token is None or live_token.row.resource != audience:
            raise _invalid_token("invalid, or for another audience", dpop=scheme.lower() == "dpop")
        bound = live_token.row.jkt is not None
        if bound != (scheme.lower() == "dpop"):
            raise _invalid_token("wrong scheme for this token", dpop=bound)
        if bound:
            self._check_proof(tx, call, token.strip(), live_token)
        return live_token

    def _check_proof(self, tx: Unit, call: DeviceCall, token: str, live_token: LiveToken) -> None:
        target = ProofTarget(call.method, call.url, token)
        try:
            self.proofs.of_token(tx, call.proofs, target, jkt=live_token.row.jkt, nonces=True)
        except errors.UseDpopNonce as error:
            raise _unauthorized(
                error.code, _challenge(error.code), nonce=error.headers["DPoP-Nonce"]
            ) from error
        except errors.InvalidDpopProof as error:
            raise _unauthorized(
                error.code, _challenge(error.code), log=error.description
            ) from error
        except BadToken as error:
            raise _invalid_token(str(error), dpop=True) from error


def _invalid_token(log: str, *, dpop: bool = False) -> errors.Problem:
    code = "invalid_token"
    return _unauthorized(code, _challenge(code) if dpop else f'Bearer error="{code}"', log=log)


def _challenge(code: str) -> str:
    return f'DPoP error="{code}", {_ALGS}'


def _unauthorized(code: str, challenge: str, *, nonce: str = "", log: str = "") -> errors.Problem:
    headers = {"WWW-Authenticate": challenge} | ({"DPoP-Nonce": nonce} if nonce else {})
    return errors.Problem(
        401,
        code or "invalid_token",
        "Send a valid access token, with a fresh proof of its key if it is bound to one.",
        headers=headers,
        log=log,
    )

"""An access token of ours at an endpoint of our own: presented as it must be, and in force.

Owns: RFC 6750 and RFC 9449 7 from the resource's side. Never: what the endpoint then answers.
"""

from dataclasses import dataclass
from typing import Final

from server.model.ports import BadToken
from server.model.store import Unit
from server.model.tokens import LiveToken
from server.protocol import errors
from server.services.tokens.issued_tokens import IssuedTokens
from server.services.users.device_auth import DeviceCall
from server.services.users.proofs import Proofs, ProofTarget

_SCHEMES: Final = frozenset({"bearer", "dpop"})
_ALGS: Final = 'algs="ES256"'


@dataclass(frozen=True, slots=True)
class Bearers:
    """Accepts access tokens for endpoints of our own."""

    tokens: IssuedTokens
    proofs: Proofs

    def accept(self, tx: Unit, call: DeviceCall, *, audience: str) -> LiveToken:
        """The token of this call, if it is for this audience and comes as it must.

        1. One `Authorization`, of a scheme for tokens.  2. The token is in force, and for here.
        3. A bound token comes with a proof of its key for this very call, an unbound one without:
        neither passes for the other. Raises errors.Problem 401 with the challenge of its scheme.
        """
        scheme, _, token = (call.authorization or "").strip().partition(" ")
        if scheme.lower() not in _SCHEMES:
            raise _refused("", f"Bearer, DPoP {_ALGS}", log="no token")
        found = self.tokens.live(tx, token.strip())
        if found is None or found.row.resource != audience:
            raise _invalid("not in force, or not for here")
        bound = found.row.jkt is not None
        if bound != (scheme.lower() == "dpop"):
            raise _invalid("the scheme is not that of the token", dpop=bound)
        if bound:
            self._check_proof(tx, call, token.strip(), found)
        return found

    def _check_proof(self, tx: Unit, call: DeviceCall, token: str, found: LiveToken) -> None:
        target = ProofTarget(call.method, call.url, token)
        try:
            self.proofs.of_token(tx, call.proofs, target, jkt=found.row.jkt, nonces=True)
        except errors.UseDpopNonce as error:
            raise _refused(
                error.code, _dpop(error.code), nonce=error.headers["DPoP-Nonce"]
            ) from error
        except errors.InvalidDpopProof as error:
            raise _refused(error.code, _dpop(error.code), log=error.description) from error
        except BadToken as error:
            raise _invalid(str(error), dpop=True) from error


def _invalid(log: str, *, dpop: bool = False) -> errors.Problem:
    code = "invalid_token"
    return _refused(code, _dpop(code) if dpop else f'Bearer error="{code}"', log=log)


def _dpop(code: str) -> str:
    return f'DPoP error="{code}", {_ALGS}'


def _refused(code: str, challenge: str, *, nonce: str = "", log: str = "") -> errors.Problem:
    headers = {"WWW-Authenticate": challenge} | ({"DPoP-Nonce": nonce} if nonce else {})
    return errors.Problem(
        401,
        code or "invalid_token",
        "Send a valid access token, with a fresh proof of its key if it is bound to one.",
        headers=headers,
        log=log,
    )

"""Checks the proofs and signatures of a terminal with PyJWT, which the terminal does not use."""

import hashlib
import json
import time
from typing import cast

import jwt
from cryptography.hazmat.primitives.asymmetric.ec import EllipticCurvePublicKey
from jwt.algorithms import ECAlgorithm

from tests.support.builders.approval_texts import USER, b64, digest
from tests.support.fakes.fake_wire import Faults, Refused

DEVICE = "sayso_dv_dddddddddddddddd"


class Proving:
    """The keys and tokens of the device, and the checks of proofs and signatures."""

    def __init__(self) -> None:
        self.faults = Faults()
        self.issuer = ""
        self.clock_ahead = 0
        self.tokens: set[str] = set()
        self.device_keys: dict[str, dict[str, str]] = {}
        self.session_key: dict[str, str] | None = None
        self.pin_calls: list[str] = []
        self.revoked: list[str] = []
        self._seen_proofs: set[str] = set()

    def now(self) -> int:
        """Return this server's time in milliseconds."""
        return int(time.time() * 1000) + self.clock_ahead

    def check_proof(self, proof: str, method: str, path: str, token: str | None) -> dict[str, str]:
        """Return the key that a DPoP proof is signed with."""
        jwk = cast("dict[str, str]", jwt.get_unverified_header(proof)["jwk"])
        claims = jwt.decode(
            proof, public_key(jwk), algorithms=["ES256"], options={"verify_iat": False}
        )
        is_fresh = abs(claims["iat"] - self.now() / 1000) < 60
        ath = None if token is None else b64(hashlib.sha256(token.encode()).digest())
        named = (claims["htm"], claims["htu"], claims.get("ath"))
        is_new = claims["jti"] not in self._seen_proofs
        self._seen_proofs.add(claims["jti"])
        if not (is_fresh and is_new and named == (method, self.issuer + path, ath)):
            raise Refused(401, "invalid_dpop_proof")
        return jwk

    def check_token(self, authorization: str, proof: str, method: str, path: str) -> None:
        """Refuse a token that is unknown, revoked or bound to another key."""
        token = authorization.removeprefix("DPoP ")
        if self.faults.refuse_token_once:
            self.faults.refuse_token_once = False
            self.tokens.discard(token)
        if {"self", DEVICE} & set(self.revoked) or token not in self.tokens:
            raise Refused(401, "invalid_token")
        if self.check_proof(proof, method, path, token) != self.session_key:
            raise Refused(401, "invalid_dpop_proof")

    def _verified(self, signed: str, allowed: set[str], kind: str) -> tuple[str, dict[str, object]]:
        header = jwt.get_unverified_header(signed)
        named = {thumbprint(jwk): name for name, jwk in self.device_keys.items()}
        name = named.get(header["kid"], "")
        if name not in allowed or set(header) != {"alg", "kid", "typ"} or header["typ"] != kind:
            raise Refused(422, "invalid_decision")
        key = public_key(self.device_keys[name])
        payload = jwt.api_jws.decode(signed, key, algorithms=["ES256"])
        return name, json.loads(payload)

    def _check_decision(self, row: dict[str, object], name: str, claims: dict[str, object]) -> None:
        expected = {
            "iss": DEVICE,
            "sub": USER,
            "aud": self.issuer,
            "approval": row["id"],
            "action_digest": row["action_digest"],
            "display_digest": row["display_digest"],
            "granted": None,
            "nonce": f"nonce-{row['id']}",
        }
        others = {"decision", "code", "ceremony", "at"}
        if {k: v for k, v in claims.items() if k not in others} != expected:
            raise Refused(422, "invalid_decision")
        if claims["decision"] in {"deny", "withdraw"}:
            has_code = claims["code"] is not None
            if claims["ceremony"] != "none" or has_code is not (claims["decision"] == "deny"):
                raise Refused(422, "invalid_decision")
        elif name == "session":
            raise Refused(403, "key_not_allowed")
        elif "pin" in f"{row['ceremony']}+{claims['ceremony']}".split("+") and (
            name != "high" or self.pin_calls[-1:] != [row["id"]]
        ):
            raise Refused(403, "pin_required")


def public_key(jwk: dict[str, str]) -> EllipticCurvePublicKey:
    """Return the public key of this JWK."""
    return cast("EllipticCurvePublicKey", ECAlgorithm.from_jwk(jwk))


def thumbprint(jwk: dict[str, str]) -> str:
    """Return the thumbprint of this JWK (RFC 7638)."""
    members = {name: jwk[name] for name in ("crv", "kty", "x", "y")}
    return digest(json.dumps(members, separators=(",", ":")))

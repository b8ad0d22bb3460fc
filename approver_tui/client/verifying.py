"""Verifies signatures of others with a public key as a JWK.

Owns: the three kinds of keys of servers and passkeys. Never: signing; trusting an `alg`.
"""

from collections.abc import Mapping
from types import MappingProxyType
from typing import Any

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, padding, rsa
from cryptography.hazmat.primitives.asymmetric.utils import encode_dss_signature

from approver_tui.client.jose import unb64

ALGS = MappingProxyType({"EC": "ES256", "OKP": "EdDSA", "RSA": "RS256"})
"""The algorithm of each kind of key (RFC 7518 3.1, RFC 8037 3.1)."""
_COORDINATE = 32


def verify_signature(
    jwk: Mapping[str, Any], signature: bytes, message: bytes, *, is_der: bool = False
) -> bool:
    """Whether the key made the signature. An ECDSA signature is r ‖ s, or DER from a passkey.

    Raises KeyError or ValueError for an invalid key.
    """
    check = {"EC": _ec, "OKP": _okp, "RSA": _rsa}[jwk["kty"]]
    try:
        check(jwk, signature, message, is_der)
    except InvalidSignature:
        return False
    return True


def _ec(jwk: Mapping[str, Any], signature: bytes, message: bytes, is_der: bool) -> None:  # noqa: FBT001  # the signature of the table
    if jwk["crv"] != "P-256":
        raise ValueError("the curve is not P-256")
    x, y = (int.from_bytes(unb64(jwk[name]), "big") for name in ("x", "y"))
    key = ec.EllipticCurvePublicNumbers(x, y, ec.SECP256R1()).public_key()
    if not is_der and len(signature) != 2 * _COORDINATE:
        raise InvalidSignature
    halves = signature[:_COORDINATE], signature[_COORDINATE:]
    der = encode_dss_signature(*(int.from_bytes(half, "big") for half in halves))
    key.verify(signature if is_der else der, message, ec.ECDSA(hashes.SHA256()))


def _okp(jwk: Mapping[str, Any], signature: bytes, message: bytes, _is_der: bool) -> None:  # noqa: FBT001  # as above
    if jwk["crv"] != "Ed25519":
        raise ValueError("the curve is not Ed25519")
    ed25519.Ed25519PublicKey.from_public_bytes(unb64(jwk["x"])).verify(signature, message)


def _rsa(jwk: Mapping[str, Any], signature: bytes, message: bytes, _is_der: bool) -> None:  # noqa: FBT001  # as above
    e, n = (int.from_bytes(unb64(jwk[name]), "big") for name in ("e", "n"))
    key = rsa.RSAPublicNumbers(e, n).public_key()
    key.verify(signature, message, padding.PKCS1v15(), hashes.SHA256())

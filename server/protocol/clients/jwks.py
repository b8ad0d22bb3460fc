"""Public keys of clients (RFC 7517): which keys are valid, and how they are stored.

Owns: the rules for a registered key set. Never: signatures (`server.crypto`).
"""

import re
from collections.abc import Mapping
from typing import Final, TypeAlias

from server.protocol import base64url, json_text, names
from server.protocol.approvals import decisions
from server.protocol.json_text import JsonValue

PublicKey: TypeAlias = Mapping[str, str]
_Algs: TypeAlias = tuple[str, ...]
"""The algorithms a key may sign with; the first is the default."""

MAX_KEYS: Final = 10
MIN_RSA_BITS: Final = 2048
MAX_RSA_BITS: Final = 8192

_PRIVATE_MEMBERS = frozenset({"d", "p", "q", "dp", "dq", "qi", "oth", "k"})
_KID = re.compile(r"[\x21-\x7E]{1,128}")
_CURVE_BYTES = 32
_ALIASES: Final = {"EdDSA": names.ED25519}
"""Alternative names of algorithms (RFC 9864)."""
# P-256 (FIPS 186-5, SP 800-186 3.2.1.3): y² = x³ - 3x + b.
_P = 2**256 - 2**224 + 2**192 + 2**96 - 1
_B = 0x5AC635D8AA3A93E7B3EBBD55769886BC651D06B0CC53B0F63BCE3C3E27D2604B


def read_keys(document: JsonValue) -> tuple[PublicKey, ...]:
    """Return the keys of a JWK set or a single JWK, each with its `kid` and `alg`.

    Keys in a set that cannot sign here are ignored (RFC 7517 5). A key without a `kid` gets its
    thumbprint (RFC 7638). Raises ValueError, which says what to change.
    """
    keys = document.get("keys", [document]) if isinstance(document, dict) else document
    if not isinstance(keys, list) or not 1 <= len(keys) <= MAX_KEYS:
        raise ValueError(f"must be a JWK set with 1 to {MAX_KEYS} keys")
    usable, unusable = list[PublicKey](), list[_UnusableKey]()
    for number, key in enumerate(keys, 1):
        try:
            usable.append(_read(key, f"key {number}"))
        except _UnusableKey as error:
            unusable.append(error)
    if not usable:
        raise unusable[0]
    if len({key["kid"] for key in usable}) != len(usable):
        raise ValueError("has two keys with the same kid; each kid must be unique")
    return tuple(usable)


class _UnusableKey(ValueError):
    """A key of this type, curve, algorithm or use cannot sign here."""


def _read(key: JsonValue, label: str) -> PublicKey:
    if not isinstance(key, dict):
        raise ValueError(f"{label} is not a JSON object")  # noqa: TRY004  # an invalid document
    if _PRIVATE_MEMBERS & key.keys():
        raise ValueError(f"{label} is private. Keep it secret; register its public half")
    read = _READERS.get(str(key.get("kty")))
    if read is None:
        raise _UnusableKey(f"{label} must be of kty EC, OKP or RSA")
    algs, members = read(key, label)
    alg = key.get("alg", algs[0])
    accepted_algs = [*algs, *(_ALIASES[name] for name in algs if name in _ALIASES)]
    if alg not in accepted_algs or key.get("use", "sig") != "sig":
        raise _UnusableKey(
            f"{label} must have alg {' or '.join(algs)} and use sig, or leave them out"
        )
    alg = alg if alg in algs else algs[0]
    kid = key.get("kid", decisions.digest(json_text.canonical({**members})))
    if not isinstance(kid, str) or not _KID.fullmatch(kid):
        raise ValueError(f"{label} must have a kid of 1 to 128 visible ASCII characters")
    return {**members, "kid": kid, "alg": str(alg)}


def _read_ec(key: Mapping[str, JsonValue], label: str) -> tuple[_Algs, dict[str, str]]:
    if key.get("crv") != "P-256":
        raise _UnusableKey(f"{label} must be on the curve P-256")
    x, y = (_decode_number(key, name, label, length=_CURVE_BYTES) for name in ("x", "y"))
    if not is_on_p256(x, y):
        raise ValueError(f"{label} is not a point on the curve P-256")
    return ("ES256",), {"kty": "EC", "crv": "P-256", "x": str(key["x"]), "y": str(key["y"])}


def is_on_p256(x: int, y: int) -> bool:
    """Return whether these coordinates are a point of the curve P-256."""
    return max(x, y) < _P and (y * y - (x * x * x - 3 * x + _B)) % _P == 0


def _read_okp(key: Mapping[str, JsonValue], label: str) -> tuple[_Algs, dict[str, str]]:
    if key.get("crv") != "Ed25519":
        raise _UnusableKey(f"{label} must be on the curve Ed25519")
    _decode_number(key, "x", label, length=_CURVE_BYTES)
    return ("EdDSA",), {"kty": "OKP", "crv": "Ed25519", "x": str(key["x"])}


def _read_rsa(key: Mapping[str, JsonValue], label: str) -> tuple[_Algs, dict[str, str]]:
    modulus, exponent = (_decode_number(key, name, label) for name in ("n", "e"))
    if not MIN_RSA_BITS <= modulus.bit_length() <= MAX_RSA_BITS or modulus % 2 == 0:
        raise ValueError(f"{label} must be an RSA key of {MIN_RSA_BITS} to {MAX_RSA_BITS} bits")
    if exponent not in (3, 17, 65537):
        raise ValueError(f"{label} must have the public exponent 65537 (AQAB)")
    return ("RS256", "PS256"), {"kty": "RSA", "n": str(key["n"]), "e": str(key["e"])}


def _decode_number(
    key: Mapping[str, JsonValue], name: str, label: str, length: int | None = None
) -> int:
    text = key.get(name)
    try:
        raw = base64url.decode(text) if isinstance(text, str) else b""
    except ValueError:
        raw = b""
    if not raw or (length is not None and len(raw) != length):
        raise ValueError(f"{label} must have {name} as base64url without padding")
    return int.from_bytes(raw)


_READERS = {"EC": _read_ec, "OKP": _read_okp, "RSA": _read_rsa}

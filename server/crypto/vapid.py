"""The VAPID key, which signs push messages (RFC 8292): 32 bytes, sealed in the database.

The key must not change: a new key invalidates every subscription until the browser renews it.
"""

import secrets

from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from server.protocol import base64url

_ORDER = 0xFFFFFFFF00000000FFFFFFFFFFFFFFFFBCE6FAADA7179E84F3B9CAC2FC632551
"""The order of P-256 (SP 800-186 3.2.1.3)."""


def new_key() -> bytes:
    """Return 32 random bytes."""
    return secrets.token_bytes(32)


def private_key(raw: bytes) -> str:
    """Return the private key for these bytes, as base64url."""
    return base64url.encode(_scalar(raw).to_bytes(32))


def public_key(raw: bytes) -> str:
    """Return the public key for browsers (`applicationServerKey`): a 65-byte point, base64url."""
    point = ec.derive_private_key(_scalar(raw), ec.SECP256R1()).public_key()
    return base64url.encode(point.public_bytes(Encoding.X962, PublicFormat.UncompressedPoint))


def _scalar(raw: bytes) -> int:
    """Map any 32 bytes to a scalar from 1 to order - 1."""
    return int.from_bytes(raw) % (_ORDER - 1) + 1

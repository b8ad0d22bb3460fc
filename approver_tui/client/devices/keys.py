"""The approval keys and how the PIN seals them.

    x = Argon2id(PIN, salt)             on this device
    y = the server's answer to x        one counted call per attempt
    k = HKDF-SHA256(x ‖ y, level)       the key of an AES-GCM blob
    blob = nonce ‖ AES-GCM(k, private key, device ‖ level)

Without y no PIN can be tried, so nobody can guess the PIN from a copy of the files.
Owns: these calculations. Never: files, HTTP, counting.
"""

import os
import unicodedata
from enum import StrEnum

from argon2.low_level import Type, hash_secret_raw
from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from approver_tui.client.errors import BadPin

MIN_PIN_LENGTH = 6
"""The minimum length of a PIN, in characters."""

SALT_BYTES = 16
_ITERATIONS = 3
_MEMORY_KIB = 64 * 1024
_KEY_BYTES = 32
_NONCE_BYTES = 12


class KeyLevel(StrEnum):
    """The two approval keys: an unlocked app keeps LOW; HIGH is opened for one signature."""

    LOW = "low"
    HIGH = "high"


class UnsealFailed(Exception):
    """The blob's tag did not verify: the PIN was wrong, or the blob belongs to another device."""


def check_pin(pin: str) -> None:
    """Raise BadPin if the PIN is too short."""
    if len(_normalize(pin)) < MIN_PIN_LENGTH:
        raise BadPin(f"A PIN must have at least {MIN_PIN_LENGTH} characters.")


def new_salt() -> bytes:
    """Return a new salt for the PIN."""
    return os.urandom(SALT_BYTES)


def stretch(pin: str, salt: bytes) -> bytes:
    """Return x, 32 bytes. Slow on purpose, and needs 64 MiB."""
    return hash_secret_raw(
        _normalize(pin).encode("utf-8", "surrogateescape"),
        salt,
        time_cost=_ITERATIONS,
        memory_cost=_MEMORY_KIB,
        parallelism=1,
        hash_len=_KEY_BYTES,
        type=Type.ID,
    )


def seal(scalar: bytes, *, x: bytes, y: bytes, level: KeyLevel, device: str) -> bytes:
    """Return the blob that holds a private key."""
    nonce = os.urandom(_NONCE_BYTES)
    cipher = AESGCM(_wrapping_key(x, y, level))
    return nonce + cipher.encrypt(nonce, scalar, _associated_data(device, level))


def unseal(blob: bytes, *, x: bytes, y: bytes, level: KeyLevel, device: str) -> bytearray:
    """Return the private key in `blob`, in memory that `wipe` can clear. Raises UnsealFailed."""
    cipher = AESGCM(_wrapping_key(x, y, level))
    nonce, sealed = blob[:_NONCE_BYTES], blob[_NONCE_BYTES:]
    try:
        return bytearray(cipher.decrypt(nonce, sealed, _associated_data(device, level)))
    except (InvalidTag, ValueError) as error:  # ValueError: too short to hold a nonce
        raise UnsealFailed from error


def wipe(secret: bytearray) -> None:
    """Overwrite a secret in place. Copies that libraries made cannot be wiped."""
    secret[:] = bytes(len(secret))


def _wrapping_key(x: bytes, y: bytes, level: KeyLevel) -> bytes:
    derivation = HKDF(hashes.SHA256(), length=_KEY_BYTES, salt=None, info=level.encode())
    return derivation.derive(x + y)


def _associated_data(device: str, level: KeyLevel) -> bytes:
    return f"{device}{level}".encode()


def _normalize(pin: str) -> str:
    """Normalize a PIN, so that different keyboards give the same text."""
    return unicodedata.normalize("NFC", pin)

"""Sealing: AES-256-GCM under keys derived from one master key, one key per purpose."""

import os
import secrets
from pathlib import Path

from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from server import folders

_KEY_BYTES = 32
_NONCE_BYTES = 12


class BadKeyFile(Exception):
    """A key file is unusable. The text names the fix."""


def read_or_make_key(path: Path) -> bytes:
    """Read the 32 bytes in this file; create it with mode 0600 if missing. Raises `BadKeyFile`."""
    if not path.exists():
        folders.make_private(path.parent)
        _make(path)
    return read_key(path)


def read_key(path: Path) -> bytes:
    """Read the 32 bytes in this file. Raises `BadKeyFile`."""
    if path.stat().st_mode & 0o077:
        raise BadKeyFile(f"Other users can read {path}. Run: chmod 600 {path}")
    key = path.read_bytes()
    if len(key) != _KEY_BYTES:
        raise BadKeyFile(f"{path} must have {_KEY_BYTES} bytes. Restore it from your backup.")
    return key


def write_key(path: Path, key: bytes) -> None:
    """Write a new key file with mode 0600. Raises FileExistsError."""
    path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    descriptor = os.open(path, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600)
    with os.fdopen(descriptor, "wb") as file:
        file.write(key)
        file.flush()
        os.fsync(file.fileno())


def derive(master: bytes, purpose: str) -> bytes:
    """Derive the key for one purpose (RFC 5869)."""
    hkdf = HKDF(algorithm=SHA256(), length=_KEY_BYTES, salt=None, info=purpose.encode())
    return hkdf.derive(master)


class Sealer:
    """Encrypts and decrypts data with a separate key for each purpose."""

    def __init__(self, master: bytes) -> None:
        self._master = master
        self._ciphers: dict[str, AESGCM] = {}

    def seal(self, purpose: str, text: bytes) -> bytes:
        """Encrypt; returns nonce and ciphertext."""
        nonce = secrets.token_bytes(_NONCE_BYTES)
        return nonce + self._cipher(purpose).encrypt(nonce, text, purpose.encode())

    def open(self, purpose: str, sealed: bytes) -> bytes:
        """Decrypt. Raises `BadKeyFile` if another master key sealed it."""
        from cryptography.exceptions import InvalidTag  # noqa: PLC0415  # most commands open nothing

        nonce, rest = sealed[:_NONCE_BYTES], sealed[_NONCE_BYTES:]
        try:
            return self._cipher(purpose).decrypt(nonce, rest, purpose.encode())
        except InvalidTag as error:
            raise BadKeyFile("The master key is not the one that sealed this database.") from error

    def _cipher(self, purpose: str) -> AESGCM:
        kind = purpose.partition(":")[0]
        if kind not in self._ciphers:
            self._ciphers[kind] = AESGCM(derive(self._master, f"seal {kind}"))
        return self._ciphers[kind]


def _make(path: Path) -> None:
    """Write a new key to a temporary file first, so that no process reads a partial one."""
    draft = path.with_name(f".{path.name}.{os.getpid()}")
    descriptor = os.open(draft, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600)
    with os.fdopen(descriptor, "wb") as file:
        file.write(secrets.token_bytes(_KEY_BYTES))
        file.flush()
        os.fsync(file.fileno())
    try:
        os.link(draft, path)
    except FileExistsError:
        pass  # another process was first; use its key
    finally:
        draft.unlink()

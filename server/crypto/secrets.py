"""Random IDs and secrets, keyed hashes, and sealing with a key file."""

import hashlib
import hmac
import os
import secrets
import tempfile
import threading
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING

from server import folders
from server.model.ports import UnusableKey
from server.protocol import base64url
from server.protocol.names import PREFIX_AUTH_REQ_ID

if TYPE_CHECKING:
    from cryptography.hazmat.primitives.ciphers.aead import AESGCM

_KEY_BYTES = 32
_NONCE_BYTES = 12


class BadKeyFile(UnusableKey):
    """A key file is unusable. The message says how to fix it."""


def read_or_create_key(path: Path) -> bytes:
    """Read the 32 bytes in this file; create it with mode 0600 if missing. Raises `BadKeyFile`."""
    if not path.exists():
        with suppress(FileExistsError):  # another process was first; use its key
            write_key(path, secrets.token_bytes(_KEY_BYTES))
    return read_key(path)


def read_key(path: Path) -> bytes:
    """Read the 32 bytes in this file. Raises `BadKeyFile`, or OSError for a folder."""
    key = path.read_bytes()
    if path.stat().st_mode & 0o077:
        raise BadKeyFile(f"Other users can read {path}. Run: chmod 600 {path}")
    if len(key) != _KEY_BYTES:
        raise BadKeyFile(
            f"{path} must be exactly {_KEY_BYTES} bytes long. Restore it from your backup."
        )
    return key


def write_key(path: Path, key: bytes) -> None:
    """Write a new key file with mode 0600. Raises FileExistsError.

    The file gets its name only when it is complete, so no process reads a partial key, and a full
    disk leaves none.
    """
    folders.make_private(path.parent)
    prefix = f".{path.name}."
    with tempfile.NamedTemporaryFile(dir=path.parent, prefix=prefix, buffering=0) as file:
        file.write(key)
        os.fsync(file.fileno())
        os.link(file.name, path)


def derive(master: bytes, purpose: str) -> bytes:
    """Derive the key for one purpose (RFC 5869)."""
    from cryptography.hazmat.primitives.hashes import SHA256  # noqa: PLC0415  # most commands never derive a key
    from cryptography.hazmat.primitives.kdf.hkdf import HKDF  # noqa: PLC0415  # as above

    hkdf = HKDF(algorithm=SHA256(), length=_KEY_BYTES, salt=None, info=purpose.encode())
    return hkdf.derive(master)


class Sealer:
    """Encrypts and decrypts data, with a separate key for each kind of purpose.

    The kind is the part of the purpose before the colon.
    """

    def __init__(self, master: bytes) -> None:
        self._master = master
        self._ciphers: dict[str, AESGCM] = {}

    def seal(self, purpose: str, plaintext: bytes) -> bytes:
        """Encrypt data; return nonce and ciphertext."""
        nonce = secrets.token_bytes(_NONCE_BYTES)
        return nonce + self._cipher(purpose).encrypt(nonce, plaintext, purpose.encode())

    def open(self, purpose: str, sealed: bytes) -> bytes:
        """Decrypt data. Raises `BadKeyFile` if it was sealed with a different master key."""
        from cryptography.exceptions import InvalidTag  # noqa: PLC0415  # most commands never decrypt

        nonce, ciphertext = sealed[:_NONCE_BYTES], sealed[_NONCE_BYTES:]
        try:
            return self._cipher(purpose).decrypt(nonce, ciphertext, purpose.encode())
        except InvalidTag as error:
            raise BadKeyFile("The master key is not the one that sealed this database.") from error

    def _cipher(self, purpose: str) -> "AESGCM":
        from cryptography.hazmat.primitives.ciphers.aead import AESGCM  # noqa: PLC0415  # most commands never decrypt

        kind = purpose.partition(":")[0]
        if kind not in self._ciphers:
            self._ciphers[kind] = AESGCM(derive(self._master, f"seal {kind}"))
        return self._ciphers[kind]


_BASE32 = "abcdefghijklmnopqrstuvwxyz234567"
_CROCKFORD = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"
_ID_CHARACTERS = 16
_CODE_ID_CHARACTERS = 8
_CODE_SECRET_CHARACTERS = 24


class EntryIdGenerator:
    """Generates the IDs of audit entries."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._last = (0, 0)

    def new(self, now: int) -> str:
        """Return an ID that sorts by time and, in one process, by creation order (RFC 9562 6.2)."""
        with self._lock:
            last, count = self._last
            moment = max(now, last)
            count = count + 1 if moment == last else 0
            self._last = (moment, count)
        return f"{moment:012x}-{count:04x}-{secrets.token_hex(6)}"


class KeyedSecrets(Sealer):
    """The adapter for the `Secrets` port, with the master key and the PIN key."""

    def __init__(self, master: bytes, pin_key: bytes, epoch: str = "") -> None:
        """Keys derived with the installation's `epoch` change when a backup is restored."""
        super().__init__(master)
        self._epoch = epoch
        self._pin_key = pin_key
        self._keys: dict[str, bytes] = {}

    def _hash(self, purpose: str, *parts: str) -> bytes:
        """Return the HMAC of these parts with the key for a purpose."""
        if purpose not in self._keys:
            self._keys[purpose] = derive(self._master, purpose)
        return _hmac(self._keys[purpose], "\n".join(parts))

    def new_id(self, prefix: str) -> str:
        """Return a public ID with 80 random bits."""
        return prefix + _pick(_BASE32, _ID_CHARACTERS)

    def new_secret(self, prefix: str) -> str:
        """Return a secret with 256 random bits."""
        return prefix + base64url.encode(secrets.token_bytes(32))

    def new_code(self) -> tuple[str, str]:
        """Return an enrollment code: a public ID and a secret with 120 random bits."""
        return _pick(_CROCKFORD, _CODE_ID_CHARACTERS), _pick(_CROCKFORD, _CODE_SECRET_CHARACTERS)

    def random_string(self, alphabet: str, length: int) -> str:
        """Return a random string of characters from this alphabet."""
        return "".join(secrets.choice(alphabet) for _ in range(length))

    def salt(self) -> str:
        """Return 128 random bits."""
        return base64url.encode(secrets.token_bytes(16))

    def auth_req_id(self, approval_id: str) -> str:
        """Return the agent's handle for this approval, which differs from its ID."""
        return PREFIX_AUTH_REQ_ID + base64url.encode(
            self._hash(f"handles {self._epoch}", approval_id)
        )

    def code_hash(self, code_id: str, secret: str) -> bytes:
        """Return the hash to store for an enrollment code's secret."""
        return self._hash(f"enrollment codes {self._epoch}", code_id, secret)

    def user_code_hash(self, user_id: str, code: str) -> bytes:
        """Return the hash to store for a user code. It is keyed, because the codes are short."""
        return self._hash("user codes", user_id, code)

    def nonce(self, *parts: str) -> str:
        """Return the nonce that a device must sign, derived from these parts."""
        return base64url.encode(self._hash(f"nonces {self._epoch}", *parts))

    def keyed_hash(self, *parts: str) -> str:
        """Return a keyed hash to store in place of these parts. A restore does not change it."""
        return base64url.encode(self._hash("hashes", *parts))

    def pin_answer(self, device_id: str, epoch: int, x: bytes) -> bytes:
        """Return HMAC(k, x), where k is the device's key for this epoch."""
        k = _hmac(self._pin_key, f"{device_id}\n{epoch}")
        return hmac.digest(k, x, "sha256")


def _hmac(key: bytes, text: str) -> bytes:
    return hmac.digest(key, text.encode(), hashlib.sha256)


def _pick(alphabet: str, length: int) -> str:
    """Return random characters. Each alphabet has 32, so five bits select one without bias."""
    return "".join([alphabet[byte & 31] for byte in secrets.token_bytes(length)])

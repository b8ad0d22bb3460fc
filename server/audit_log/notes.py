"""Checkpoints of the log: a C2SP tlog-checkpoint, signed as a C2SP signed note with the time.

Owns: the texts of checkpoints, keys, their replacements, and signatures.
Never: trees, entries or files.
"""

import base64
import hashlib
import re
from collections.abc import Sequence
from dataclasses import dataclass

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey

_PLAIN_TYPE = b"\x01"
"""The type of an Ed25519 signature of a note."""
_TIMED_TYPE = b"\x04"
"""The type of an Ed25519 signature of a note and a time (C2SP tlog-cosignature)."""
_DASH = "\N{EM DASH} "
_REPLACED = "replaced by"
"""The second line of a note about a new key. The second line of a checkpoint is a number."""
PROMISE_SECONDS = 60
"""A checkpoint signed at least this much later includes the promised entry."""
_PROMISE_LINE = re.compile(r"promises entry ([\w-]{1,64})", re.ASCII)
"""The second line of a promise."""
_ID_BYTES = 4
_TIME_BYTES = 8
_HASH_BYTES = 32
_LINES = 3


class BadNote(Exception):
    """A checkpoint or key is malformed, or not signed by a trusted key."""


@dataclass(frozen=True, slots=True)
class Checkpoint:
    """The size and root of a log at one time."""

    origin: str
    """The name of the log: a host and path, such as `approvals.example.com/log`."""
    size: int
    root: bytes

    @property
    def text(self) -> str:
        """The text that is signed."""
        return f"{self.origin}\n{self.size}\n{to_base64(self.root)}\n"


@dataclass(frozen=True, slots=True)
class LogKey:
    """The public key of a log, under the log's name."""

    name: str
    public: bytes
    """The 32 bytes of an Ed25519 key."""

    @property
    def text(self) -> str:
        """The key as one word, in the encoding of signed notes."""
        return f"{self.name}+{self.id(_PLAIN_TYPE).hex()}+{to_base64(_PLAIN_TYPE + self.public)}"

    def id(self, kind: bytes) -> bytes:
        """The first four bytes of the hash of the name, the kind and the key."""
        return hashlib.sha256(f"{self.name}\n".encode() + kind + self.public).digest()[:_ID_BYTES]

    @classmethod
    def read(cls, text: str) -> "LogKey":
        """Read a key from its text. Raises `BadNote`."""
        name, _, suffix = text.strip().partition("+")
        key_id, _, encoded = suffix.partition("+")
        key = _decode_base64(encoded)
        if not name or len(key) != 1 + _HASH_BYTES or key[:1] != _PLAIN_TYPE:
            raise BadNote(
                "This is not the public key of a log. Use the key that `sayso audit key` prints."
            )
        log_key = cls(name, key[1:])
        if key_id != log_key.id(_PLAIN_TYPE).hex():
            raise BadNote("The id in the key of the log does not belong to the key.")
        return log_key


@dataclass(frozen=True, slots=True)
class Promise:
    """The log's promise to include an entry, made when the entry was stored."""

    entry_id: str
    leaf: bytes
    at: int
    """When the entry was stored (s)."""

    @property
    def due(self) -> int:
        """The earliest time (s) of a checkpoint that must include the entry."""
        return self.at + PROMISE_SECONDS


def sign(checkpoint: Checkpoint, seed: bytes, at: int) -> str:
    """Sign a checkpoint twice: without and with the time (s). `seed` is the private key."""
    private = Ed25519PrivateKey.from_private_bytes(seed)
    key = public_key(checkpoint.origin, seed)
    timed = private.sign(_with_time(checkpoint.text, at))
    lines = [
        _line(key, _PLAIN_TYPE, private.sign(checkpoint.text.encode())),
        _line(key, _TIMED_TYPE, at.to_bytes(_TIME_BYTES) + timed),
    ]
    return f"{checkpoint.text}\n{''.join(lines)}"


def replacement(new: LogKey, seed: bytes) -> str:
    """A note, signed with the old private key, that names the new key."""
    return _signed_note(f"{new.name}\n{_REPLACED}\n{new.text}\n", new.name, seed)


def read_replacement(note: str, old: LogKey) -> LogKey:
    """The new key, from a note that the old key signed. Raises `BadNote`."""
    lines = _signed_lines(note, old)
    if len(lines) != _LINES or lines[1] != _REPLACED:
        raise BadNote("It does not name the key that replaces this one.")
    new = LogKey.read(lines[2])
    if new.name != old.name:
        raise BadNote("The new key belongs to a different log.")
    return new


def promise(details: Promise, name: str, seed: bytes) -> str:
    """A note in which the log with this name promises to include an entry."""
    promise_line = f"promises entry {details.entry_id}"
    return _signed_note(
        f"{name}\n{promise_line}\n{to_base64(details.leaf)}\n{details.at}\n", name, seed
    )


def read_promise(note: str, key: LogKey) -> Promise:
    """The promise that this key signed. Raises `BadNote`."""
    _name, promise_line, leaf, at, *extra = [*_signed_lines(note, key), "", "", ""]
    match = _PROMISE_LINE.fullmatch(promise_line)
    if match is None or any(extra) or not (at.isascii() and at.isdecimal()):
        raise BadNote("This is not a promise of a log.")
    return Promise(match[1], _decode_base64(leaf), int(at))


def public_key(name: str, seed: bytes) -> LogKey:
    """The public key that belongs to a private key."""
    return LogKey(name, Ed25519PrivateKey.from_private_bytes(seed).public_key().public_bytes_raw())


def verify(note: str, keys: Sequence[LogKey]) -> tuple[Checkpoint, int]:
    """Read a checkpoint that one of these keys signed; return it and its time (s).

    Raises `BadNote`.
    """
    text, separator, lines = note.partition("\n\n")
    checkpoint = _read(f"{text}\n")
    if not separator or checkpoint.origin not in {key.name for key in keys}:
        raise BadNote("It belongs to a different log, or is not signed.")
    key = next((key for key in keys if _signature(lines, key, _PLAIN_TYPE)), None)
    if key is None:
        raise BadNote("No key that you trust signed it.")
    _check(key, checkpoint.text.encode(), _signature(lines, key, _PLAIN_TYPE))
    timed = _signature(lines, key, _TIMED_TYPE)
    at = int.from_bytes(timed[:_TIME_BYTES])
    _check(key, _with_time(checkpoint.text, at), timed[_TIME_BYTES:])
    return checkpoint, at


def _signed_note(text: str, name: str, seed: bytes) -> str:
    signature = Ed25519PrivateKey.from_private_bytes(seed).sign(text.encode())
    return f"{text}\n{_line(public_key(name, seed), _PLAIN_TYPE, signature)}"


def _signed_lines(note: str, key: LogKey) -> list[str]:
    """The lines of a note of this log, after checking its signature. Raises `BadNote`."""
    text, _, lines = note.partition("\n\n")
    _check(key, f"{text}\n".encode(), _signature(lines, key, _PLAIN_TYPE))
    text_lines = text.split("\n")
    if text_lines[0] != key.name:
        raise BadNote("It belongs to a different log.")
    return text_lines


def _read(text: str) -> Checkpoint:
    origin, size, root, *extra = [*text.split("\n"), "", "", ""][: _LINES + 1]
    checkpoint = Checkpoint(
        origin, int(size) if size.isdecimal() and size.isascii() else -1, _decode_base64(root)
    )
    if any(extra) or checkpoint.text != text or len(checkpoint.root) != _HASH_BYTES:
        raise BadNote(
            "This is not a checkpoint of a log: a name, a size and a root, then signatures."
        )
    return checkpoint


def _signature(lines: str, key: LogKey, kind: bytes) -> bytes:
    """The signature by this key; empty if there is none."""
    prefix = f"{_DASH}{key.name} "
    for line in lines.splitlines():
        signature = _decode_base64(line.removeprefix(prefix)) if line.startswith(prefix) else b""
        if signature[:_ID_BYTES] == key.id(kind):
            return signature[_ID_BYTES:]
    return b""


def _check(key: LogKey, signed: bytes, signature: bytes) -> None:
    try:
        Ed25519PublicKey.from_public_bytes(key.public).verify(signature, signed)
    except InvalidSignature as error:
        raise BadNote("Its signature is invalid.") from error


def _with_time(text: str, at: int) -> bytes:
    return f"cosignature/v1\ntime {at}\n{text}".encode()


def _line(key: LogKey, kind: bytes, signature: bytes) -> str:
    return f"{_DASH}{key.name} {to_base64(key.id(kind) + signature)}\n"


def to_base64(value: bytes) -> str:
    """Encode bytes as Base64 text."""
    return base64.b64encode(value).decode()


def _decode_base64(text: str) -> bytes:
    """Decode Base64; empty if the text is not Base64."""
    try:
        return base64.b64decode(text, validate=True)
    except ValueError:
        return b""

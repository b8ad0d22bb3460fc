"""Checkpoints of the log: C2SP tlog-checkpoint, signed as a C2SP signed note, with the time.

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

_SIGNED = b"\x01"
"""The kind of an Ed25519 signature over a note."""
_TIMED = b"\x04"
"""The kind of an Ed25519 signature over a note and a time (C2SP tlog-cosignature)."""
_DASH = "\N{EM DASH} "
_REPLACED = "replaced by"
"""The second line of a note about a new key; a checkpoint has a number there."""
PROMISE_SECONDS = 60
"""A promised entry is in each checkpoint that is at least this much later."""
_PROMISED = re.compile(r"promises entry ([\w-]{1,64})", re.ASCII)
"""The second line of a promise."""
_ID_BYTES = 4
_TIME_BYTES = 8
_HASH_BYTES = 32
_LINES = 3


class BadNote(Exception):
    """A checkpoint or key is malformed, or nobody who is trusted signed it."""


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
        return f"{self.origin}\n{self.size}\n{_base64(self.root)}\n"


@dataclass(frozen=True, slots=True)
class LogKey:
    """The public key of a log, under the log's name."""

    name: str
    public: bytes
    """The 32 bytes of an Ed25519 key."""

    @property
    def text(self) -> str:
        """The key as one word, in the encoding of signed notes."""
        return f"{self.name}+{self.id(_SIGNED).hex()}+{_base64(_SIGNED + self.public)}"

    def id(self, kind: bytes) -> bytes:
        """The first four bytes of the hash of the name, the kind and the key."""
        return hashlib.sha256(f"{self.name}\n".encode() + kind + self.public).digest()[:_ID_BYTES]

    @classmethod
    def read(cls, text: str) -> "LogKey":
        """Read a key from its text. Raises `BadNote`."""
        name, _, rest = text.strip().partition("+")
        called, _, encoded = rest.partition("+")
        key = _bytes(encoded)
        if not name or len(key) != 1 + _HASH_BYTES or key[:1] != _SIGNED:
            raise BadNote("This is not the public key of a log, which `sayso audit key` prints.")
        read = cls(name, key[1:])
        if called != read.id(_SIGNED).hex():
            raise BadNote("The id in the key of the log does not belong to the key.")
        return read


@dataclass(frozen=True, slots=True)
class Promise:
    """The log's word that an entry is in it, from the moment when the entry was stored."""

    entry_id: str
    leaf: bytes
    at: int
    """When the entry was stored (s)."""

    @property
    def due(self) -> int:
        """The earliest time (s) of a checkpoint that must have the entry."""
        return self.at + PROMISE_SECONDS


def sign(checkpoint: Checkpoint, seed: bytes, at: int) -> str:
    """Sign a checkpoint, once by itself and once with the time (s). `seed` is the private key."""
    private = Ed25519PrivateKey.from_private_bytes(seed)
    key = public_key(checkpoint.origin, seed)
    timed = private.sign(_timed(checkpoint.text, at))
    lines = [
        _line(key, _SIGNED, private.sign(checkpoint.text.encode())),
        _line(key, _TIMED, at.to_bytes(_TIME_BYTES) + timed),
    ]
    return f"{checkpoint.text}\n{''.join(lines)}"


def replacement(new: LogKey, seed: bytes) -> str:
    """A note in which the old private key says which key signs from now on."""
    return _signed_note(f"{new.name}\n{_REPLACED}\n{new.text}\n", new.name, seed)


def replaced(note: str, old: LogKey) -> LogKey:
    """The key that the old one names in its note. Raises `BadNote`."""
    names = _signed_lines(note, old)
    if len(names) != _LINES or names[1] != _REPLACED:
        raise BadNote("It does not say which key replaces this one.")
    new = LogKey.read(names[2])
    if new.name != old.name:
        raise BadNote("The new key is of another log.")
    return new


def promise(given: Promise, name: str, seed: bytes) -> str:
    """A note in which the log of this name promises an entry."""
    words = f"promises entry {given.entry_id}"
    return _signed_note(f"{name}\n{words}\n{_base64(given.leaf)}\n{given.at}\n", name, seed)


def promised(note: str, key: LogKey) -> Promise:
    """The promise that this key signed. Raises `BadNote`."""
    _name, words, leaf, at, *more = [*_signed_lines(note, key), "", "", ""]
    named = _PROMISED.fullmatch(words)
    if named is None or any(more) or not (at.isascii() and at.isdecimal()):
        raise BadNote("This is not a promise of a log.")
    return Promise(named[1], _bytes(leaf), int(at))


def public_key(name: str, seed: bytes) -> LogKey:
    """The public key of a private one."""
    return LogKey(name, Ed25519PrivateKey.from_private_bytes(seed).public_key().public_bytes_raw())


def verify(note: str, keys: Sequence[LogKey]) -> tuple[Checkpoint, int]:
    """Read a checkpoint that one of these keys signed; returns it and its time (s).

    Raises `BadNote`.
    """
    text, separator, lines = note.partition("\n\n")
    checkpoint = _read(f"{text}\n")
    if not separator or checkpoint.origin not in {key.name for key in keys}:
        raise BadNote("It is of another log, or not signed.")
    key = next((key for key in keys if _signature(lines, key, _SIGNED)), None)
    if key is None:
        raise BadNote("No key that you trust signed it.")
    _check(key, checkpoint.text.encode(), _signature(lines, key, _SIGNED))
    timed = _signature(lines, key, _TIMED)
    at = int.from_bytes(timed[:_TIME_BYTES])
    _check(key, _timed(checkpoint.text, at), timed[_TIME_BYTES:])
    return checkpoint, at


def _signed_note(text: str, name: str, seed: bytes) -> str:
    signature = Ed25519PrivateKey.from_private_bytes(seed).sign(text.encode())
    return f"{text}\n{_line(public_key(name, seed), _SIGNED, signature)}"


def _signed_lines(note: str, key: LogKey) -> list[str]:
    """The lines of a note of this log, signed by its key. Raises `BadNote`."""
    text, _, lines = note.partition("\n\n")
    _check(key, f"{text}\n".encode(), _signature(lines, key, _SIGNED))
    found = text.split("\n")
    if found[0] != key.name:
        raise BadNote("It is of another log.")
    return found


def _read(text: str) -> Checkpoint:
    origin, size, root, *more = [*text.split("\n"), "", "", ""][: _LINES + 1]
    read = Checkpoint(
        origin, int(size) if size.isdecimal() and size.isascii() else -1, _bytes(root)
    )
    if any(more) or read.text != text or len(read.root) != _HASH_BYTES:
        raise BadNote(
            "This is not a checkpoint of a log: a name, a size and a root, then signatures."
        )
    return read


def _signature(lines: str, key: LogKey, kind: bytes) -> bytes:
    """The signature of this key; nothing if there is none."""
    begin = f"{_DASH}{key.name} "
    for line in lines.splitlines():
        found = _bytes(line.removeprefix(begin)) if line.startswith(begin) else b""
        if found[:_ID_BYTES] == key.id(kind):
            return found[_ID_BYTES:]
    return b""


def _check(key: LogKey, signed: bytes, signature: bytes) -> None:
    try:
        Ed25519PublicKey.from_public_bytes(key.public).verify(signature, signed)
    except InvalidSignature as error:
        raise BadNote("Its signature is invalid.") from error


def _timed(text: str, at: int) -> bytes:
    return f"cosignature/v1\ntime {at}\n{text}".encode()


def _line(key: LogKey, kind: bytes, signature: bytes) -> str:
    return f"{_DASH}{key.name} {_base64(key.id(kind) + signature)}\n"


def _base64(value: bytes) -> str:
    return base64.b64encode(value).decode()


def _bytes(text: str) -> bytes:
    """The bytes of Base64; nothing if it is not Base64."""
    try:
        return base64.b64decode(text, validate=True)
    except ValueError:
        return b""

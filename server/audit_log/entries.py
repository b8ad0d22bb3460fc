"""The bytes and the leaf hash of an entry, and its commitments to personal texts.

The bytes are canonical JSON (RFC 8785) and are stored unchanged. A commitment is an HMAC of the
text with its own salt. Text and salt are stored separately, so that they can be erased.

For ASCII text and integers, the standard library's encoder returns the same bytes as rfc8785 and
is several times faster.
"""

import hashlib
import hmac
import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

import rfc8785

VERSION = 1
ERASED: Final = "erased"
"""What an entry shows in place of an erased text."""
CHANGED: Final = "changed outside of Sayso"
"""What an entry shows in place of a text that does not match its commitment."""
_LEAF_PREFIX = b"\x00"
_MAX_INTEGER = 2**53 - 1
_WRITER = json.JSONEncoder(separators=(",", ":"), ensure_ascii=False, sort_keys=True)


@dataclass(frozen=True, slots=True)
class Opening:
    """A personal text, and the salt of its commitment."""

    text: str
    salt: bytes

    @property
    def commitment(self) -> str:
        """HMAC-SHA256 of the text with the salt as key, in hexadecimal."""
        return hmac.digest(self.salt, self.text.encode(), "sha256").hex()


def entry_bytes(members: Mapping[str, Any]) -> bytes:
    """The RFC 8785 bytes of an entry, without members that are None."""
    present = {name: value for name, value in members.items() if value is not None}
    return canonical({"v": VERSION, **present})


def leaf_hash(body: bytes) -> bytes:
    """SHA-256 of a zero byte and the entry's bytes (RFC 6962 2.1)."""
    return hashlib.sha256(_LEAF_PREFIX + body).digest()


def commit_facts(
    facts: Mapping[str, object], openings: Mapping[str, Opening]
) -> dict[str, Mapping[str, object] | None]:
    """The facts of an entry as members of its bytes: commitments in place of personal texts."""
    clear = {name: value for name, value in facts.items() if name not in openings}
    commitments = {name: opening.commitment for name, opening in openings.items()}
    return {"facts": clear or None, "committed": commitments or None}


def open_members(body: bytes, openings: Mapping[str, Opening]) -> dict[str, Any]:
    """The members of an entry, with its personal texts as facts; `erased` names missing ones."""
    members: dict[str, Any] = json.loads(body or b"{}")
    commitments = members.get("committed")
    if not commitments:
        return members
    texts = {name: _text(value, openings.get(name)) for name, value in commitments.items()}
    erased = sorted(commitments.keys() - openings.keys())
    facts = {**members.get("facts", {}), **texts}
    return {**members, "facts": facts, **({"erased": erased} if erased else {})}


def _text(commitment: str, opening: Opening | None) -> str:
    if opening is None:
        return ERASED
    return opening.text if opening.commitment == commitment else CHANGED


def canonical(document: Any) -> bytes:  # noqa: ANN401  # JSON
    """The canonical bytes. Raises rfc8785.CanonicalizationError if it is not JSON."""
    return _WRITER.encode(document).encode() if _is_plain(document) else rfc8785.dumps(document)


def _is_plain(value: object) -> bool:
    if isinstance(value, str):
        return value.isascii()
    if isinstance(value, dict):
        return all(map(_is_name, value)) and all(map(_is_plain, value.values()))
    if isinstance(value, list):
        return all(map(_is_plain, value))
    if isinstance(value, int):
        return -_MAX_INTEGER <= value <= _MAX_INTEGER
    return value is None


def _is_name(name: object) -> bool:
    return isinstance(name, str) and name.isascii()

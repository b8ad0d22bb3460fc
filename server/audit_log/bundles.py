"""Bundles: a log in one file of JSON lines, with entries and checkpoints in log order.

Owns: the lines of the file. Never: checking whether they are true.
"""

import json
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, Final

from server.audit_log.entries import Opening, leaf_hash, open_members

FORMAT: Final = "sayso-audit-bundle/1"


class BadBundle(Exception):
    """The file is not a bundle."""


@dataclass(frozen=True, slots=True)
class LoggedEntry:
    """An entry at its position in the log."""

    seq: int
    """The position in the log; the first entry has 0."""
    body: bytes
    """The exact bytes that were hashed; empty if retention deleted them."""
    leaf: bytes
    openings: Mapping[str, Opening] = field(default_factory=dict)
    """The personal texts of the entry that were not erased."""

    @property
    def members(self) -> dict[str, Any]:
        """The members of the entry with its personal texts."""
        return open_members(self.body, self.openings)

    @property
    def hash(self) -> bytes:
        """The hash of the body; the stored hash if the body was deleted."""
        return leaf_hash(self.body) if self.body else self.leaf


@dataclass(frozen=True, slots=True)
class SignedCheckpoint:
    """A signed checkpoint, and the size of the log that it covers."""

    size: int
    note: str


Line = LoggedEntry | SignedCheckpoint


def write(origin: str, lines: Iterable[Line]) -> Iterator[str]:
    """The lines of a bundle."""
    yield _line(format=FORMAT, origin=origin)
    for line in lines:
        if isinstance(line, LoggedEntry):
            openings = line.openings.items()
            texts = {name: [opening.text, opening.salt.hex()] for name, opening in openings}
            more = {"openings": texts} if texts else {}
            yield _line(seq=line.seq, entry=line.body.decode(), leaf=line.leaf.hex(), **more)
        else:
            yield _line(size=line.size, checkpoint=line.note)


def read(lines: Iterable[str]) -> Iterator[Line]:
    """Read the entries and checkpoints of a bundle. Raises `BadBundle`, which names the line."""
    numbered = enumerate(lines, 1)
    _number, first = next(numbered, (1, ""))
    if not is_header(first):
        raise BadBundle(f'Line 1 must be {{"format": "{FORMAT}"}}, as `sayso audit export` writes.')
    for number, line in numbered:
        yield _read(number, _document(number, line))


def _read(number: int, members: dict[str, Any]) -> Line:
    try:
        if "checkpoint" in members:
            return SignedCheckpoint(int(members["size"]), str(members["checkpoint"]))
        leaf, texts = bytes.fromhex(members["leaf"]), members.get("openings", {}).items()
        openings = {name: Opening(str(text), bytes.fromhex(salt)) for name, (text, salt) in texts}
        return LoggedEntry(int(members["seq"]), str(members["entry"]).encode(), leaf, openings)
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        message = f"Line {number} must have seq, entry and leaf, or size and checkpoint."
        raise BadBundle(message) from error


def is_header(line: str) -> bool:
    """Return whether this is the first line of a bundle."""
    try:
        return bool(json.loads(line).get("format") == FORMAT)
    except (ValueError, AttributeError):
        return False


def _document(number: int, line: str) -> dict[str, Any]:
    try:
        document = json.loads(line)
    except ValueError as error:
        raise BadBundle(f"Line {number} is not JSON.") from error
    if not isinstance(document, dict):
        raise BadBundle(f"Line {number} is not a JSON object.")
    return document


def _line(**members: object) -> str:
    return json.dumps(members, separators=(",", ":"))

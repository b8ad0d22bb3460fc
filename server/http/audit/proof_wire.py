"""Checkpoints of the audit log and proofs as JSON. Hashes are Base64, as in C2SP tlog-proof."""

import base64
from collections.abc import Iterable

from pydantic import BaseModel

from server.audit_log.notes import LogKey
from server.audit_log.proofs import Proof
from server.services.audit.log import Consistency, Replacement


class ConsistencyProof(BaseModel):
    """A proof that the log of `old_size` is the beginning of the one in `checkpoint` (RFC 9162).

    `hashes` is empty if `size` is smaller, because the log has lost entries then.
    """

    old_size: int
    size: int
    hashes: list[str]
    checkpoint: str


class InclusionProof(BaseModel):
    """A proof that an entry is at `index` of the log in `checkpoint` (RFC 9162)."""

    index: int
    hashes: list[str]
    checkpoint: str


class KeyReplacement(BaseModel):
    """A key of the log, and the note in which the key before it names it; null if that was lost."""

    log_key: str
    note: str | None


class LogKeys(BaseModel):
    """The public key of the log, and every key that replaced another one, oldest first."""

    log_key: str
    replacements: list[KeyReplacement]


def consistency(found: Consistency) -> ConsistencyProof:
    """A consistency proof as JSON."""
    return ConsistencyProof(
        old_size=found.old_size,
        size=found.size,
        hashes=_hashes(found.hashes),
        checkpoint=found.checkpoint,
    )


def inclusion(proof: Proof) -> InclusionProof:
    """An inclusion proof as JSON, without the entry."""
    return InclusionProof(
        index=proof.seq, hashes=_hashes(proof.hashes), checkpoint=proof.checkpoint
    )


def keys(key: LogKey, replacements: Iterable[Replacement]) -> LogKeys:
    """The keys as JSON."""
    return LogKeys(
        log_key=key.text,
        replacements=[
            KeyReplacement(log_key=replacement.log_key, note=replacement.note)
            for replacement in replacements
        ],
    )


def _hashes(hashes: Iterable[bytes]) -> list[str]:
    return [base64.b64encode(digest).decode() for digest in hashes]

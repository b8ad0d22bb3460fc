"""Endpoints for checkpoints and proofs of the audit log, for everyone who is signed in.

They reveal nothing about the entries, except the index of an entry whose id the caller knows.
"""

import base64
import re
from collections.abc import Iterable
from typing import Final

from pydantic import BaseModel

from server.audit_log.notes import LogKey
from server.audit_log.proofs import Proof
from server.http.route import NO_STORE, HttpRequest, HttpResponse, own
from server.http.site import Site
from server.protocol import errors
from server.services.audit.log import Consistency, Replacement


class ConsistencyProof(BaseModel):
    """A proof that the log of `old_size` is a prefix of the log in `checkpoint` (RFC 9162).

    If `size` is smaller than `old_size`, the log lost entries, and `hashes` is empty.
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
    """A key of the log, and the note in which the previous key names it, if it is known."""

    log_key: str
    note: str | None


class LogKeys(BaseModel):
    """The public key of the log, and every replacement of a key, oldest first."""

    log_key: str
    replacements: list[KeyReplacement]


def _consistency(record: Consistency) -> ConsistencyProof:
    """A consistency proof as JSON."""
    return ConsistencyProof(
        old_size=record.old_size,
        size=record.size,
        hashes=_hashes(record.hashes),
        checkpoint=record.checkpoint,
    )


def _inclusion(proof: Proof) -> InclusionProof:
    """An inclusion proof as JSON, without the entry."""
    return InclusionProof(
        index=proof.seq, hashes=_hashes(proof.hashes), checkpoint=proof.checkpoint
    )


def _keys(key: LogKey, replacements: Iterable[Replacement]) -> LogKeys:
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


_SIZE: Final = re.compile(r"[0-9]{1,15}")
_NOTE: Final = {"Content-Type": "text/plain; charset=utf-8", **NO_STORE}


@own("GET /api/audit/checkpoint", errors=(409,))
def checkpoint(site: Site) -> HttpResponse:
    """Get the newest signed checkpoint of the audit log, as text."""
    return HttpResponse(200, site.audit_log.newest().encode(), _NOTE)


@own("GET /api/audit/consistency", query=("from",), errors=(409, 422))
def consistency(site: Site, request: HttpRequest) -> ConsistencyProof:
    """Get a proof that the current audit log extends an older one."""
    return _consistency(site.audit_log.consistency(_size(request, "from")))


@own("GET /api/audit/<id>/inclusion", query=("size",), errors=(404, 409, 422))
def inclusion(site: Site, request: HttpRequest, record_id: str) -> InclusionProof:
    """Get a proof that an entry is in the audit log, or in a checkpoint of a given size."""
    size = _size(request, "size") if "size" in request.query else None
    return _inclusion(site.audit_log.prove(record_id, size))


@own("GET /api/audit/keys")
def keys(site: Site) -> LogKeys:
    """Get the public keys of the audit log."""
    log = site.audit_log
    return _keys(log.key, log.replacements())


def _size(request: HttpRequest, name: str) -> int:
    text = request.query.get(name, "")
    if not _SIZE.fullmatch(text):
        raise errors.invalid_body(f"{name} must be the size of a checkpoint.")
    return int(text)

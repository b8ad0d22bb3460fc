"""Endpoints for checkpoints and proofs of the audit log, for every signed-in user.

They reveal nothing about the entries, except the index of an entry whose ID the caller knows.
"""

import base64
import re
from collections.abc import Iterable
from dataclasses import asdict
from typing import Final

from pydantic import BaseModel

from server.http.route import NO_STORE, HttpRequest, HttpResponse, own
from server.http.site import Site
from server.protocol import errors


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
    """A key of the log, and the note of the previous key that names it, if it is known."""

    log_key: str
    note: str | None


class LogKeys(BaseModel):
    """The public key of the log, and all replacements, oldest first."""

    log_key: str
    replacements: list[KeyReplacement]


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
    proof = site.audit_log.consistency(_size(request, "from"))
    return ConsistencyProof(**{**asdict(proof), "hashes": _hashes(proof.hashes)})


@own("GET /api/audit/keys")
def keys(site: Site) -> LogKeys:
    """Get the public keys of the audit log."""
    log = site.audit_log
    replacements = [KeyReplacement(**asdict(replacement)) for replacement in log.replacements()]
    return LogKeys(log_key=log.key.text, replacements=replacements)


@own("GET /api/audit/<id>/inclusion", query=("size",), errors=(404, 409, 422))
def inclusion(site: Site, request: HttpRequest, record_id: str) -> InclusionProof:
    """Get a proof that an entry is in the audit log, or in a checkpoint of a given size."""
    size = _size(request, "size") if "size" in request.query else None
    proof = site.audit_log.prove(record_id, size)
    return InclusionProof(
        index=proof.seq, hashes=_hashes(proof.hashes), checkpoint=proof.checkpoint
    )


def _size(request: HttpRequest, name: str) -> int:
    text = request.query.get(name, "")
    if not _SIZE.fullmatch(text):
        raise errors.invalid_body(f"{name} must be the size of a checkpoint.")
    return int(text)

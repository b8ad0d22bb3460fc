"""Endpoints with checkpoints of the audit log and proofs, for everybody who is signed in.

They tell nothing about the entries, except that an id has a place.
"""

import re
from typing import Final

from server.http.audit import proof_wire as wire
from server.http.route import NO_STORE, HttpRequest, HttpResponse
from server.http.site import Site
from server.protocol import errors
from server.services.users.device_auth import Person

_SIZE: Final = re.compile(r"[0-9]{1,15}")
_NOTE: Final = {"Content-Type": "text/plain; charset=utf-8", **NO_STORE}


def checkpoint(site: Site, _request: HttpRequest, _person: Person) -> HttpResponse:
    """GET /api/audit/checkpoint: the newest one, as its signed note."""
    return HttpResponse(200, site.audit_log.newest().encode(), _NOTE)


def consistency(site: Site, request: HttpRequest, _person: Person) -> wire.ConsistencyProof:
    """GET /api/audit/consistency?from=SIZE."""
    return wire.consistency(site.audit_log.consistency(_size(request, "from")))


def inclusion(site: Site, request: HttpRequest, _person: Person) -> wire.InclusionProof:
    """GET /api/audit/<id>/inclusion?size=SIZE: in the checkpoint of this size, or the newest."""
    size = _size(request, "size") if "size" in request.query else None
    return wire.inclusion(site.audit_log.prove(request.params["id"], size))


def keys(site: Site, _request: HttpRequest, _person: Person) -> wire.LogKeys:
    """GET /api/audit/keys."""
    log = site.audit_log
    return wire.keys(log.key, log.replacements())


def _size(request: HttpRequest, name: str) -> int:
    text = request.query.get(name, "")
    if not _SIZE.fullmatch(text):
        raise errors.Problem(422, "invalid_body", f"{name} must be the size of a checkpoint.")
    return int(text)

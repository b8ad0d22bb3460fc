"""Endpoints with checkpoints of the audit log and proofs, for everybody who is signed in.

They tell nothing about the entries, except that an id has a place.
"""

import re
from typing import Final

from server.http.audit import proof_wire as wire
from server.http.route import NO_STORE, HttpRequest, HttpResponse, own
from server.http.site import Site
from server.protocol import errors
from server.services.users.device_auth import Person

_SIZE: Final = re.compile(r"[0-9]{1,15}")
_NOTE: Final = {"Content-Type": "text/plain; charset=utf-8", **NO_STORE}


def checkpoint(site: Site, _request: HttpRequest, _person: Person) -> HttpResponse:
    """GET /api/audit/checkpoint: the newest one, as its signed note."""
    return HttpResponse(200, site.audit_log.newest().encode(), _NOTE)


@own("GET /api/audit/consistency", query=("from",), errors=(409, 422))
def consistency(site: Site, request: HttpRequest, _person: Person) -> wire.ConsistencyProof:
    """Get a proof that an older audit log is the beginning of the current one."""
    size = request.query.get("from", "")
    if not _SIZE.fullmatch(size):
        raise errors.invalid_body("from must be the size of a checkpoint.")
    return wire.consistency(site.audit_log.consistency(int(size)))


@own("GET /api/audit/<id>/inclusion", errors=(404, 409))
def inclusion(site: Site, request: HttpRequest, _person: Person) -> wire.InclusionProof:
    """Get a proof that an entry is in the audit log."""
    return wire.inclusion(site.audit_log.prove(request.params["id"]))


@own("GET /api/audit/keys")
def keys(site: Site, _request: HttpRequest, _person: Person) -> wire.LogKeys:
    """Get the public keys of the audit log."""
    log = site.audit_log
    return wire.keys(log.key, log.replacements())

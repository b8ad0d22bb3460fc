"""Our signing keys."""

from server.http import admin_bodies as bodies
from server.http import admin_documents as documents
from server.http import admin_wire as wire
from server.http.message import HttpRequest, HttpResponse, as_json
from server.http.site import Site
from server.http.wire import read
from server.services.administration import Desk


def listed(_site: Site, _request: HttpRequest, desk: Desk) -> HttpResponse:
    """GET /api/keys."""
    items = [documents.key(key) for key in desk.keys.all()]
    return as_json(200, wire.ManagedKeys(items=items).model_dump())


def rotate(_site: Site, request: HttpRequest, desk: Desk) -> HttpResponse:
    """POST /api/keys: a new key of this algorithm signs from now on."""
    body = read(bodies.KeyRotation, request.body)
    return as_json(201, documents.rotated(desk.keys.rotate(body.alg, by=desk.by)).model_dump())


def revoke(_site: Site, request: HttpRequest, desk: Desk) -> HttpResponse:
    """POST /api/keys/<id>/revoke: nothing that it signed counts any more."""
    revoked = desk.keys.revoke(request.params["id"], by=desk.by)
    new = None if revoked.replaced_by is None else documents.key(revoked.replaced_by)
    answer = wire.RevokedKey(kid=revoked.kid, alg=revoked.alg, replaced_by=new)
    return as_json(200, answer.model_dump())

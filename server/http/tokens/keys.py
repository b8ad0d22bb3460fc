"""Endpoints for signing keys."""

from server.http.message import HttpRequest, HttpResponse, as_json
from server.http.site import Site
from server.http.tokens import key_wire
from server.http.wire import read
from server.services.operations.administration import AdminServices


def listed(_site: Site, _request: HttpRequest, admin: AdminServices) -> HttpResponse:
    """GET /api/keys."""
    items = [key_wire.key(key) for key in admin.keys.all()]
    return as_json(200, key_wire.ManagedKeys(items=items).model_dump())


def rotate(_site: Site, request: HttpRequest, admin: AdminServices) -> HttpResponse:
    """POST /api/keys: create a key of this algorithm and sign with it."""
    body = read(key_wire.KeyRotation, request.body)
    return as_json(201, key_wire.rotated(admin.keys.rotate(body.alg, by=admin.by)).model_dump())


def revoke(_site: Site, request: HttpRequest, admin: AdminServices) -> HttpResponse:
    """POST /api/keys/<id>/revoke."""
    revoked = admin.keys.revoke(request.params["id"], by=admin.by)
    new = None if revoked.replaced_by is None else key_wire.key(revoked.replaced_by)
    answer = key_wire.RevokedKey(kid=revoked.kid, alg=revoked.alg, replaced_by=new)
    return as_json(200, answer.model_dump())

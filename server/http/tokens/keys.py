"""Our signing keys."""

from server.http.message import HttpRequest, HttpResponse, as_json
from server.http.site import Site
from server.http.tokens import key_wire
from server.http.wire import read
from server.services.operations.administration import AdminServices


def listed(_site: Site, _request: HttpRequest, desk: AdminServices) -> HttpResponse:
    """GET /api/keys."""
    items = [key_wire.key(key) for key in desk.keys.all()]
    return as_json(200, key_wire.ManagedKeys(items=items).model_dump())


def rotate(_site: Site, request: HttpRequest, desk: AdminServices) -> HttpResponse:
    """POST /api/keys: a new key of this algorithm signs from now on."""
    body = read(key_wire.KeyRotation, request.body)
    return as_json(201, key_wire.rotated(desk.keys.rotate(body.alg, by=desk.by)).model_dump())


def revoke(_site: Site, request: HttpRequest, desk: AdminServices) -> HttpResponse:
    """POST /api/keys/<id>/revoke: nothing that it signed counts any more."""
    revoked = desk.keys.revoke(request.params["id"], by=desk.by)
    new = None if revoked.replaced_by is None else key_wire.key(revoked.replaced_by)
    answer = key_wire.RevokedKey(kid=revoked.kid, alg=revoked.alg, replaced_by=new)
    return as_json(200, answer.model_dump())

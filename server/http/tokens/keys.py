"""Endpoints for signing keys."""

from typing import Final

from server.http.route import HttpRequest, managed
from server.http.site import Site
from server.http.tokens import key_wire as wire
from server.services.operations.administration import AdminServices


@managed("GET /api/keys")
def listed(_site: Site, _request: HttpRequest, admin: AdminServices) -> wire.ManagedKeys:
    """List signing keys, newest first."""
    items = [wire.key(key) for key in admin.keys.all()]
    return wire.ManagedKeys(items=items)


@managed("POST /api/keys", status=201, signed=True)
def rotate(
    _site: Site, _request: HttpRequest, admin: AdminServices, body: wire.KeyRotation
) -> wire.RotatedKey:
    """Create a new signing key and use it."""
    return wire.rotated(admin.keys.rotate(body.alg, by=admin.by))


@managed("POST /api/keys/<id>/revoke")
def revoke(_site: Site, request: HttpRequest, admin: AdminServices) -> wire.RevokedKey:
    """Revoke a leaked signing key immediately."""
    revoked = admin.keys.revoke(request.params["id"], by=admin.by)
    new = None if revoked.replaced_by is None else wire.key(revoked.replaced_by)
    return wire.RevokedKey(kid=revoked.kid, alg=revoked.alg, replaced_by=new)


KEY_ROUTES: Final = (listed, rotate, revoke)

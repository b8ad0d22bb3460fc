"""Endpoints for signing keys."""

from typing import Final

from server.http.route import HttpRequest, managed
from server.http.site import Site
from server.http.tokens import key_wire as wire
from server.services.operations.administration import AdminServices


def listed(_site: Site, _request: HttpRequest, admin: AdminServices) -> wire.ManagedKeys:
    """GET /api/keys."""
    items = [wire.key(key) for key in admin.keys.all()]
    return wire.ManagedKeys(items=items)


def rotate(
    _site: Site, _request: HttpRequest, admin: AdminServices, body: wire.KeyRotation
) -> wire.RotatedKey:
    """POST /api/keys: create a key of this algorithm and sign with it."""
    return wire.rotated(admin.keys.rotate(body.alg, by=admin.by))


def revoke(_site: Site, request: HttpRequest, admin: AdminServices) -> wire.RevokedKey:
    """POST /api/keys/<id>/revoke."""
    revoked = admin.keys.revoke(request.params["id"], by=admin.by)
    new = None if revoked.replaced_by is None else wire.key(revoked.replaced_by)
    return wire.RevokedKey(kid=revoked.kid, alg=revoked.alg, replaced_by=new)


KEY_ROUTES: Final = (
    managed("GET /api/keys", listed, "List signing keys, newest first."),
    managed(
        "POST /api/keys",
        rotate,
        "Create a new signing key and use it.",
        status=201,
        signed=True,
    ),
    managed("POST /api/keys/<id>/revoke", revoke, "Revoke a leaked signing key immediately."),
)

"""Endpoints to administer resources."""

from typing import Final

from server.http import listing
from server.http.members import written
from server.http.resources import resource_wire as wire
from server.http.route import HttpRequest, managed
from server.http.site import Site
from server.http.wire import Rotation
from server.services.operations.administration import AdminServices
from server.services.resources.resource_members import RESOURCE_MEMBERS
from server.services.resources.resources import ResourceChanges


def listed(_site: Site, request: HttpRequest, admin: AdminServices) -> wire.ManagedResources:
    """GET /api/resources."""
    part = admin.resources.page(listing.cursor(request), listing.limit(request))
    return listing.page(wire.ManagedResources, part, wire.resource)


def add(
    _site: Site, _request: HttpRequest, admin: AdminServices, body: wire.NewResource
) -> wire.ResourceWithSecret:
    """POST /api/resources."""
    given = admin.resources.add(**written(RESOURCE_MEMBERS, body), by=admin.by)
    return wire.resource_secret(given)


def show(_site: Site, request: HttpRequest, admin: AdminServices) -> wire.ManagedResource:
    """GET /api/resources/<id>."""
    return wire.resource(admin.resources.by_id(request.params["id"]))


def update(
    _site: Site, request: HttpRequest, admin: AdminServices, body: wire.ResourceChanges
) -> wire.ManagedResource:
    """PATCH /api/resources/<id>."""
    changes = ResourceChanges(remove_scopes=body.remove_scopes, **written(RESOURCE_MEMBERS, body))
    uri = admin.resources.by_id(request.params["id"]).uri
    return wire.resource(admin.resources.update(uri, changes, by=admin.by))


def rotate(
    _site: Site, request: HttpRequest, admin: AdminServices, body: Rotation
) -> wire.ResourceWithSecret:
    """POST /api/resources/<id>/secret."""
    uri = admin.resources.by_id(request.params["id"]).uri
    given = admin.resources.rotate_secret(uri, by=admin.by, overlap_ms=body.overlap * 1000)
    return wire.resource_secret(given)


def delete(_site: Site, request: HttpRequest, admin: AdminServices) -> wire.DeletedResource:
    """DELETE /api/resources/<id>: returns the items revoked with it."""
    uri = admin.resources.by_id(request.params["id"]).uri
    deleted = admin.resources.delete(uri, by=admin.by)
    return wire.DeletedResource(
        uri=uri,
        tokens_revoked=deleted.tokens_revoked,
        requests_cancelled=deleted.requests_cancelled,
        agents_narrowed=list(deleted.agents_narrowed),
        apps_narrowed=list(deleted.apps_narrowed),
    )


RESOURCE_ROUTES: Final = (
    managed("GET /api/resources", listed, "List resources by URI.", query=listing.QUERY),
    managed(
        "POST /api/resources",
        add,
        "Register a resource. Its secret is shown once.",
        status=201,
        signed=True,
    ),
    managed("GET /api/resources/<id>", show, "Get one resource."),
    managed(
        "PATCH /api/resources/<id>",
        update,
        "Change the scopes, risks and required action types of a resource.",
        versioned=True,
    ),
    managed(
        "POST /api/resources/<id>/secret",
        rotate,
        "Create a new secret, shown once. The old one works for the overlap.",
    ),
    managed(
        "DELETE /api/resources/<id>",
        delete,
        "Delete a resource. Returns the items revoked with it.",
    ),
)

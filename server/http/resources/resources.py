"""Endpoints to administer resources."""

from server.http import listing
from server.http.members import written
from server.http.resources import resource_wire as wire
from server.http.route import HttpRequest, managed
from server.http.wire import Rotation
from server.services.operations.administration import AdminServices
from server.services.resources.resource_members import RESOURCE_MEMBERS
from server.services.resources.resources import ResourceChanges


@managed("GET /api/resources", query=listing.QUERY)
def list_resources(request: HttpRequest, admin: AdminServices) -> wire.ManagedResources:
    """List resources by URI."""
    part = admin.resources.page(listing.cursor(request), listing.limit(request))
    return listing.page(wire.ManagedResources, part, wire.resource)


@managed("POST /api/resources", status=201, signed=True)
def add(admin: AdminServices, body: wire.NewResource) -> wire.ResourceWithSecret:
    """Register a resource. Its secret is shown once."""
    issued = admin.resources.add(**written(RESOURCE_MEMBERS, body), by=admin.by)
    return wire.resource_secret(issued)


@managed("GET /api/resources/<id>")
def show(admin: AdminServices, record_id: str) -> wire.ManagedResource:
    """Get one resource."""
    return wire.resource(admin.resources.by_id(record_id))


@managed("PATCH /api/resources/<id>", versioned=True)
def update(
    admin: AdminServices, record_id: str, body: wire.ResourceChanges
) -> wire.ManagedResource:
    """Change the scopes, risks and required action types of a resource."""
    changes = ResourceChanges(remove_scopes=body.remove_scopes, **written(RESOURCE_MEMBERS, body))
    uri = admin.resources.by_id(record_id).uri
    return wire.resource(admin.resources.update(uri, changes, by=admin.by))


@managed("POST /api/resources/<id>/secret")
def rotate(admin: AdminServices, record_id: str, body: Rotation) -> wire.ResourceWithSecret:
    """Create a new secret, shown once. The old one works for the overlap."""
    uri = admin.resources.by_id(record_id).uri
    issued = admin.resources.rotate_secret(uri, by=admin.by, overlap_ms=body.overlap * 1000)
    return wire.resource_secret(issued)


@managed("DELETE /api/resources/<id>")
def delete(admin: AdminServices, record_id: str) -> wire.DeletedResource:
    """Delete a resource. Returns the items revoked with it."""
    uri = admin.resources.by_id(record_id).uri
    deleted = admin.resources.delete(uri, by=admin.by)
    return wire.DeletedResource(
        uri=uri,
        tokens_revoked=deleted.tokens_revoked,
        requests_cancelled=deleted.requests_cancelled,
        agents_narrowed=list(deleted.agents_narrowed),
        apps_narrowed=list(deleted.apps_narrowed),
    )

"""Endpoints to administer resources."""

from pydantic import BaseModel, Field

from server.http import listing, members
from server.http.members import (
    answer_fields,
    change_fields,
    new_fields,
    submitted_members,
    with_fields,
)
from server.http.route import HttpRequest, managed
from server.http.wire import (
    ClientSecret,
    Listed,
    Names,
    RecordResponse,
    Rotation,
    StrictBody,
    Time,
)
from server.model.resources import Resource
from server.protocol import names
from server.services.operations import power
from server.services.operations.administration import AdminServices
from server.services.resources.resource_members import RESOURCE_MEMBERS
from server.services.resources.resources import NewResourceSecret
from server.services.resources.resources import ResourceChanges as Changes


@with_fields(new_fields(RESOURCE_MEMBERS))
class NewResource(StrictBody):
    """A resource with its scopes, their risks, and the required action types."""


@with_fields(change_fields(RESOURCE_MEMBERS))
class ResourceChanges(StrictBody):
    """The scopes to add, change or remove, and the required action types.

    An empty string removes the requirement. A `token_seconds` of null uses the default.
    """

    remove_scopes: Names = Field(default=[])


@with_fields(answer_fields(RESOURCE_MEMBERS))
class ManagedResource(RecordResponse):
    """A resource, as administrators see it."""

    id: str
    client_id: str
    secrets: list[ClientSecret]
    created_at: Time
    version: str


class ManagedResources(Listed[ManagedResource]):
    """A page of the list of resources."""


class ResourceWithSecret(BaseModel):
    """A resource with its secret, which is shown once."""

    resource: ManagedResource
    client_secret: str


class DeletedResource(RecordResponse):
    """What was revoked with a resource."""

    uri: str
    tokens_revoked: int
    requests_cancelled: int
    agents_narrowed: list[str]
    apps_narrowed: list[str]


def document(record: Resource) -> ManagedResource:
    """Return a resource as JSON."""
    return ManagedResource.of(
        record,
        id=names.name_id(record.uri),
        version=power.version(record),
        **members.response_members(RESOURCE_MEMBERS, record),
    )


def _with_secret(new_resource_secret: NewResourceSecret) -> ResourceWithSecret:
    """Return a resource and its new secret as JSON."""
    return ResourceWithSecret(
        resource=document(new_resource_secret.resource), client_secret=new_resource_secret.secret
    )


@managed("GET /api/resources", query=listing.QUERY)
def list_resources(request: HttpRequest, admin: AdminServices) -> ManagedResources:
    """List resources by URI."""
    part = admin.resources.page(listing.cursor(request), listing.limit(request))
    return listing.page(ManagedResources, part, document)


@managed("POST /api/resources", status=201, signed=True)
def add(admin: AdminServices, body: NewResource) -> ResourceWithSecret:
    """Register a resource. Its secret is shown once."""
    issued = admin.resources.add(**submitted_members(RESOURCE_MEMBERS, body), by=admin.by)
    return _with_secret(issued)


@managed("GET /api/resources/<id>")
def show(admin: AdminServices, record_id: str) -> ManagedResource:
    """Get one resource."""
    return document(admin.resources.by_id(record_id))


@managed("PATCH /api/resources/<id>", versioned=True)
def update(admin: AdminServices, record_id: str, body: ResourceChanges) -> ManagedResource:
    """Change the scopes, risks and required action types of a resource."""
    changes = Changes(remove_scopes=body.remove_scopes, **submitted_members(RESOURCE_MEMBERS, body))
    uri = admin.resources.by_id(record_id).uri
    return document(admin.resources.update(uri, changes, by=admin.by))


@managed("POST /api/resources/<id>/secret")
def rotate(admin: AdminServices, record_id: str, body: Rotation) -> ResourceWithSecret:
    """Create a new secret, shown once. The old one works for the overlap."""
    uri = admin.resources.by_id(record_id).uri
    issued = admin.resources.rotate_secret(uri, by=admin.by, overlap_ms=body.overlap * 1000)
    return _with_secret(issued)


@managed("DELETE /api/resources/<id>")
def delete(admin: AdminServices, record_id: str) -> DeletedResource:
    """Delete a resource. Returns the items revoked with it."""
    uri = admin.resources.by_id(record_id).uri
    return DeletedResource.of(admin.resources.delete(uri, by=admin.by), uri=uri)

"""Resources as JSON."""

from pydantic import BaseModel, Field

from server.http import members
from server.http.members import answer_fields, change_fields, new_fields, with_fields
from server.http.wire import ClientSecret, Listed, Names, StrictBody, secret
from server.model.resources import Resource
from server.protocol import names
from server.services.operations import power
from server.services.policy.displays import rfc3339
from server.services.resources.resource_members import RESOURCE_MEMBERS
from server.services.resources.resources import NewResourceSecret


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
class ManagedResource(BaseModel):
    """A resource, as administrators see it."""

    id: str
    client_id: str
    secrets: list[ClientSecret]
    created_at: str
    version: str


class ManagedResources(Listed[ManagedResource]):
    """A page of the list of resources."""


class ResourceWithSecret(BaseModel):
    """A resource with its secret, which is shown once."""

    resource: ManagedResource
    client_secret: str


class DeletedResource(BaseModel):
    """What was revoked with a resource."""

    uri: str
    tokens_revoked: int
    requests_cancelled: int
    agents_narrowed: list[str]
    apps_narrowed: list[str]


def resource(record: Resource) -> ManagedResource:
    """Return a resource as JSON."""
    return ManagedResource(
        id=names.name_id(record.uri),
        client_id=record.client_id,
        secrets=[secret(stored) for stored in record.secrets],
        created_at=rfc3339(record.created_at),
        version=power.version(record),
        **members.response_members(RESOURCE_MEMBERS, record),
    )


def resource_secret(new_resource_secret: NewResourceSecret) -> ResourceWithSecret:
    """Return a resource and its new secret as JSON."""
    return ResourceWithSecret(
        resource=resource(new_resource_secret.resource), client_secret=new_resource_secret.secret
    )

"""Resources as JSON."""

from pydantic import BaseModel, Field

from server.http.wire import ClientSecret, Names, RiskWord, StrictBody, Url, secret
from server.model.resources import Resource
from server.protocol import names
from server.services.clients import power
from server.services.policy.displays import rfc3339
from server.services.resources.resources import NewResourceSecret


class NewResource(StrictBody):
    """A resource with its scopes, their risks, and the action types that they require."""

    uri: Url
    scopes: dict[str, RiskWord] = Field(default={})
    requires: dict[str, str] = Field(default={})
    token_seconds: int | None = None
    default_scopes: Names = Field(default=[])
    unknown_clients: bool = False


class ResourceChanges(StrictBody):
    """Scopes to add, change or remove, and required action types; an empty one is removed.

    A `token_seconds` of null uses the default.
    """

    scopes: dict[str, RiskWord] = Field(default={})
    without: Names = Field(default=[])
    requires: dict[str, str] = Field(default={})
    token_seconds: int | None = None
    default_scopes: Names | None = None
    unknown_clients: bool | None = None


class ManagedResource(BaseModel):
    """A resource."""

    id: str
    uri: str
    scopes: dict[str, RiskWord]
    requires: dict[str, str]
    token_seconds: int | None
    default_scopes: list[str]
    unknown_clients: bool
    client_id: str
    secrets: list[ClientSecret]
    created_at: str
    version: str


class ManagedResources(BaseModel):
    """A page of the list of resources."""

    items: list[ManagedResource]
    next: str | None


class GivenResourceSecret(BaseModel):
    """A resource with its secret, shown once."""

    resource: ManagedResource
    client_secret: str


class DeletedResource(BaseModel):
    """What ended with a resource."""

    uri: str
    tokens_revoked: int
    requests_cancelled: int
    agents_narrowed: list[str]
    apps_narrowed: list[str]


def resource(record: Resource) -> ManagedResource:
    """Return a resource as JSON."""
    return ManagedResource(
        id=names.name_id(record.uri),
        uri=record.uri,
        scopes={name: str(risk) for name, risk in record.scopes.items()},  # type: ignore[misc]  # the risks are these words
        requires=dict(record.requires),
        token_seconds=record.token_seconds,
        default_scopes=list(record.default_scopes),
        unknown_clients=record.unknown_clients,
        client_id=record.client_id,
        secrets=[secret(one) for one in record.secrets],
        created_at=rfc3339(record.created_at),
        version=power.version(record),
    )


def resource_secret(given: NewResourceSecret) -> GivenResourceSecret:
    """Return a resource and its new secret as JSON."""
    return GivenResourceSecret(resource=resource(given.resource), client_secret=given.secret)

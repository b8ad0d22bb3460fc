"""Interactive clients of people in the administration API: what is sent and answered."""

from typing import Any, Literal

from pydantic import BaseModel, Field

from server.http import admin_documents
from server.http.admin_bodies import Body, Names, Text
from server.http.admin_wire import ClientSecret
from server.protocol import names
from server.services import power
from server.services.displays import rfc3339
from server.services.records import App


class NewClient(Body):
    """An app to be registered."""

    name: Text
    redirect_uris: Names = Field(default=[])
    auth_method: Text = names.AUTH_METHODS[0]
    jwks: dict[str, Any] | None = None
    post_logout_redirect_uris: Names = Field(default=[])
    grant_types: Names | None = None
    resources: Names = Field(default=[])
    scopes: Names = Field(default=[])
    id_token_signed_response_alg: Text = "ES256"  # noqa: S105  # an algorithm
    dpop_bound_access_tokens: bool = False
    action_types: Names | None = None


class ClientChanges(Body):
    """What becomes different; what is left out stays. Null lets it ask for every action type."""

    name: Text | None = None
    redirect_uris: Names | None = None
    post_logout_redirect_uris: Names | None = None
    jwks: dict[str, Any] | None = None
    grant_types: Names | None = None
    resources: Names | None = None
    scopes: Names | None = None
    id_token_signed_response_alg: Text | None = None
    dpop_bound_access_tokens: bool | None = None
    action_types: Names | None = None
    enabled: bool | None = None


class ManagedApp(BaseModel):
    """An app."""

    client_id: str
    name: str
    state: Literal["enabled", "disabled"]
    auth_method: str
    redirect_uris: list[str]
    post_logout_redirect_uris: list[str]
    grant_types: list[str]
    resources: list[str]
    scopes: list[str]
    action_types: list[str] | None
    id_token_signed_response_alg: str
    dpop_bound_access_tokens: bool
    secrets: list[ClientSecret]
    keys: list[dict[str, str]]
    created_at: str
    version: str


class ManagedApps(BaseModel):
    """A part of the list of apps."""

    items: list[ManagedApp]
    next: str | None


class GivenAppSecret(BaseModel):
    """An app with a secret that is told once; null where it has none."""

    app: ManagedApp
    client_secret: str | None


def document(record: App) -> ManagedApp:
    """An app as JSON."""
    return ManagedApp(
        client_id=record.id,
        name=record.name,
        state=record.state,
        auth_method=record.auth_method,
        redirect_uris=list(record.redirect_uris),
        post_logout_redirect_uris=list(record.post_logout_redirect_uris),
        grant_types=list(record.grant_types),
        resources=list(record.resources),
        scopes=list(record.scopes),
        action_types=None if record.action_types is None else list(record.action_types),
        id_token_signed_response_alg=record.id_token_alg,
        dpop_bound_access_tokens=record.dpop_bound,
        secrets=[admin_documents.secret(one) for one in record.secrets],
        keys=[dict(key) for key in record.jwks],
        created_at=rfc3339(record.created_at),
        version=power.version(record),
    )

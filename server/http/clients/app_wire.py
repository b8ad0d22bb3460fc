"""Apps in the administration API, as JSON."""

from typing import Literal

from pydantic import BaseModel

from server.http import members
from server.http.members import answer_fields, change_fields, new_fields, with_fields
from server.http.wire import ClientSecret, Listed, StrictBody, secret
from server.model.clients import App
from server.protocol import names
from server.services.clients.app_members import APP_MEMBERS
from server.services.operations import power
from server.services.policy.displays import rfc3339


@with_fields(new_fields(APP_MEMBERS))
class NewClient(StrictBody):
    """An app to register."""


@with_fields(change_fields(APP_MEMBERS))
class ClientChanges(StrictBody):
    """The changes; omitted members stay. Null lets the app use every action type."""

    enabled: bool | None = None


@with_fields(answer_fields(APP_MEMBERS))
class ManagedApp(BaseModel):
    """An app."""

    id: str
    client_id: str
    origin: Literal["administrator", "document", "registration"]
    claimed_name: str | None
    state: Literal["enabled", "disabled"]
    secrets: list[ClientSecret]
    keys: list[dict[str, str]]
    created_at: str
    version: str


class ManagedApps(Listed[ManagedApp]):
    """A page of the list of apps."""


class AppWithSecret(BaseModel):
    """An app with its secret, shown once; null if it has none."""

    app: ManagedApp
    client_secret: str | None


def document(record: App) -> ManagedApp:
    """Return an app as JSON."""
    return ManagedApp(
        id=names.path_id(record.id),
        client_id=record.id,
        origin=record.origin,
        claimed_name=record.claimed_name,
        state=record.state,
        secrets=[secret(stored) for stored in record.secrets],
        keys=[dict(key) for key in record.jwks],
        created_at=rfc3339(record.created_at),
        version=power.version(record),
        **members.answered(APP_MEMBERS, record),
    )

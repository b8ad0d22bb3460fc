"""Endpoints to administer apps."""

from typing import Literal

from pydantic import BaseModel

from server.http import listing, members
from server.http.members import (
    answer_fields,
    change_fields,
    new_fields,
    submitted_members,
    with_fields,
)
from server.http.route import HttpRequest, managed
from server.http.wire import ClientSecret, Listed, RecordResponse, Rotation, StrictBody, Time
from server.model.clients import App
from server.protocol import names
from server.services import paging
from server.services.clients.app_forms import AppChanges, NewApp
from server.services.clients.app_members import APP_MEMBERS
from server.services.operations import power
from server.services.operations.administration import AdminServices


@with_fields(new_fields(APP_MEMBERS))
class NewClient(StrictBody):
    """An app to register."""


@with_fields(change_fields(APP_MEMBERS))
class ClientChanges(StrictBody):
    """Fields to change. Omitted fields are unchanged.

    Set `action_types` to null to let the app use every action type.
    """

    enabled: bool | None = None


@with_fields(answer_fields(APP_MEMBERS))
class ManagedApp(RecordResponse):
    """An app, as administrators see it."""

    id: str
    client_id: str
    origin: Literal["administrator", "document", "registration"]
    claimed_name: str | None
    state: Literal["enabled", "disabled"]
    secrets: list[ClientSecret]
    keys: list[dict[str, str]]
    created_at: Time
    version: str


class ManagedApps(Listed[ManagedApp]):
    """A page of the list of apps."""


class AppWithSecret(BaseModel):
    """An app with its secret, which is shown once. The secret is null if the app has none."""

    app: ManagedApp
    client_secret: str | None


def document(record: App) -> ManagedApp:
    """Return an app as JSON."""
    return ManagedApp.of(
        record,
        id=names.path_id(record.id),
        client_id=record.id,
        keys=record.jwks,
        version=power.version(record),
        **members.response_members(APP_MEMBERS, record),
    )


@managed("GET /api/apps", query=listing.QUERY)
def list_apps(request: HttpRequest, admin: AdminServices) -> ManagedApps:
    """List apps by name."""
    after_position, limit = listing.cursor(request), listing.limit(request)
    part = paging.page_after(
        admin.apps.all(), lambda app: app.name.casefold(), after_position, limit
    )
    return listing.page(ManagedApps, part, document)


@managed("POST /api/apps", status=201, signed=True)
def add(admin: AdminServices, body: NewClient) -> AppWithSecret:
    """Register an app. Its secret is shown once."""
    new = NewApp(**submitted_members(APP_MEMBERS, body))
    issued = admin.apps.add(new, by=admin.by)
    return AppWithSecret(app=document(issued.app), client_secret=issued.secret or None)


@managed("GET /api/apps/<id>")
def show(admin: AdminServices, record_id: str) -> ManagedApp:
    """Get one app."""
    return document(admin.apps.by_path(record_id))


@managed("PATCH /api/apps/<id>", versioned=True)
def update(admin: AdminServices, record_id: str, body: ClientChanges) -> ManagedApp:
    """Change, disable or enable an app."""
    changes = AppChanges(enabled=body.enabled, **submitted_members(APP_MEMBERS, body))
    app_id = admin.apps.by_path(record_id).id
    return document(admin.apps.update(app_id, changes, by=admin.by))


@managed("POST /api/apps/<id>/secret")
def rotate(admin: AdminServices, record_id: str, body: Rotation) -> AppWithSecret:
    """Create a new secret, shown once. The old secret keeps working for `overlap` seconds."""
    app_id = admin.apps.by_path(record_id).id
    issued = admin.apps.rotate_secret(app_id, by=admin.by, overlap_ms=body.overlap * 1000)
    return AppWithSecret(app=document(issued.app), client_secret=issued.secret)


@managed("DELETE /api/apps/<id>")
def delete(admin: AdminServices, record_id: str) -> None:
    """Delete an app."""
    admin.apps.delete(admin.apps.by_path(record_id).id, by=admin.by)

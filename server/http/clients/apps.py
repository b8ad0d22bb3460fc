"""Endpoints to administer apps."""

from typing import Final

from server.http import listing
from server.http.clients import app_wire as wire
from server.http.members import written
from server.http.route import HttpRequest, managed
from server.http.site import Site
from server.http.wire import Rotation
from server.services import paging
from server.services.clients.app_forms import AppChanges, NewApp
from server.services.clients.app_members import APP_MEMBERS
from server.services.operations.administration import AdminServices


@managed("GET /api/apps", query=listing.QUERY)
def listed(_site: Site, request: HttpRequest, admin: AdminServices) -> wire.ManagedApps:
    """List apps by name."""
    where, limit = listing.cursor(request), listing.limit(request)
    part = paging.after(admin.apps.all(), lambda app: app.name.casefold(), where, limit)
    return listing.page(wire.ManagedApps, part, wire.document)


@managed("POST /api/apps", status=201, signed=True)
def add(
    _site: Site, _request: HttpRequest, admin: AdminServices, body: wire.NewClient
) -> wire.AppWithSecret:
    """Register an app. Its secret is shown once."""
    new = NewApp(**written(APP_MEMBERS, body))
    issued = admin.apps.add(new, by=admin.by)
    return wire.AppWithSecret(app=wire.document(issued.app), client_secret=issued.secret or None)


@managed("GET /api/apps/<id>")
def show(_site: Site, request: HttpRequest, admin: AdminServices) -> wire.ManagedApp:
    """Get one app."""
    return wire.document(admin.apps.by_path(request.params["id"]))


@managed("PATCH /api/apps/<id>", versioned=True)
def update(
    _site: Site, request: HttpRequest, admin: AdminServices, body: wire.ClientChanges
) -> wire.ManagedApp:
    """Change, disable or enable an app."""
    changes = AppChanges(enabled=body.enabled, **written(APP_MEMBERS, body))
    app_id = admin.apps.by_path(request.params["id"]).id
    return wire.document(admin.apps.update(app_id, changes, by=admin.by))


@managed("POST /api/apps/<id>/secret")
def rotate(
    _site: Site, request: HttpRequest, admin: AdminServices, body: Rotation
) -> wire.AppWithSecret:
    """Create a new secret, shown once. The old one works for the overlap."""
    app_id = admin.apps.by_path(request.params["id"]).id
    issued = admin.apps.rotate_secret(app_id, by=admin.by, overlap_ms=body.overlap * 1000)
    return wire.AppWithSecret(app=wire.document(issued.app), client_secret=issued.secret)


@managed("DELETE /api/apps/<id>")
def delete(_site: Site, request: HttpRequest, admin: AdminServices) -> None:
    """Delete an app."""
    admin.apps.delete(admin.apps.by_path(request.params["id"]).id, by=admin.by)


APP_ROUTES: Final = (listed, add, show, update, rotate, delete)

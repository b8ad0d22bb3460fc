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


def listed(_site: Site, request: HttpRequest, admin: AdminServices) -> wire.ManagedApps:
    """GET /api/apps."""
    where, limit = listing.cursor(request), listing.limit(request)
    part = paging.after(admin.apps.all(), lambda app: app.name.casefold(), where, limit)
    return listing.page(wire.ManagedApps, part, wire.document)


def add(
    _site: Site, _request: HttpRequest, admin: AdminServices, body: wire.NewClient
) -> wire.AppWithSecret:
    """POST /api/apps."""
    new = NewApp(**written(APP_MEMBERS, body))
    given = admin.apps.add(new, by=admin.by)
    return wire.AppWithSecret(app=wire.document(given.app), client_secret=given.secret or None)


def show(_site: Site, request: HttpRequest, admin: AdminServices) -> wire.ManagedApp:
    """GET /api/apps/<id>."""
    return wire.document(admin.apps.by_path(request.params["id"]))


def update(
    _site: Site, request: HttpRequest, admin: AdminServices, body: wire.ClientChanges
) -> wire.ManagedApp:
    """PATCH /api/apps/<id>."""
    changes = AppChanges(enabled=body.enabled, **written(APP_MEMBERS, body))
    app_id = admin.apps.by_path(request.params["id"]).id
    return wire.document(admin.apps.update(app_id, changes, by=admin.by))


def rotate(
    _site: Site, request: HttpRequest, admin: AdminServices, body: Rotation
) -> wire.AppWithSecret:
    """POST /api/apps/<id>/secret."""
    app_id = admin.apps.by_path(request.params["id"]).id
    given = admin.apps.rotate_secret(app_id, by=admin.by, overlap_ms=body.overlap * 1000)
    return wire.AppWithSecret(app=wire.document(given.app), client_secret=given.secret)


def delete(_site: Site, request: HttpRequest, admin: AdminServices) -> None:
    """DELETE /api/apps/<id>."""
    admin.apps.delete(admin.apps.by_path(request.params["id"]).id, by=admin.by)


APP_ROUTES: Final = (
    managed("GET /api/apps", listed, "List apps by name.", query=listing.QUERY),
    managed(
        "POST /api/apps",
        add,
        "Register an app. Its secret is shown once.",
        status=201,
        signed=True,
    ),
    managed("GET /api/apps/<id>", show, "Get one app."),
    managed("PATCH /api/apps/<id>", update, "Change, disable or enable an app.", versioned=True),
    managed(
        "POST /api/apps/<id>/secret",
        rotate,
        "Create a new secret, shown once. The old one works for the overlap.",
    ),
    managed("DELETE /api/apps/<id>", delete, "Delete an app."),
)

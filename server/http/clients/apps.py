"""Endpoints to administer apps."""

from server.http import listing
from server.http.clients import app_wire as wire
from server.http.members import written
from server.http.message import NO_STORE, HttpRequest, HttpResponse, as_json
from server.http.site import Site
from server.http.wire import Rotation, read, tag
from server.services import paging
from server.services.clients.app_forms import AppChanges, NewApp
from server.services.clients.app_members import APP_MEMBERS
from server.services.operations.administration import AdminServices


def listed(_site: Site, request: HttpRequest, admin: AdminServices) -> HttpResponse:
    """GET /api/apps."""
    where, limit = listing.cursor(request), listing.limit(request)
    part = paging.after(admin.apps.all(), lambda app: app.name.casefold(), where, limit)
    items = [wire.document(app) for app in part.items]
    answer = wire.ManagedApps(items=items, next=listing.write_cursor(part.next))
    return as_json(200, answer.model_dump())


def add(_site: Site, request: HttpRequest, admin: AdminServices) -> HttpResponse:
    """POST /api/apps."""
    new = NewApp(**written(APP_MEMBERS, read(wire.NewClient, request.body)))
    given = admin.apps.add(new, by=admin.by)
    answer = wire.GivenAppSecret(app=wire.document(given.app), client_secret=given.secret or None)
    return as_json(201, answer.model_dump())


def show(_site: Site, request: HttpRequest, admin: AdminServices) -> HttpResponse:
    """GET /api/apps/<id>."""
    document = wire.document(admin.apps.by_path(request.params["id"]))
    return as_json(200, document.model_dump(), tag(document.version))


def update(_site: Site, request: HttpRequest, admin: AdminServices) -> HttpResponse:
    """PATCH /api/apps/<id>."""
    body = read(wire.ClientChanges, request.body)
    changes = AppChanges(enabled=body.enabled, **written(APP_MEMBERS, body))
    app_id = admin.apps.by_path(request.params["id"]).id
    document = wire.document(admin.apps.update(app_id, changes, by=admin.by))
    return as_json(200, document.model_dump(), tag(document.version))


def rotate(_site: Site, request: HttpRequest, admin: AdminServices) -> HttpResponse:
    """POST /api/apps/<id>/secret."""
    body = read(Rotation, request.body)
    app_id = admin.apps.by_path(request.params["id"]).id
    given = admin.apps.rotate_secret(app_id, by=admin.by, overlap_ms=body.overlap * 1000)
    answer = wire.GivenAppSecret(app=wire.document(given.app), client_secret=given.secret)
    return as_json(200, answer.model_dump())


def delete(_site: Site, request: HttpRequest, admin: AdminServices) -> HttpResponse:
    """DELETE /api/apps/<id>."""
    admin.apps.delete(admin.apps.by_path(request.params["id"]).id, by=admin.by)
    return HttpResponse(204, headers=NO_STORE)

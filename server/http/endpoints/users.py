"""Administration of people."""

from server.http import admin_bodies as bodies
from server.http import admin_documents as documents
from server.http import admin_wire as wire
from server.http.endpoints import listing
from server.http.message import HttpRequest, HttpResponse, as_json
from server.http.site import Site
from server.http.wire import read
from server.services.administration import Desk
from server.services.users import NewUser, UserChanges


def listed(_site: Site, request: HttpRequest, desk: Desk) -> HttpResponse:
    """GET /api/users."""
    part = desk.users.page(listing.cursor(request), listing.limit(request))
    items = [documents.user(user) for user in part.items]
    answer = wire.ManagedUsers(items=items, next=documents.write_cursor(part.next))
    return as_json(200, answer.model_dump())


def add(_site: Site, request: HttpRequest, desk: Desk) -> HttpResponse:
    """POST /api/users."""
    body = read(bodies.NewUser, request.body)
    user, issued = desk.users.add(NewUser(body.name, body.email, tuple(body.roles)), by=desk.by)
    return as_json(201, documents.code(user, issued).model_dump())


def show(_site: Site, request: HttpRequest, desk: Desk) -> HttpResponse:
    """GET /api/users/<id>."""
    sheet = documents.user_sheet(*desk.users.show(request.params["id"]))
    return as_json(200, sheet.model_dump(), documents.tag(sheet.version))


def update(_site: Site, request: HttpRequest, desk: Desk) -> HttpResponse:
    """PATCH /api/users/<id>."""
    body = read(bodies.UserChanges, request.body)
    changes = UserChanges(
        email=_taken_away(body, "email"),
        roles=None if body.roles is None else tuple(body.roles),
        backup=_taken_away(body, "backup"),
    )
    user = documents.user(desk.users.update(request.params["id"], changes, by=desk.by))
    return as_json(200, user.model_dump(), documents.tag(user.version))


def disable(_site: Site, request: HttpRequest, desk: Desk) -> HttpResponse:
    """POST /api/users/<id>/disable."""
    ended = desk.users.disable(request.params["id"], by=desk.by)
    answer = wire.StoppedUser(
        user=documents.user(ended.user),
        tokens_revoked=ended.tokens_revoked,
        requests_cancelled=ended.requests_cancelled,
    )
    return as_json(200, answer.model_dump())


def enable(_site: Site, request: HttpRequest, desk: Desk) -> HttpResponse:
    """POST /api/users/<id>/enable."""
    user = desk.users.enable(request.params["id"], by=desk.by)
    return as_json(200, documents.user(user).model_dump())


def enrol(_site: Site, request: HttpRequest, desk: Desk) -> HttpResponse:
    """POST /api/users/<id>/codes."""
    user, issued = desk.users.enrol(request.params["id"], by=desk.by)
    return as_json(201, documents.code(user, issued).model_dump())


def unlock(_site: Site, request: HttpRequest, desk: Desk) -> HttpResponse:
    """POST /api/users/<id>/unlock: answers the devices that may try again."""
    user, unlocked = desk.users.unlock(request.params["id"], by=desk.by)
    return as_json(200, documents.user_sheet(user, unlocked).model_dump())


def _taken_away(body: bodies.UserChanges, name: str) -> str | None:
    """A member as the services take it: a null that was sent is an empty text."""
    value: str | None = getattr(body, name)
    return "" if name in body.model_fields_set and value is None else value

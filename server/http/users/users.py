"""Endpoints to administer users."""

from server.http import listing
from server.http.message import HttpRequest, HttpResponse, as_json
from server.http.site import Site
from server.http.users import user_wire
from server.http.wire import read, tag
from server.services.operations.administration import AdminServices
from server.services.users.users import NewUser, UserChanges


def listed(_site: Site, request: HttpRequest, admin: AdminServices) -> HttpResponse:
    """GET /api/users."""
    part = admin.users.page(listing.cursor(request), listing.limit(request))
    items = [user_wire.managed_user(user) for user in part.items]
    answer = user_wire.ManagedUsers(items=items, next=listing.write_cursor(part.next))
    return as_json(200, answer.model_dump())


def add(_site: Site, request: HttpRequest, admin: AdminServices) -> HttpResponse:
    """POST /api/users."""
    body = read(user_wire.NewUser, request.body)
    user, issued = admin.users.add(NewUser(body.name, body.email, tuple(body.roles)), by=admin.by)
    return as_json(201, user_wire.code(user, issued).model_dump())


def show(_site: Site, request: HttpRequest, admin: AdminServices) -> HttpResponse:
    """GET /api/users/<id>."""
    sheet = user_wire.user_sheet(*admin.users.show(request.params["id"]))
    return as_json(200, sheet.model_dump(), tag(sheet.version))


def update(_site: Site, request: HttpRequest, admin: AdminServices) -> HttpResponse:
    """PATCH /api/users/<id>."""
    body = read(user_wire.UserChanges, request.body)
    changes = UserChanges(
        email=_change_value(body, "email"),
        roles=None if body.roles is None else tuple(body.roles),
        backup=_change_value(body, "backup"),
    )
    user = user_wire.managed_user(admin.users.update(request.params["id"], changes, by=admin.by))
    return as_json(200, user.model_dump(), tag(user.version))


def disable(_site: Site, request: HttpRequest, admin: AdminServices) -> HttpResponse:
    """POST /api/users/<id>/disable."""
    ended = admin.users.disable(request.params["id"], by=admin.by)
    answer = user_wire.StoppedUser(
        user=user_wire.managed_user(ended.user),
        tokens_revoked=ended.tokens_revoked,
        requests_cancelled=ended.requests_cancelled,
    )
    return as_json(200, answer.model_dump())


def enable(_site: Site, request: HttpRequest, admin: AdminServices) -> HttpResponse:
    """POST /api/users/<id>/enable."""
    user = admin.users.enable(request.params["id"], by=admin.by)
    return as_json(200, user_wire.managed_user(user).model_dump())


def enrol(_site: Site, request: HttpRequest, admin: AdminServices) -> HttpResponse:
    """POST /api/users/<id>/codes."""
    user, issued = admin.users.enrol(request.params["id"], by=admin.by)
    return as_json(201, user_wire.code(user, issued).model_dump())


def unlock(_site: Site, request: HttpRequest, admin: AdminServices) -> HttpResponse:
    """POST /api/users/<id>/unlock: returns the unlocked devices."""
    user, unlocked = admin.users.unlock(request.params["id"], by=admin.by)
    return as_json(200, user_wire.user_sheet(user, unlocked).model_dump())


def _change_value(body: user_wire.UserChanges, name: str) -> str | None:
    """Return a changed member; a null that was sent becomes an empty string."""
    value: str | None = getattr(body, name)
    return "" if name in body.model_fields_set and value is None else value

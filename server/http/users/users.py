"""Endpoints to administer users."""

from typing import Final

from server.http import listing
from server.http.members import written
from server.http.route import HttpRequest, managed
from server.http.site import Site
from server.http.users import user_wire as wire
from server.services.operations.administration import AdminServices
from server.services.users.user_members import USER_MEMBERS
from server.services.users.users import NewUser, UserChanges


def listed(_site: Site, request: HttpRequest, admin: AdminServices) -> wire.ManagedUsers:
    """GET /api/users."""
    part = admin.users.page(listing.cursor(request), listing.limit(request))
    return listing.page(wire.ManagedUsers, part, wire.managed_user)


def add(
    _site: Site, _request: HttpRequest, admin: AdminServices, body: wire.NewUser
) -> wire.EnrollmentCode:
    """POST /api/users."""
    user, issued = admin.users.add(NewUser(**written(USER_MEMBERS, body)), by=admin.by)
    return wire.code(user, issued)


def show(_site: Site, request: HttpRequest, admin: AdminServices) -> wire.UserDetails:
    """GET /api/users/<id>."""
    return wire.user_details(*admin.users.show(request.params["id"]))


def update(
    _site: Site, request: HttpRequest, admin: AdminServices, body: wire.UserChanges
) -> wire.ManagedUser:
    """PATCH /api/users/<id>."""
    changes = UserChanges(**written(USER_MEMBERS, body))
    return wire.managed_user(admin.users.update(request.params["id"], changes, by=admin.by))


def disable(_site: Site, request: HttpRequest, admin: AdminServices) -> wire.DisableUserResult:
    """POST /api/users/<id>/disable."""
    ended = admin.users.disable(request.params["id"], by=admin.by)
    return wire.DisableUserResult(
        user=wire.managed_user(ended.user),
        tokens_revoked=ended.tokens_revoked,
        requests_cancelled=ended.requests_cancelled,
    )


def enable(_site: Site, request: HttpRequest, admin: AdminServices) -> wire.ManagedUser:
    """POST /api/users/<id>/enable."""
    user = admin.users.enable(request.params["id"], by=admin.by)
    return wire.managed_user(user)


def enroll(_site: Site, request: HttpRequest, admin: AdminServices) -> wire.EnrollmentCode:
    """POST /api/users/<id>/codes."""
    user, issued = admin.users.enroll(request.params["id"], by=admin.by)
    return wire.code(user, issued)


def unlock(_site: Site, request: HttpRequest, admin: AdminServices) -> wire.UserDetails:
    """POST /api/users/<id>/unlock: returns the unlocked devices."""
    user, unlocked = admin.users.unlock(request.params["id"], by=admin.by)
    return wire.user_details(user, unlocked)


USER_ROUTES: Final = (
    managed("GET /api/users", listed, "List users by name.", query=listing.QUERY),
    managed(
        "POST /api/users",
        add,
        "Add a user, with a code for their first device.",
        status=201,
        signed=True,
    ),
    managed("GET /api/users/<id>", show, "Get one user with their devices."),
    managed(
        "PATCH /api/users/<id>",
        update,
        "Change a user's address, roles or backup.",
        versioned=True,
    ),
    managed("POST /api/users/<id>/disable", disable, "Disable a user. Returns what ended."),
    managed("POST /api/users/<id>/enable", enable, "Enable a user."),
    managed(
        "POST /api/users/<id>/codes",
        enroll,
        "Create a one-time code for another device.",
        status=201,
        signed=True,
    ),
    managed(
        "POST /api/users/<id>/unlock",
        unlock,
        "Unlock a user's devices. Returns the locked ones.",
        signed=True,
    ),
)

"""Endpoints to administer users."""

from server.http import listing
from server.http.members import submitted_members
from server.http.route import HttpRequest, managed
from server.http.users import user_wire as wire
from server.services.operations.administration import AdminServices
from server.services.users.user_members import USER_MEMBERS
from server.services.users.users import NewUser, UserChanges


@managed("GET /api/users", query=(*listing.QUERY, "search"))
def list_users(request: HttpRequest, admin: AdminServices) -> wire.ManagedUsers:
    """List users by name, or those whose name or email address contains `search`."""
    search = request.query.get("search", "")
    part = admin.users.page(listing.cursor(request), listing.limit(request), search=search)
    return listing.page(wire.ManagedUsers, part, wire.managed_user)


@managed("POST /api/users", status=201, signed=True)
def add(admin: AdminServices, body: wire.NewUser) -> wire.EnrollmentCode:
    """Add a user, with a code for their first device."""
    user, issued = admin.users.add(NewUser(**submitted_members(USER_MEMBERS, body)), by=admin.by)
    return wire.code(user, issued)


@managed("GET /api/users/<id>")
def show(admin: AdminServices, record_id: str) -> wire.UserDetails:
    """Get one user with their devices."""
    return wire.user_details(*admin.users.show(record_id))


@managed("PATCH /api/users/<id>", versioned=True)
def update(admin: AdminServices, record_id: str, body: wire.UserChanges) -> wire.ManagedUser:
    """Change a user's address, roles or backup."""
    changes = UserChanges(**submitted_members(USER_MEMBERS, body))
    return wire.managed_user(admin.users.update(record_id, changes, by=admin.by))


@managed("POST /api/users/<id>/disable")
def disable(admin: AdminServices, record_id: str) -> wire.DisableUserResult:
    """Disable a user. Returns what was revoked."""
    disabled_user = admin.users.disable(record_id, by=admin.by)
    return wire.DisableUserResult.of(disabled_user, user=wire.managed_user(disabled_user.user))


@managed("POST /api/users/<id>/enable")
def enable(admin: AdminServices, record_id: str) -> wire.ManagedUser:
    """Enable a user."""
    user = admin.users.enable(record_id, by=admin.by)
    return wire.managed_user(user)


@managed("POST /api/users/<id>/codes", status=201, signed=True)
def enroll(admin: AdminServices, record_id: str) -> wire.EnrollmentCode:
    """Create a one-time code for another device."""
    user, issued = admin.users.enroll(record_id, by=admin.by)
    return wire.code(user, issued)


@managed("POST /api/users/<id>/unlock", signed=True)
def unlock(admin: AdminServices, record_id: str) -> wire.UserDetails:
    """Unlock a user's locked devices.

    Returns the devices that were unlocked.
    """
    user, unlocked = admin.users.unlock(record_id, by=admin.by)
    return wire.user_details(user, unlocked)

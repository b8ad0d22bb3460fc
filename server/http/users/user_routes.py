"""Routes to administer users."""

from typing import Final

from server.http import listing
from server.http.route import managed
from server.http.users import users

USER_ROUTES: Final = (
    managed("GET /api/users", users.listed, "List users by name.", query=listing.QUERY),
    managed(
        "POST /api/users",
        users.add,
        "Add a user, with a code for their first device.",
        status=201,
        signed=True,
    ),
    managed("GET /api/users/<id>", users.show, "Get one user with their devices."),
    managed(
        "PATCH /api/users/<id>",
        users.update,
        "Change a user's address, roles or backup.",
        versioned=True,
    ),
    managed("POST /api/users/<id>/disable", users.disable, "Disable a user. Returns what ended."),
    managed("POST /api/users/<id>/enable", users.enable, "Enable a user."),
    managed(
        "POST /api/users/<id>/codes",
        users.enroll,
        "Create a one-time code for another device.",
        status=201,
        signed=True,
    ),
    managed(
        "POST /api/users/<id>/unlock",
        users.unlock,
        "Unlock a user's devices. Returns the locked ones.",
        signed=True,
    ),
)

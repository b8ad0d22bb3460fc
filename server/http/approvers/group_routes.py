"""Routes of groups of approvers."""

from typing import Final

from server.http import listing
from server.http.approvers import groups
from server.http.route import managed

GROUP_ROUTES: Final = (
    managed("GET /api/groups", groups.listed, "List groups by name.", query=listing.QUERY),
    managed("POST /api/groups", groups.add, "Create a group.", status=201, signed=True),
    managed("GET /api/groups/<id>", groups.show, "Get one group."),
    managed(
        "PATCH /api/groups/<id>",
        groups.update,
        "Change a group. Adding a member needs a signature.",
        versioned=True,
    ),
    managed(
        "DELETE /api/groups/<id>",
        groups.delete,
        "Delete a group that neither policy nor an agent names.",
    ),
)

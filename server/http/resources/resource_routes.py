"""Routes for resources."""

from typing import Final

from server.http import listing
from server.http.resources import resources
from server.http.route import managed

RESOURCE_ROUTES: Final = (
    managed("GET /api/resources", resources.listed, "List resources by URI.", query=listing.QUERY),
    managed(
        "POST /api/resources",
        resources.add,
        "Register a resource. Its secret is shown once.",
        status=201,
        signed=True,
    ),
    managed("GET /api/resources/<id>", resources.show, "Get one resource."),
    managed(
        "PATCH /api/resources/<id>",
        resources.update,
        "Change the scopes, risks and required action types of a resource.",
        versioned=True,
    ),
    managed(
        "POST /api/resources/<id>/secret",
        resources.rotate,
        "Create a new secret, shown once. The old one works for the overlap.",
    ),
    managed(
        "DELETE /api/resources/<id>",
        resources.delete,
        "Delete a resource. Returns the items revoked with it.",
    ),
)

"""Routes for apps."""

from typing import Final

from server.http import listing
from server.http.clients import apps
from server.http.route import managed

APP_ROUTES: Final = (
    managed("GET /api/apps", apps.listed, "List apps by name.", query=listing.QUERY),
    managed(
        "POST /api/apps",
        apps.add,
        "Register an app. Its secret is shown once.",
        status=201,
        signed=True,
    ),
    managed("GET /api/apps/<id>", apps.show, "Get one app."),
    managed(
        "PATCH /api/apps/<id>", apps.update, "Change, disable or enable an app.", versioned=True
    ),
    managed(
        "POST /api/apps/<id>/secret",
        apps.rotate,
        "Create a new secret, shown once. The old one works for the overlap.",
    ),
    managed("DELETE /api/apps/<id>", apps.delete, "Delete an app."),
)

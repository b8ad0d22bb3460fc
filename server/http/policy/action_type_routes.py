"""Routes of action types."""

from typing import Final

from server.http import listing
from server.http.policy import action_type_wire as wire
from server.http.policy import action_types
from server.http.route import READS, managed

ACTION_TYPE_ROUTES: Final = (
    managed(
        "GET /api/actions", action_types.listed, "List action types by name.", query=listing.QUERY
    ),
    managed(
        "POST /api/actions",
        action_types.add,
        "Register an action type. The body is its file.",
        body=wire.ActionDocument,
        status=201,
        signed=True,
    ),
    managed(
        "POST /api/actions/preview",
        action_types.preview,
        "Preview an action type without registering it.",
        errors=READS,
    ),
    managed("GET /api/actions/<id>", action_types.show, "Get one action type with its file."),
    managed(
        "PUT /api/actions/<id>",
        action_types.replace,
        "Update an action type. The body is its file.",
        body=wire.ActionDocument,
        versioned=True,
    ),
    managed("DELETE /api/actions/<id>", action_types.delete, "Delete an action type."),
)

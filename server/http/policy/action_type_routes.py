"""Routes of action types."""

from typing import Final

from server.http import listing
from server.http.policy import action_type_wire, action_types
from server.http.route import ADMIN, CHANGES, READS, STAFF, UPDATES, Caller, Route
from server.services.operations.authority import AccessRule

ACTION_TYPE_ROUTES: Final = (
    Route(
        "GET",
        "/api/actions",
        action_types.listed,
        Caller.PERSON,
        "List action types by name.",
        query=listing.QUERY,
        answer=action_type_wire.ManagedActions,
        errors=READS,
        rule=AccessRule(STAFF),
    ),
    Route(
        "POST",
        "/api/actions",
        action_types.add,
        Caller.PERSON,
        "Register an action type. The body is its file.",
        body=action_type_wire.ActionDocument,
        answer=action_type_wire.ManagedAction,
        status=201,
        errors=CHANGES,
        rule=AccessRule(ADMIN, signed=True),
    ),
    Route(
        "POST",
        "/api/actions/preview",
        action_types.preview,
        Caller.PERSON,
        "Preview an action type. Nothing is registered.",
        body=action_type_wire.ActionTrial,
        answer=action_type_wire.ActionPreview,
        errors=READS,
        rule=AccessRule(ADMIN),
    ),
    Route(
        "GET",
        "/api/actions/<id>",
        action_types.show,
        Caller.PERSON,
        "Get one action type with its file.",
        answer=action_type_wire.ManagedAction,
        errors=READS,
        rule=AccessRule(STAFF, "action"),
    ),
    Route(
        "PUT",
        "/api/actions/<id>",
        action_types.replace,
        Caller.PERSON,
        "Update an action type. The body is its file.",
        body=action_type_wire.ActionDocument,
        answer=action_type_wire.ManagedAction,
        errors=UPDATES,
        rule=AccessRule(ADMIN, "action", versioned=True),
    ),
    Route(
        "DELETE",
        "/api/actions/<id>",
        action_types.delete,
        Caller.PERSON,
        "Delete an action type.",
        status=204,
        errors=CHANGES,
        rule=AccessRule(ADMIN, "action"),
    ),
)

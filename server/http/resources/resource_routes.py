"""Routes for resources."""

from typing import Final

from server.http import listing
from server.http.resources import resource_wire, resources
from server.http.route import ADMIN, CHANGES, READS, STAFF, UPDATES, Caller, Route
from server.http.wire import Rotation
from server.services.operations.authority import AccessRule

RESOURCE_ROUTES: Final = (
    Route(
        "GET",
        "/api/resources",
        resources.listed,
        Caller.PERSON,
        "List resources by URI.",
        query=listing.QUERY,
        answer=resource_wire.ManagedResources,
        errors=READS,
        rule=AccessRule(STAFF),
    ),
    Route(
        "POST",
        "/api/resources",
        resources.add,
        Caller.PERSON,
        "Register a resource. Its secret is shown once.",
        body=resource_wire.NewResource,
        answer=resource_wire.GivenResourceSecret,
        status=201,
        errors=CHANGES,
        rule=AccessRule(ADMIN, signed=True),
    ),
    Route(
        "GET",
        "/api/resources/<id>",
        resources.show,
        Caller.PERSON,
        "Get one resource.",
        answer=resource_wire.ManagedResource,
        errors=READS,
        rule=AccessRule(STAFF, "resource"),
    ),
    Route(
        "PATCH",
        "/api/resources/<id>",
        resources.update,
        Caller.PERSON,
        "Change the scopes, risks and required action types of a resource.",
        body=resource_wire.ResourceChanges,
        answer=resource_wire.ManagedResource,
        errors=UPDATES,
        rule=AccessRule(ADMIN, "resource", versioned=True),
    ),
    Route(
        "POST",
        "/api/resources/<id>/secret",
        resources.rotate,
        Caller.PERSON,
        "Create a new secret, shown once. The old one works for the overlap.",
        body=Rotation,
        answer=resource_wire.GivenResourceSecret,
        errors=CHANGES,
        rule=AccessRule(ADMIN, "resource"),
    ),
    Route(
        "DELETE",
        "/api/resources/<id>",
        resources.delete,
        Caller.PERSON,
        "Delete a resource. Returns what ended with it.",
        answer=resource_wire.DeletedResource,
        errors=CHANGES,
        rule=AccessRule(ADMIN, "resource"),
    ),
)

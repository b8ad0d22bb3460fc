"""The rows about resources, the protected APIs."""

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
        "Every protected API, by URI.",
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
        "Register a protected API; its secret is told once.",
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
        "One protected API.",
        answer=resource_wire.ManagedResource,
        errors=READS,
        rule=AccessRule(STAFF, "resource"),
    ),
    Route(
        "PATCH",
        "/api/resources/<id>",
        resources.update,
        Caller.PERSON,
        "Change scopes, their risks and their needs.",
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
        "A new secret, told once; the old one works for the overlap.",
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
        "Forget a protected API; answers what ended with it.",
        answer=resource_wire.DeletedResource,
        errors=CHANGES,
        rule=AccessRule(ADMIN, "resource"),
    ),
)

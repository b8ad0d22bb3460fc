"""Routes for issued tokens: a person's own, and all of them for administrators."""

from typing import Final

from server.http import listing
from server.http.route import ADMIN, CHANGES, READS, STAFF, Caller, Route
from server.http.tokens import delegation_wire, delegations
from server.services.operations.authority import AccessRule

DELEGATION_ROUTES: Final = (
    Route(
        "GET",
        "/api/delegations",
        delegations.mine,
        Caller.PERSON,
        "List the tokens that act for you, newest first.",
        query=("ended", *listing.QUERY),
        answer=delegation_wire.ManagedDelegations,
        errors=(401, 403, 422),
        browsers=True,
    ),
    Route(
        "DELETE",
        "/api/delegations/<id>",
        delegations.revoke_mine,
        Caller.PERSON,
        "Revoke a token that acts for you and the tokens derived from it.",
        answer=delegation_wire.RevokedDelegation,
        errors=(401, 403, 404),
        browsers=True,
    ),
)

MANAGED_DELEGATION_ROUTES: Final = (
    Route(
        "GET",
        "/api/admin/delegations",
        delegations.listed,
        Caller.PERSON,
        "List issued tokens, newest first.",
        query=("client", "user", "resource", "ended", *listing.QUERY),
        answer=delegation_wire.ManagedDelegations,
        errors=READS,
        rule=AccessRule(STAFF),
    ),
    Route(
        "GET",
        "/api/admin/delegations/<id>",
        delegations.show,
        Caller.PERSON,
        "Get one token with its ancestors and descendants.",
        answer=delegation_wire.DelegationChain,
        errors=READS,
        rule=AccessRule(STAFF),
    ),
    Route(
        "POST",
        "/api/admin/delegations/<id>/revoke",
        delegations.revoke,
        Caller.PERSON,
        "Revoke a token and the tokens derived from it.",
        answer=delegation_wire.RevokedDelegation,
        errors=CHANGES,
        rule=AccessRule(ADMIN),
    ),
)

"""The rows about the tokens by which somebody acts for oneself; across people: `admin_routes`."""

from typing import Final

from server.http import listing
from server.http.route import Caller, Route
from server.http.tokens import delegation_wire, delegations

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
        "Revoke a token that acts for you, and all that came from it.",
        answer=delegation_wire.RevokedDelegation,
        errors=(401, 403, 404),
        browsers=True,
    ),
)

"""The rows about the tokens by which somebody acts for oneself; across people: `admin_routes`."""

from typing import Final

from server.http import admin_wire as wire
from server.http.endpoints import delegations, listing
from server.http.route import Caller, Route

DELEGATION_ROUTES: Final = (
    Route(
        "GET",
        "/api/delegations",
        delegations.mine,
        Caller.PERSON,
        "The tokens by which somebody acts for me, newest first.",
        query=("ended", *listing.QUERY),
        answer=wire.ManagedDelegations,
        errors=(401, 403, 422),
        browsers=True,
    ),
    Route(
        "DELETE",
        "/api/delegations/<id>",
        delegations.revoke_mine,
        Caller.PERSON,
        "End a token by which somebody acts for me, and all that came from it.",
        answer=wire.RevokedDelegation,
        errors=(401, 403, 404),
        browsers=True,
    ),
)

"""Routes for issued tokens: a person's own, and all of them for administrators."""

from typing import Final

from server.http import listing
from server.http.route import managed, own
from server.http.tokens import delegations

DELEGATION_ROUTES: Final = (
    own(
        "GET /api/delegations",
        delegations.mine,
        "List the tokens that act for you, newest first.",
        query=("ended", *listing.QUERY),
        errors=(422,),
    ),
    own(
        "DELETE /api/delegations/<id>",
        delegations.revoke_mine,
        "Revoke a token that acts for you and the tokens derived from it.",
        errors=(404,),
    ),
)

MANAGED_DELEGATION_ROUTES: Final = (
    managed(
        "GET /api/admin/delegations",
        delegations.listed,
        "List issued tokens, newest first.",
        query=("client", "user", "resource", "ended", *listing.QUERY),
    ),
    managed(
        "GET /api/admin/delegations/<id>",
        delegations.show,
        "Get one token with its ancestors and descendants.",
    ),
    managed(
        "POST /api/admin/delegations/<id>/revoke",
        delegations.revoke,
        "Revoke a token and the tokens derived from it.",
    ),
)

"""Routes of consents, for users and for administrators."""

from typing import Final

from server.http import listing
from server.http.consents import consents
from server.http.route import managed, own

CONSENT_ROUTES: Final = (
    own(
        "GET /api/consents", consents.listed, "List your consents.", query=("ended",), errors=(422,)
    ),
    own(
        "DELETE /api/consents/<id>",
        consents.revoke,
        "Revoke a consent and the tokens that came from it.",
        errors=(404,),
    ),
    own(
        "DELETE /api/acting/<id>",
        consents.stop,
        "Revoke the access of an agent or app: your grants, consents and tokens for it end.",
    ),
)

MANAGED_CONSENT_ROUTES: Final = (
    managed(
        "GET /api/admin/consents",
        consents.all_listed,
        "List the consents of all users, newest first.",
        query=("client", "user", "ended", *listing.QUERY),
    ),
    managed(
        "POST /api/admin/consents/<id>/revoke",
        consents.end,
        "Revoke a consent and the tokens that came from it.",
    ),
)

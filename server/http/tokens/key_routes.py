"""Routes for signing keys."""

from typing import Final

from server.http.route import managed
from server.http.tokens import keys

KEY_ROUTES: Final = (
    managed("GET /api/keys", keys.listed, "List signing keys, newest first."),
    managed(
        "POST /api/keys",
        keys.rotate,
        "Create a new signing key and use it.",
        status=201,
        signed=True,
    ),
    managed("POST /api/keys/<id>/revoke", keys.revoke, "Revoke a leaked signing key immediately."),
)

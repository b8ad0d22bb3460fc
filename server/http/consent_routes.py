"""The rows about consents: one's own, and across people."""

from typing import Final

from server.http import consent_wire as wire
from server.http.endpoints import consents, listing
from server.http.route import Caller, Route
from server.services.authority import Role, Rule

_PERSON = Caller.PERSON

CONSENT_ROUTES: Final = (
    Route(
        "GET",
        "/api/consents",
        consents.listed,
        _PERSON,
        "What I let clients have.",
        query=("ended",),
        answer=wire.Consents,
        errors=(401, 403, 422),
        browsers=True,
    ),
    Route(
        "DELETE",
        "/api/consents/<id>",
        consents.revoke,
        _PERSON,
        "Take a consent of mine back, and the tokens that came from it.",
        answer=wire.ConsentRevoked,
        errors=(401, 403, 404),
        browsers=True,
    ),
    Route(
        "DELETE",
        "/api/acting/<id>",
        consents.stop,
        _PERSON,
        "Stop an agent or app acting for me: its grants, consents and tokens of mine end.",
        answer=wire.StoppedActing,
        errors=(401, 403),
        browsers=True,
    ),
)

MANAGED_CONSENT_ROUTES: Final = (
    Route(
        "GET",
        "/api/admin/consents",
        consents.all_listed,
        _PERSON,
        "What people let clients have, newest first.",
        query=("client", "user", "ended", *listing.QUERY),
        answer=wire.ManagedConsents,
        errors=(401, 403, 404, 422),
        rule=Rule((Role.ADMIN, Role.AUDITOR)),
    ),
    Route(
        "POST",
        "/api/admin/consents/<id>/revoke",
        consents.end,
        _PERSON,
        "End somebody's consent, and the tokens that came from it.",
        answer=wire.ManagedConsentRevoked,
        errors=(401, 403, 404, 409, 422),
        rule=Rule((Role.ADMIN,)),
    ),
)

"""Routes of consents, for users and for administrators."""

from typing import Final

from server.http import listing
from server.http.consents import consent_wire as wire
from server.http.consents import consents
from server.http.route import Caller, Route
from server.services.operations.authority import AccessRule, Role

_PERSON = Caller.PERSON

CONSENT_ROUTES: Final = (
    Route(
        "GET",
        "/api/consents",
        consents.listed,
        _PERSON,
        "List your consents.",
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
        "Revoke a consent and the tokens that came from it.",
        answer=wire.ConsentRevoked,
        errors=(401, 403, 404),
        browsers=True,
    ),
    Route(
        "DELETE",
        "/api/acting/<id>",
        consents.stop,
        _PERSON,
        "Revoke the access of an agent or app: your grants, consents and tokens for it end.",
        answer=wire.AccessRevoked,
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
        "List the consents of all users, newest first.",
        query=("client", "user", "ended", *listing.QUERY),
        answer=wire.ManagedConsents,
        errors=(401, 403, 404, 422),
        rule=AccessRule((Role.ADMIN, Role.AUDITOR)),
    ),
    Route(
        "POST",
        "/api/admin/consents/<id>/revoke",
        consents.end,
        _PERSON,
        "Revoke a consent and the tokens that came from it.",
        answer=wire.ManagedConsentRevoked,
        errors=(401, 403, 404, 409, 422),
        rule=AccessRule((Role.ADMIN,)),
    ),
)

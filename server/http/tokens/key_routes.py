"""Routes for signing keys."""

from typing import Final

from server.http.route import ADMIN, CHANGES, READS, STAFF, Caller, Route
from server.http.tokens import key_wire, keys
from server.services.operations.authority import AccessRule

KEY_ROUTES: Final = (
    Route(
        "GET",
        "/api/keys",
        keys.listed,
        Caller.PERSON,
        "List signing keys, newest first.",
        answer=key_wire.ManagedKeys,
        errors=READS,
        rule=AccessRule(STAFF),
    ),
    Route(
        "POST",
        "/api/keys",
        keys.rotate,
        Caller.PERSON,
        "Create a new signing key and use it.",
        body=key_wire.KeyRotation,
        answer=key_wire.RotatedKey,
        status=201,
        errors=CHANGES,
        rule=AccessRule(ADMIN, signed=True),
    ),
    Route(
        "POST",
        "/api/keys/<id>/revoke",
        keys.revoke,
        Caller.PERSON,
        "Revoke a leaked signing key at once.",
        answer=key_wire.RevokedKey,
        errors=CHANGES,
        rule=AccessRule(ADMIN),
    ),
)

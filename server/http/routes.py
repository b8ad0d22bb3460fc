"""Every route, in one table. Pages are `server.web`'s; the feed's socket is in `feed.py`."""

from typing import Final

from server.http import oauth_wire, wire
from server.http.endpoints import approvals, devices, operations, protocol
from server.http.route import Caller, Route

_BACKCHANNEL = (
    "scope login_hint id_token_hint resource authorization_details binding_message "
    "requested_expiry acr_values request client_id client_secret client_assertion "
    "client_assertion_type"
)
_TOKEN = (
    "grant_type auth_req_id scope resource authorization_details code refresh_token "  # noqa: S105
    "client_id client_secret client_assertion client_assertion_type"
)
_PUBLIC, _CLIENT, _PERSON = Caller.ANYBODY, Caller.CLIENT, Caller.PERSON

ROUTES: Final = (
    Route(
        "POST",
        "/bc-authorize",
        protocol.backchannel,
        _CLIENT,
        "An agent asks for a person's approval (CIBA).",
        form=tuple(_BACKCHANNEL.split()),
        headers=("Idempotency-Key",),
        answer=oauth_wire.Acknowledgement,
        errors=(400, 401, 403),
    ),
    Route(
        "POST",
        "/token",
        protocol.token,
        _CLIENT,
        "An agent or a terminal gets tokens.",
        form=tuple(_TOKEN.split()),
        needs=("grant_type",),
        headers=("DPoP", "Idempotency-Key", "Prefer"),
        answer=oauth_wire.Tokens,
        errors=(400, 401),
    ),
    Route("GET", "/jwks", protocol.jwks, _PUBLIC, "Our public keys.", answer=oauth_wire.KeySet),
    Route(
        "GET",
        "/.well-known/openid-configuration",
        protocol.discovery,
        _PUBLIC,
        "What this issuer can do (OpenID Connect Discovery).",
        answer=oauth_wire.Metadata,
    ),
    Route(
        "GET",
        "/.well-known/oauth-authorization-server",
        protocol.discovery,
        _PUBLIC,
        "What this issuer can do (RFC 8414).",
        answer=oauth_wire.Metadata,
    ),
    Route(
        "GET",
        "/api/me",
        devices.me,
        _PERSON,
        "Who is calling, from which device.",
        answer=wire.Me,
        errors=(401, 403),
    ),
    Route(
        "GET",
        "/api/devices",
        devices.listed,
        _PERSON,
        "My devices.",
        answer=wire.Devices,
        errors=(401, 403),
    ),
    Route(
        "POST",
        "/api/devices",
        devices.register,
        _PERSON,
        "Register this terminal.",
        body=wire.NewDevice,
        answer=wire.Device,
        status=201,
        errors=(401, 403, 409, 422),
    ),
    Route(
        "POST",
        "/api/devices/self/pin",
        devices.pin,
        _PERSON,
        "The server's half of my PIN; every call is counted.",
        body=wire.PinCall,
        answer=wire.PinAnswered,
        errors=(401, 403, 404, 422, 423),
    ),
    Route(
        "POST",
        "/api/devices/self/pin/confirmation",
        devices.confirm_pin,
        _PERSON,
        "Prove that the PIN was right.",
        body=wire.SignedStatement,
        answer=wire.PinConfirmed,
        errors=(401, 403, 422),
    ),
    Route(
        "POST",
        "/api/devices/<id>/unlock",
        devices.unlock,
        _PERSON,
        "Let a locked device of mine try again.",
        body=wire.SignedStatement,
        answer=wire.Device,
        errors=(401, 403, 404, 422),
    ),
    Route(
        "POST",
        "/api/devices/<id>/vouch",
        devices.vouch,
        _PERSON,
        "Let a new device of mine decide high risk at once.",
        body=wire.SignedStatement,
        answer=wire.Device,
        errors=(401, 403, 404, 422),
    ),
    Route(
        "DELETE",
        "/api/devices/<id>",
        devices.revoke,
        _PERSON,
        "End a device of mine; `self` signs out.",
        status=204,
        errors=(401, 403, 404),
    ),
    Route(
        "GET",
        "/api/approvals",
        approvals.listed,
        _PERSON,
        "What waits for me, or is over.",
        query=("state", "limit", "cursor"),
        answer=wire.Approvals,
        errors=(401, 403, 422),
    ),
    Route(
        "GET",
        "/api/approvals/<id>",
        approvals.show,
        _PERSON,
        "One request, with the nonce that this device signs.",
        answer=wire.Approval,
        errors=(401, 403, 404),
    ),
    Route(
        "POST",
        "/api/approvals/<id>/decision",
        approvals.decide,
        _PERSON,
        "My signed answer.",
        body=wire.SignedDecision,
        answer=wire.Approval,
        errors=(401, 403, 404, 409, 422),
    ),
    Route("GET", "/api/openapi.json", operations.document, _PUBLIC, "This document."),
    Route(
        "GET",
        "/healthz",
        operations.healthy,
        _PUBLIC,
        "The process answers.",
        answer=oauth_wire.Health,
    ),
    Route(
        "GET",
        "/readyz",
        operations.ready,
        _PUBLIC,
        "The database answers.",
        answer=oauth_wire.Health,
    ),
    Route("GET", "/metrics", operations.metrics, _PUBLIC, "Counters and gauges."),
)

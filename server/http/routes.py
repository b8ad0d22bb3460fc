"""Every route, in one table. Pages are `server.web`'s; the feed's socket is in `feed.py`."""

from typing import Final

from server.http import (
    decision_wire,
    narrowing_wire,
    oauth_wire,
    outcome_wire,
    receipt_wire,
    resource_wire,
    wire,
)
from server.http.admin_routes import ADMIN_ROUTES
from server.http.attention_routes import ATTENTION_ROUTES
from server.http.consent_routes import CONSENT_ROUTES
from server.http.delegation_routes import DELEGATION_ROUTES
from server.http.deputy_routes import DEPUTY_ROUTES
from server.http.device_routes import DEVICE_ROUTES
from server.http.endpoints import (
    approvals,
    operations,
    passwords,
    protocol,
    tokens,
    user_codes,
)
from server.http.incident_routes import REPORT_ROUTES
from server.http.passkey_routes import PASSKEY_ROUTES
from server.http.push_routes import PUSH_ROUTES
from server.http.registration_routes import REGISTRATION_ROUTES
from server.http.route import Caller, Route
from server.http.standing_grant_routes import STANDING_GRANT_ROUTES

_BACKCHANNEL = (
    "scope login_hint id_token_hint login_hint_token resource authorization_details "
    "binding_message requested_expiry acr_values client_notification_token user_code "
    "supersedes risk request client_id client_secret client_assertion client_assertion_type"
)
_TOKEN = (
    "grant_type auth_req_id scope resource authorization_details code redirect_uri "  # noqa: S105  # names
    "code_verifier device_code refresh_token "
    "subject_token subject_token_type actor_token actor_token_type audience requested_token_type "
    "client_id client_secret client_assertion client_assertion_type"
)
_ABOUT = "token token_type_hint client_id client_secret client_assertion client_assertion_type"
_PUSHED = (
    "response_type redirect_uri scope state response_mode nonce prompt max_age login_hint "
    "id_token_hint acr_values claims resource code_challenge code_challenge_method "
    "requested_actor dpop_jkt authorization_details "
    "client_id client_secret client_assertion client_assertion_type"
)
_DEVICE = (
    "device_name scope resource client_id client_secret client_assertion client_assertion_type"
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
        headers=("DPoP", "Idempotency-Key"),
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
        errors=(400, 401, 403),
    ),
    Route(
        "POST",
        "/device_authorization",
        protocol.device_authorization,
        _CLIENT,
        "A terminal, or an app on a device, begins to sign in (RFC 8628).",
        form=tuple(_DEVICE.split()),
        headers=("DPoP",),
        answer=oauth_wire.DeviceAuthorization,
        errors=(400, 401),
    ),
    Route(
        "POST",
        "/par",
        protocol.pushed,
        _CLIENT,
        "An app pushes an authorization request (RFC 9126).",
        form=tuple(_PUSHED.split()),
        headers=("DPoP",),
        needs=("response_type", "redirect_uri", "scope", "code_challenge", "code_challenge_method"),
        answer=oauth_wire.Pushed,
        status=201,
        errors=(400, 401),
    ),
    *(
        Route(
            method,
            "/userinfo",
            protocol.userinfo,
            _PUBLIC,
            "What the app may know of the person (OpenID Connect).",
            headers=("Authorization", "DPoP"),
            answer=oauth_wire.UserInfo,
            errors=(401,),
            problems=True,
        )
        for method in ("GET", "POST")
    ),
    Route("GET", "/jwks", protocol.jwks, _PUBLIC, "Our public keys.", answer=oauth_wire.KeySet),
    Route(
        "POST",
        "/introspect",
        tokens.introspect,
        _CLIENT,
        "A resource asks whether a token counts (RFC 7662).",
        form=tuple(_ABOUT.split()),
        needs=("token",),
        answer=resource_wire.Introspected,
        errors=(400, 401),
    ),
    Route(
        "POST",
        "/revoke",
        tokens.revoke,
        _CLIENT,
        "A client gives a token of its own back (RFC 7009).",
        form=tuple(_ABOUT.split()),
        needs=("token",),
        answer=resource_wire.Revoked,
        errors=(400, 401),
    ),
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
    *DEVICE_ROUTES,
    Route(
        "GET",
        "/api/approvals",
        approvals.listed,
        _PERSON,
        "What waits for me, or is over.",
        query=("state", "agent", "result", "since", "until", "limit", "cursor"),
        answer=wire.Approvals,
        errors=(401, 403, 422),
        browsers=True,
    ),
    Route(
        "GET",
        "/api/approvals/<id>",
        approvals.show,
        _PERSON,
        "One request, with the nonce that this device signs.",
        answer=wire.Approval,
        errors=(401, 403, 404),
        browsers=True,
    ),
    Route(
        "GET",
        "/api/approvals/<id>/receipt",
        approvals.receipt,
        _PERSON,
        "The signed evidence of a decision, with what it takes to check it.",
        answer=receipt_wire.SignedReceipt,
        errors=(401, 403, 404),
        browsers=True,
    ),
    Route(
        "GET",
        "/api/approvals/<id>/narrowing",
        approvals.leeway,
        _PERSON,
        "What of a request may be left out or made less.",
        answer=narrowing_wire.Leeway,
        errors=(401, 403, 404, 409, 422),
        browsers=True,
    ),
    Route(
        "POST",
        "/api/approvals/<id>/narrowing",
        approvals.narrow,
        _PERSON,
        "How approving less would read; nothing is decided.",
        body=narrowing_wire.Narrowing,
        answer=narrowing_wire.Granted,
        errors=(401, 403, 404, 409, 422),
        browsers=True,
    ),
    Route(
        "POST",
        "/api/approvals/<id>/decision",
        approvals.decide,
        _PERSON,
        "My signed answer.",
        body=decision_wire.SignedDecision,
        answer=wire.Approval,
        errors=(401, 403, 404, 409, 422, 423),
        browsers=True,
    ),
    Route(
        "GET",
        "/api/user-code",
        user_codes.shown,
        _PERSON,
        "Whether agents need a user code of mine.",
        answer=wire.UserCode,
        errors=(401, 403),
        browsers=True,
    ),
    Route(
        "POST",
        "/api/user-code",
        user_codes.changed,
        _PERSON,
        "Set or clear my user code.",
        body=wire.UserCodeChange,
        answer=wire.UserCode,
        errors=(401, 403, 422),
        browsers=True,
    ),
    Route(
        "GET",
        "/api/password",
        passwords.shown,
        _PERSON,
        "Whether I have a password.",
        answer=wire.PasswordState,
        errors=(401, 403),
    ),
    Route(
        "POST",
        "/api/password",
        passwords.changed,
        _PERSON,
        "Set my password for signing in to apps.",
        body=wire.PasswordChange,
        answer=wire.PasswordChanged,
        errors=(401, 403, 422),
    ),
    *PASSKEY_ROUTES,
    *PUSH_ROUTES,
    *ATTENTION_ROUTES,
    *DEPUTY_ROUTES,
    *REPORT_ROUTES,
    *CONSENT_ROUTES,
    *DELEGATION_ROUTES,
    *STANDING_GRANT_ROUTES,
    Route(
        "POST",
        "/api/approvals/consume",
        approvals.consume,
        Caller.RESOURCE,
        "A resource spends an approval on one execution.",
        body=resource_wire.Execution,
        answer=resource_wire.Consumed,
        errors=(401, 403, 409, 422),
    ),
    Route(
        "POST",
        "/api/approvals/outcome",
        approvals.outcome,
        Caller.RESOURCE,
        "A resource says how an execution went.",
        body=outcome_wire.OutcomeReport,
        answer=outcome_wire.ReportedOutcome,
        errors=(401, 404, 409, 422),
    ),
    *REGISTRATION_ROUTES,
    *ADMIN_ROUTES,
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

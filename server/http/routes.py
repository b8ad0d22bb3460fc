"""The table of all API routes. Pages are in `server.web`; the feed's socket is in `feed.py`."""

from typing import Final

from server.http import oauth, oauth_wire
from server.http.admin_routes import ADMIN_ROUTES
from server.http.approvals import (
    approvals,
    execution_wire,
    receipt_wire,
)
from server.http.approvers.deputies import DEPUTY_ROUTES
from server.http.audit.audit_routes import PROOF_ROUTES
from server.http.ciba import user_codes
from server.http.clients.registration import REGISTRATION_ROUTES
from server.http.consents.consents import CONSENT_ROUTES
from server.http.devices import device_wire
from server.http.devices.devices import DEVICE_ROUTES
from server.http.devices.passkeys import PASSKEY_ROUTES
from server.http.incidents.incidents import REPORT_ROUTES
from server.http.notifications.attention import ATTENTION_ROUTES
from server.http.notifications.push_subscriptions import PUSH_ROUTES
from server.http.operations import operations
from server.http.route import Caller, Route, own
from server.http.standing_grants.standing_grants import STANDING_GRANT_ROUTES
from server.http.tokens import tokens
from server.http.tokens.delegations import DELEGATION_ROUTES
from server.http.users import passwords
from server.protocol import names

_BACKCHANNEL = (
    "scope login_hint id_token_hint login_hint_token resource authorization_details "
    "binding_message requested_expiry acr_values client_notification_token user_code "
    "supersedes risk request client_id client_secret client_assertion client_assertion_type"
)
_TOKEN = " ".join(
    (
        "grant_type scope resource authorization_details",
        *(one.parameters for one in (*names.AGENT_GRANT_TYPES, *names.APP_GRANT_TYPES)),
        "client_id client_secret client_assertion client_assertion_type",
    )
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
        oauth.backchannel,
        _CLIENT,
        "Ask a person for approval (CIBA).",
        form=tuple(_BACKCHANNEL.split()),
        headers=("DPoP", "Idempotency-Key"),
        answer=oauth_wire.Acknowledgement,
        errors=(400, 401, 403),
    ),
    Route(
        "POST",
        "/token",
        oauth.token,
        _CLIENT,
        "Get tokens.",
        form=tuple(_TOKEN.split()),
        needs=("grant_type",),
        headers=("DPoP", "Idempotency-Key", "Prefer"),
        answer=oauth_wire.Tokens,
        errors=(400, 401, 403),
    ),
    Route(
        "POST",
        "/device_authorization",
        oauth.device_authorization,
        _CLIENT,
        "Start signing in on a terminal, or in an app on a device (RFC 8628).",
        form=tuple(_DEVICE.split()),
        headers=("DPoP",),
        answer=device_wire.DeviceAuthorization,
        errors=(400, 401),
    ),
    Route(
        "POST",
        "/par",
        oauth.pushed,
        _CLIENT,
        "Push an authorization request (RFC 9126).",
        form=tuple(_PUSHED.split()),
        headers=("DPoP",),
        needs=("response_type", "redirect_uri", "scope", "code_challenge", "code_challenge_method"),
        answer=oauth_wire.PushedAuthorizationResponse,
        status=201,
        errors=(400, 401),
    ),
    *(
        Route(
            method,
            "/userinfo",
            oauth.userinfo,
            _PUBLIC,
            "Get the claims about the person (OpenID Connect).",
            headers=("Authorization", "DPoP"),
            answer=oauth_wire.UserInfo,
            errors=(401,),
            problems=True,
        )
        for method in ("GET", "POST")
    ),
    Route(
        "GET",
        "/jwks",
        oauth.jwks,
        _PUBLIC,
        "Get the public keys of the server.",
        answer=oauth_wire.KeySet,
    ),
    Route(
        "POST",
        "/introspect",
        tokens.introspect,
        _CLIENT,
        "Check whether a token is valid (RFC 7662).",
        form=tuple(_ABOUT.split()),
        needs=("token",),
        answer=oauth_wire.IntrospectionResponse,
        errors=(400, 401),
    ),
    Route(
        "POST",
        "/revoke",
        tokens.revoke,
        _CLIENT,
        "Revoke a token, or withdraw a request (RFC 7009).",
        form=tuple(_ABOUT.split()),
        needs=("token",),
        answer=oauth_wire.RevocationResponse,
        errors=(400, 401),
    ),
    Route(
        "GET",
        "/.well-known/openid-configuration",
        oauth.discovery,
        _PUBLIC,
        "Get the server metadata (OpenID Connect Discovery).",
        answer=oauth_wire.Metadata,
    ),
    Route(
        "GET",
        "/.well-known/oauth-authorization-server",
        oauth.discovery,
        _PUBLIC,
        "Get the server metadata (RFC 8414).",
        answer=oauth_wire.Metadata,
    ),
    *DEVICE_ROUTES,
    own(
        "GET /api/approvals",
        approvals.listed,
        "List pending or decided requests.",
        query=("state", "agent", "result", "since", "until", "limit", "cursor"),
        errors=(422,),
    ),
    own(
        "GET /api/approvals/<id>",
        approvals.show,
        "Get one request, with the nonce that this device signs.",
        errors=(404,),
    ),
    own(
        "GET /api/approvals/<id>/receipt",
        approvals.receipt,
        "Get the receipt of a decision.",
        answer=receipt_wire.SignedReceipt,
        errors=(404,),
    ),
    own(
        "GET /api/approvals/<id>/narrowing",
        approvals.narrowing_options,
        "List what can be narrowed in a request.",
        errors=(404, 409, 422),
    ),
    own(
        "POST /api/approvals/<id>/narrowing",
        approvals.narrow,
        "Preview a narrowed request without deciding it.",
        errors=(404, 409, 422),
    ),
    own(
        "POST /api/approvals/<id>/decision",
        approvals.decide,
        "Send a signed decision.",
        errors=(404, 409, 422, 423),
    ),
    own("GET /api/user-code", user_codes.shown, "Check whether you have a user code."),
    own("POST /api/user-code", user_codes.changed, "Set or remove your user code.", errors=(422,)),
    own("GET /api/password", passwords.shown, "Check whether you have a password.", browsers=False),
    own(
        "POST /api/password",
        passwords.changed,
        "Set your password for signing in to apps.",
        errors=(422,),
        browsers=False,
    ),
    *PASSKEY_ROUTES,
    *PUSH_ROUTES,
    *ATTENTION_ROUTES,
    *DEPUTY_ROUTES,
    *REPORT_ROUTES,
    *CONSENT_ROUTES,
    *DELEGATION_ROUTES,
    *STANDING_GRANT_ROUTES,
    *PROOF_ROUTES,
    Route(
        "POST",
        "/api/approvals/consume",
        approvals.consume,
        Caller.RESOURCE,
        "Consume an approval for one execution.",
        body=execution_wire.Execution,
        answer=execution_wire.ConsumedApproval,
        errors=(401, 403, 409, 422),
    ),
    Route(
        "POST",
        "/api/approvals/outcome",
        approvals.outcome,
        Caller.RESOURCE,
        "Report the outcome of an execution.",
        body=execution_wire.OutcomeReport,
        answer=execution_wire.ReportedOutcome,
        errors=(401, 404, 409, 422),
    ),
    *REGISTRATION_ROUTES,
    *ADMIN_ROUTES,
    Route("GET", "/api/openapi.json", operations.document, _PUBLIC, "Get this document."),
    Route(
        "GET",
        "/healthz",
        operations.healthy,
        _PUBLIC,
        "Check that the process runs.",
        answer=oauth_wire.Health,
    ),
    Route(
        "GET",
        "/readyz",
        operations.ready,
        _PUBLIC,
        "Check that the server can serve.",
        answer=oauth_wire.Health,
    ),
    Route("GET", "/metrics", operations.metrics, _PUBLIC, "Get metrics for Prometheus."),
)

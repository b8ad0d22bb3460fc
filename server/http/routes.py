"""The table of all API routes. Pages are in `server.web`; the feed's socket is in `feed.py`."""

from dataclasses import replace
from typing import Final

from server.http import oauth, oauth_wire
from server.http.approvals import approvals, execution_wire
from server.http.approvals.oversight import OVERSIGHT_ROUTES
from server.http.approvers.deputies import DEPUTY_ROUTES, MANAGED_DEPUTY_ROUTES
from server.http.approvers.groups import GROUP_ROUTES
from server.http.audit.audit import AUDIT_ROUTES
from server.http.audit.proofs import PROOF_ROUTES
from server.http.ciba import user_codes
from server.http.clients.agents import AGENT_ROUTES
from server.http.clients.apps import APP_ROUTES
from server.http.clients.registration import REGISTRATION_ROUTES
from server.http.consents.consents import CONSENT_ROUTES, MANAGED_CONSENT_ROUTES
from server.http.devices import device_wire
from server.http.devices.devices import DEVICE_ROUTES, MANAGED_DEVICE_ROUTES
from server.http.devices.passkeys import PASSKEY_ROUTES
from server.http.incidents.incidents import REPORT_ROUTES
from server.http.notifications.attention import ATTENTION_ROUTES
from server.http.notifications.push_subscriptions import PUSH_ROUTES
from server.http.operations import operations
from server.http.operations.statistics import STATISTICS_ROUTES
from server.http.policy.action_types import ACTION_TYPE_ROUTES
from server.http.policy.policy import POLICY_ROUTES
from server.http.resources.resources import RESOURCE_ROUTES
from server.http.route import Caller, Route
from server.http.standing_grants.standing_grants import (
    MANAGED_STANDING_GRANT_ROUTES,
    STANDING_GRANT_ROUTES,
)
from server.http.tokens import tokens
from server.http.tokens.delegations import DELEGATION_ROUTES, MANAGED_DELEGATION_ROUTES
from server.http.tokens.keys import KEY_ROUTES
from server.http.tokens.security_events import SECURITY_EVENT_ROUTES
from server.http.users import passwords
from server.http.users.users import USER_ROUTES
from server.protocol import names

_ROUTES: Final = (
    *STATISTICS_ROUTES,
    *USER_ROUTES,
    *AGENT_ROUTES,
    *APP_ROUTES,
    *GROUP_ROUTES,
    *RESOURCE_ROUTES,
    *ACTION_TYPE_ROUTES,
    *POLICY_ROUTES,
    *OVERSIGHT_ROUTES,
    *MANAGED_DELEGATION_ROUTES,
    *MANAGED_DEVICE_ROUTES,
    *KEY_ROUTES,
    *AUDIT_ROUTES,
    *MANAGED_CONSENT_ROUTES,
    *MANAGED_DEPUTY_ROUTES,
    *MANAGED_STANDING_GRANT_ROUTES,
)

ADMIN_ROUTES: Final = tuple(replace(route, browsers=True) for route in _ROUTES)
"""Browsers may call all of them: a passkey replaces the terminal's high-risk key."""


_BACKCHANNEL_PARAMETERS = (
    "scope login_hint id_token_hint login_hint_token resource authorization_details "
    "binding_message requested_expiry acr_values client_notification_token user_code "
    "supersedes risk request client_id client_secret client_assertion client_assertion_type"
)
_TOKEN_PARAMETERS = " ".join(
    (
        "grant_type scope resource authorization_details",
        *(grant.parameters for grant in (*names.AGENT_GRANT_TYPES, *names.APP_GRANT_TYPES)),
        "client_id client_secret client_assertion client_assertion_type",
    )
)
_INTROSPECTION_PARAMETERS = (
    "token token_type_hint client_id client_secret client_assertion client_assertion_type"
)
_PAR_PARAMETERS = (
    "response_type redirect_uri scope state response_mode nonce prompt max_age login_hint "
    "id_token_hint acr_values claims resource code_challenge code_challenge_method "
    "requested_actor dpop_jkt authorization_details "
    "client_id client_secret client_assertion client_assertion_type"
)
_DEVICE_PARAMETERS = (
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
        form=tuple(_BACKCHANNEL_PARAMETERS.split()),
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
        form=tuple(_TOKEN_PARAMETERS.split()),
        required_parameters=("grant_type",),
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
        form=tuple(_DEVICE_PARAMETERS.split()),
        headers=("DPoP",),
        answer=device_wire.DeviceAuthorization,
        errors=(400, 401),
    ),
    Route(
        "POST",
        "/par",
        oauth.push_request,
        _CLIENT,
        "Push an authorization request (RFC 9126).",
        form=tuple(_PAR_PARAMETERS.split()),
        headers=("DPoP",),
        required_parameters=(
            "response_type",
            "redirect_uri",
            "scope",
            "code_challenge",
            "code_challenge_method",
        ),
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
        form=tuple(_INTROSPECTION_PARAMETERS.split()),
        required_parameters=("token",),
        answer=oauth_wire.IntrospectionResponse,
        errors=(400, 401),
    ),
    Route(
        "POST",
        "/revoke",
        tokens.revoke,
        _CLIENT,
        "Revoke a token, or withdraw a request (RFC 7009).",
        form=tuple(_INTROSPECTION_PARAMETERS.split()),
        required_parameters=("token",),
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
    approvals.list_approvals,
    approvals.show,
    approvals.receipt,
    approvals.narrowing_options,
    approvals.narrow,
    approvals.decide,
    user_codes.show_user_code,
    user_codes.set_user_code,
    passwords.show_password,
    passwords.set_password,
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
    *SECURITY_EVENT_ROUTES,
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

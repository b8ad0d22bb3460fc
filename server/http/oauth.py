"""The OAuth and OpenID Connect endpoints."""

from collections.abc import Mapping
from dataclasses import replace

from server.http import oauth_wire
from server.http.devices.device_wire import DeviceAuthorization
from server.http.route import NO_STORE, Caller, HttpRequest, HttpResponse, as_json, route
from server.http.site import Site
from server.model.tokens import published
from server.protocol import forms, metadata, names
from server.protocol.ciba import requests
from server.protocol.clients import client_auth
from server.protocol.forms import Form
from server.protocol.tokens import introspection
from server.services.clients.client_auth import (
    Client,
    confidential_client,
    only_agent,
    only_app,
    only_token_client,
)
from server.services.tokens.endpoint import TokenRequest

_CLIENT = ("client_id", "client_secret", "client_assertion", "client_assertion_type")


@route(
    "POST /bc-authorize",
    Caller.CLIENT,
    form=(
        *("scope", "login_hint", "id_token_hint", "login_hint_token", "resource"),
        *("authorization_details", "binding_message", "requested_expiry", "acr_values"),
        *("client_notification_token", "user_code", "supersedes", "risk", "request"),
        *_CLIENT,
    ),
    headers=("DPoP", "Idempotency-Key"),
    answer=oauth_wire.Acknowledgement,
    errors=(400, 401, 403),
)
def backchannel(site: Site, request: HttpRequest) -> HttpResponse:
    """Ask a person for approval (CIBA).

    CIBA Core 7.
    """
    form, client = _read_client_form(site, request)
    agent = only_agent(client)
    answer = site.ciba.requests.start(
        agent,
        form,
        idempotency_key=request.headers.get("idempotency-key"),
        peer=request.peer,
        proofs=request.proofs,
    )
    return as_json(200, answer, _next_nonce(site, request))


@route(
    "POST /token",
    Caller.CLIENT,
    form=(
        *("grant_type", "scope", "resource", "authorization_details"),
        *" ".join(grant.parameters for grant in names.AGENT_GRANT_TYPES).split(),
        *" ".join(grant.parameters for grant in names.APP_GRANT_TYPES).split(),
        *_CLIENT,
    ),
    required_parameters=("grant_type",),
    headers=("DPoP", "Idempotency-Key", "Prefer"),
    answer=oauth_wire.Tokens,
    errors=(400, 401, 403),
)
def token(site: Site, request: HttpRequest) -> HttpResponse:
    """Get tokens.

    RFC 6749 3.2.
    """
    wait = requests.preferred_wait(request.headers.get("prefer"))
    answer = site.tokens.endpoint.exchange(
        TokenRequest(
            form=_read_form(request),
            authorization=request.headers.get("authorization"),
            proofs=request.proofs,
            idempotency_key=request.headers.get("idempotency-key"),
            wait=wait,
            peer=request.peer,
            waited_ms=max(0, site.clock.now() - request.at),
        )
    )
    applied = {"Preference-Applied": f"wait={wait}"} if wait else {}
    return as_json(200, answer, {**applied, **_next_nonce(site, request)})


@route(
    "POST /device_authorization",
    Caller.CLIENT,
    form=("device_name", "scope", "resource", *_CLIENT),
    headers=("DPoP",),
    answer=DeviceAuthorization,
    errors=(400, 401),
)
def device_authorization(site: Site, request: HttpRequest) -> HttpResponse:
    """Start signing in on a terminal, or in an app on a device (RFC 8628).

    RFC 8628 3.1.
    """
    answer = site.devices.grant.start(
        _read_form(request),
        authorization=request.headers.get("authorization"),
        proofs=request.proofs,
        peer=request.peer,
    )
    return as_json(200, answer)


@route(
    "POST /par",
    Caller.CLIENT,
    form=(
        *("response_type", "redirect_uri", "scope", "state", "response_mode", "nonce", "prompt"),
        *("max_age", "login_hint", "id_token_hint", "acr_values", "claims", "resource"),
        *("code_challenge", "code_challenge_method", "requested_actor", "dpop_jkt"),
        *("authorization_details", *_CLIENT),
    ),
    required_parameters=(
        *("response_type", "redirect_uri", "scope", "code_challenge", "code_challenge_method"),
    ),
    headers=("DPoP",),
    answer=oauth_wire.PushedAuthorizationResponse,
    status=201,
    errors=(400, 401),
)
def push_request(site: Site, request: HttpRequest) -> HttpResponse:
    """Push an authorization request (RFC 9126).

    RFC 9126 2.
    """
    form, client = _read_client_form(site, request, register_unknown=True)
    answer = site.sign_in.authorize.push(only_app(client), form, request.proofs, peer=request.peer)
    return as_json(201, answer, _next_nonce(site, request))


@route(
    "GET /userinfo",
    Caller.ANYBODY,
    headers=("Authorization", "DPoP"),
    answer=oauth_wire.UserInfo,
    errors=(401,),
    problems=True,
)
def userinfo(site: Site, request: HttpRequest) -> HttpResponse:
    """Get the claims about the person (OpenID Connect).

    OpenID Connect Core 5.3.
    """
    return as_json(200, site.sign_in.userinfo.claims(site.device_call(request)))


userinfo_by_post = replace(userinfo, method="POST")


@route("GET /jwks", Caller.ANYBODY, answer=oauth_wire.KeySet)
def jwks(site: Site) -> HttpResponse:
    """Get the public keys of the server.

    RFC 7517 5.
    """
    with site.store.read() as view:
        keys = published(view.directory.signing_keys(), view.now)
    return as_json(200, {"keys": [dict(key.public_jwk) for key in keys]}, _PUBLIC)


@route(f"GET {metadata.OPENID}", Caller.ANYBODY, answer=oauth_wire.Metadata)
def discovery(site: Site) -> HttpResponse:
    """Get the server metadata (OpenID Connect Discovery).

    RFC 8414 3, OpenID Connect Discovery 4.
    """
    with site.store.read() as view:
        types = [action.type for action in view.actions.all()]
        keys = published(view.directory.signing_keys(), view.now)
    algs = sorted({key.alg for key in keys})
    policy = site.server_policy
    document = metadata.document(
        policy.issuer,
        types,
        algs,
        introspection_alg=policy.access_token_alg,
        client_documents=policy.unknown_clients != "never",
    )
    return as_json(200, document, _PUBLIC)


oauth_discovery = replace(
    discovery, path=metadata.AUTHORIZATION_SERVER, summary="Get the server metadata (RFC 8414)."
)


_INTROSPECT = ("token", "token_type_hint", *_CLIENT)


@route(
    "POST /introspect",
    Caller.CLIENT,
    form=_INTROSPECT,
    required_parameters=("token",),
    answer=oauth_wire.IntrospectionResponse,
    errors=(400, 401),
)
def introspect(site: Site, request: HttpRequest) -> HttpResponse:
    """Check whether a token is valid (RFC 7662).

    RFC 7662 2.
    """
    form, client = _read_client_form(site, request)
    caller = confidential_client(client)
    answer = site.tokens.introspection.inspect(caller, form.require("token"))
    if introspection.wants_jwt(request.headers.get("accept")):
        signed = site.tokens.introspection.sign_response(caller, answer)
        headers = {**NO_STORE, "Content-Type": introspection.JWT_MEDIA_TYPE}
        return HttpResponse(200, signed.encode(), headers)
    return as_json(200, answer)


@route(
    "POST /revoke",
    Caller.CLIENT,
    form=_INTROSPECT,
    required_parameters=("token",),
    answer=oauth_wire.RevocationResponse,
    errors=(400, 401),
)
def revoke(site: Site, request: HttpRequest) -> dict[str, object]:
    """Revoke a token, or withdraw a request (RFC 7009).

    RFC 7009 2.
    """
    form, client = _read_client_form(site, request)
    site.tokens.revocation.revoke(only_token_client(client), form.require("token"))
    return {}


def _read_form(request: HttpRequest) -> Form:
    return forms.parse(request.body, request.headers.get("content-type", ""))


def _read_client_form(
    site: Site, request: HttpRequest, *, register_unknown: bool = False
) -> tuple[Form, Client]:
    """Return the form, and the client that authenticated with it."""
    form = _read_form(request)
    credentials = client_auth.read_credentials(request.headers.get("authorization"), form)
    return form, site.clients.auth.authenticate(credentials, register_unknown=register_unknown)


def _next_nonce(site: Site, request: HttpRequest) -> Mapping[str, str]:
    """The header with a new DPoP nonce, if the request has a proof."""
    return site.users.proofs.next_nonce(site.clock.now()) if request.proofs else {}


_PUBLIC = {**NO_STORE, "Access-Control-Allow-Origin": "*"}

"""The OAuth and OpenID Connect endpoints."""

from server.http.route import NO_STORE, HttpRequest, HttpResponse, as_json
from server.http.site import Site
from server.model.tokens import published
from server.protocol import forms, metadata
from server.protocol.ciba import requests
from server.protocol.clients import client_auth
from server.services.clients.client_auth import require_agent, require_app
from server.services.tokens.endpoint import TokenRequest
from server.services.users.device_auth import DeviceCall


def backchannel(site: Site, request: HttpRequest) -> HttpResponse:
    """POST /bc-authorize (CIBA Core 7)."""
    form = forms.parse(request.body, request.headers.get("content-type", ""))
    credentials = client_auth.read_credentials(request.headers.get("authorization"), form)
    agent = require_agent(site.clients.auth.authenticate(credentials))
    answer = site.ciba.requests.start(
        agent,
        form,
        idempotency_key=request.headers.get("idempotency-key"),
        peer=request.peer,
        proofs=request.proofs,
    )
    nonce = site.users.proofs.next_nonce(site.clock.now()) if request.proofs else {}
    return as_json(200, answer, nonce)


def push_request(site: Site, request: HttpRequest) -> HttpResponse:
    """POST /par (RFC 9126 2)."""
    form = forms.parse(request.body, request.headers.get("content-type", ""))
    credentials = client_auth.read_credentials(request.headers.get("authorization"), form)
    app = require_app(site.clients.auth.authenticate(credentials, register_unknown=True))
    answer = site.sign_in.authorize.push(app, form, request.proofs, peer=request.peer)
    nonce = site.users.proofs.next_nonce(site.clock.now()) if request.proofs else {}
    return as_json(201, answer, nonce)


def userinfo(site: Site, request: HttpRequest) -> HttpResponse:
    """GET and POST /userinfo (OpenID Connect Core 5.3)."""
    url = site.server_policy.issuer + request.path
    call = DeviceCall(request.headers.get("authorization"), request.proofs, request.method, url)
    return as_json(200, site.sign_in.userinfo.claims(call))


def token(site: Site, request: HttpRequest) -> HttpResponse:
    """POST /token (RFC 6749 3.2)."""
    wait = requests.preferred_wait(request.headers.get("prefer"))
    answer = site.tokens.endpoint.exchange(
        TokenRequest(
            form=forms.parse(request.body, request.headers.get("content-type", "")),
            authorization=request.headers.get("authorization"),
            proofs=request.proofs,
            idempotency_key=request.headers.get("idempotency-key"),
            wait=wait,
            peer=request.peer,
            waited_ms=max(0, site.clock.now() - request.at),
        )
    )
    applied = {"Preference-Applied": f"wait={wait}"} if wait else {}
    nonce = site.users.proofs.next_nonce(site.clock.now()) if request.proofs else {}
    return as_json(200, answer, {**applied, **nonce})


def device_authorization(site: Site, request: HttpRequest) -> HttpResponse:
    """POST /device_authorization (RFC 8628 3.1)."""
    answer = site.devices.grant.start(
        forms.parse(request.body, request.headers.get("content-type", "")),
        authorization=request.headers.get("authorization"),
        proofs=request.proofs,
        peer=request.peer,
    )
    return as_json(200, answer)


def jwks(site: Site, _request: HttpRequest) -> HttpResponse:
    """GET /jwks (RFC 7517 5)."""
    with site.store.read() as view:
        keys = published(view.directory.signing_keys(), view.now)
    return as_json(200, {"keys": [dict(key.public_jwk) for key in keys]}, _PUBLIC)


def discovery(site: Site, _request: HttpRequest) -> HttpResponse:
    """GET /.well-known/… (RFC 8414 3, OpenID Connect Discovery 4)."""
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


_PUBLIC = {**NO_STORE, "Access-Control-Allow-Origin": "*"}

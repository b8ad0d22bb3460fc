"""Endpoints to introspect and revoke tokens."""

from server.http.route import NO_STORE, HttpRequest, HttpResponse, as_json
from server.http.site import Site
from server.protocol import forms
from server.protocol.clients import client_auth
from server.protocol.forms import Form
from server.protocol.tokens import introspection
from server.services.clients.client_auth import Client, require_confidential, require_token_client


def introspect(site: Site, request: HttpRequest) -> HttpResponse:
    """POST /introspect (RFC 7662 2)."""
    form, client = _read(site, request)
    caller = require_confidential(client)
    answer = site.tokens.introspection.inspect(caller, form.require("token"))
    if introspection.wants_jwt(request.headers.get("accept")):
        signed = site.tokens.introspection.sign_response(caller, answer)
        headers = {**NO_STORE, "Content-Type": introspection.JWT_MEDIA_TYPE}
        return HttpResponse(200, signed.encode(), headers)
    return as_json(200, answer)


def revoke(site: Site, request: HttpRequest) -> dict[str, object]:
    """POST /revoke (RFC 7009 2)."""
    form, client = _read(site, request)
    site.tokens.revocation.revoke(require_token_client(client), form.require("token"))
    return {}


def _read(site: Site, request: HttpRequest) -> tuple[Form, Client]:
    """Return the form, and the client that authenticated with it."""
    form = forms.parse(request.body, request.headers.get("content-type", ""))
    credentials = client_auth.read_credentials(request.headers.get("authorization"), form)
    return form, site.clients.auth.authenticate(credentials)

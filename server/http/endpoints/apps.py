"""Administration of interactive clients of people."""

import json

from server.http import admin_bodies as bodies
from server.http import admin_documents as documents
from server.http import app_wire as wire
from server.http.endpoints import listing
from server.http.message import NO_STORE, HttpRequest, HttpResponse, as_json
from server.http.site import Site
from server.http.wire import read
from server.protocol import names
from server.services import paging
from server.services.administration import Desk
from server.services.app_forms import AppChanges, NewApp


def listed(_site: Site, request: HttpRequest, desk: Desk) -> HttpResponse:
    """GET /api/apps."""
    where, limit = listing.cursor(request), listing.limit(request)
    part = paging.after(desk.apps.all(), lambda app: app.name.casefold(), where, limit)
    items = [wire.document(app) for app in part.items]
    answer = wire.ManagedApps(items=items, next=documents.write_cursor(part.next))
    return as_json(200, answer.model_dump())


def add(_site: Site, request: HttpRequest, desk: Desk) -> HttpResponse:
    """POST /api/apps."""
    given = desk.apps.add(_new(read(wire.NewClient, request.body)), by=desk.by)
    answer = wire.GivenAppSecret(app=wire.document(given.app), client_secret=given.secret or None)
    return as_json(201, answer.model_dump())


def show(_site: Site, request: HttpRequest, desk: Desk) -> HttpResponse:
    """GET /api/apps/<id>."""
    document = wire.document(desk.apps.show(request.params["id"]))
    return as_json(200, document.model_dump(), documents.tag(document.version))


def update(_site: Site, request: HttpRequest, desk: Desk) -> HttpResponse:
    """PATCH /api/apps/<id>."""
    changes = _changes(read(wire.ClientChanges, request.body))
    document = wire.document(desk.apps.update(request.params["id"], changes, by=desk.by))
    return as_json(200, document.model_dump(), documents.tag(document.version))


def rotate(_site: Site, request: HttpRequest, desk: Desk) -> HttpResponse:
    """POST /api/apps/<id>/secret."""
    body = read(bodies.Rotation, request.body)
    given = desk.apps.rotate_secret(
        request.params["id"], by=desk.by, overlap_ms=body.overlap * 1000
    )
    answer = wire.GivenAppSecret(app=wire.document(given.app), client_secret=given.secret)
    return as_json(200, answer.model_dump())


def delete(_site: Site, request: HttpRequest, desk: Desk) -> HttpResponse:
    """DELETE /api/apps/<id>."""
    desk.apps.delete(request.params["id"], by=desk.by)
    return HttpResponse(204, headers=NO_STORE)


def _new(body: wire.NewClient) -> NewApp:
    return NewApp(
        name=body.name,
        redirect_uris=tuple(body.redirect_uris),
        auth_method=body.auth_method,
        jwks="" if body.jwks is None else json.dumps(body.jwks),
        post_logout_redirect_uris=tuple(body.post_logout_redirect_uris),
        grant_types=names.USUAL_APP_GRANTS if body.grant_types is None else tuple(body.grant_types),
        resources=tuple(body.resources),
        scopes=tuple(body.scopes),
        id_token_alg=body.id_token_signed_response_alg,
        dpop_bound=body.dpop_bound_access_tokens,
        action_types=_optional(body.action_types),
    )


def _changes(body: wire.ClientChanges) -> AppChanges:
    return AppChanges(
        name=body.name,
        redirect_uris=_optional(body.redirect_uris),
        post_logout_redirect_uris=_optional(body.post_logout_redirect_uris),
        jwks=None if body.jwks is None else json.dumps(body.jwks),
        grant_types=_optional(body.grant_types),
        resources=_optional(body.resources),
        scopes=_optional(body.scopes),
        id_token_alg=body.id_token_signed_response_alg,
        dpop_bound=body.dpop_bound_access_tokens,
        action_types=_optional(body.action_types),
        any_action="action_types" in body.model_fields_set and body.action_types is None,
        enabled=body.enabled,
    )


def _optional(values: list[str] | None) -> tuple[str, ...] | None:
    return None if values is None else tuple(values)

"""Administration of protected APIs."""

from collections.abc import Mapping

from server.http import admin_bodies as bodies
from server.http import admin_documents as documents
from server.http import admin_wire as wire
from server.http.endpoints import listing
from server.http.message import HttpRequest, HttpResponse, as_json
from server.http.site import Site
from server.http.wire import read
from server.protocol.risks import Risk
from server.services.administration import Desk
from server.services.resources import ResourceChanges


def listed(_site: Site, request: HttpRequest, desk: Desk) -> HttpResponse:
    """GET /api/resources."""
    part = desk.resources.page(listing.cursor(request), listing.limit(request))
    items = [documents.resource(resource) for resource in part.items]
    answer = wire.ManagedResources(items=items, next=documents.write_cursor(part.next))
    return as_json(200, answer.model_dump())


def add(_site: Site, request: HttpRequest, desk: Desk) -> HttpResponse:
    """POST /api/resources."""
    body = read(bodies.NewResource, request.body)
    given = desk.resources.add(
        body.uri,
        _risks(body.scopes),
        body.requires,
        by=desk.by,
        token_seconds=body.token_seconds,
    )
    return as_json(201, documents.resource_secret(given).model_dump())


def show(_site: Site, request: HttpRequest, desk: Desk) -> HttpResponse:
    """GET /api/resources/<id>."""
    document = documents.resource(desk.resources.by_id(request.params["id"]))
    return as_json(200, document.model_dump(), documents.tag(document.version))


def update(_site: Site, request: HttpRequest, desk: Desk) -> HttpResponse:
    """PATCH /api/resources/<id>."""
    body = read(bodies.ResourceChanges, request.body)
    usual = "token_seconds" in body.model_fields_set and body.token_seconds is None
    changes = ResourceChanges(
        _risks(body.scopes),
        tuple(body.without),
        body.requires,
        body.token_seconds,
        usual_token_seconds=usual,
    )
    uri = desk.resources.by_id(request.params["id"]).uri
    document = documents.resource(desk.resources.update(uri, changes, by=desk.by))
    return as_json(200, document.model_dump(), documents.tag(document.version))


def rotate(_site: Site, request: HttpRequest, desk: Desk) -> HttpResponse:
    """POST /api/resources/<id>/secret."""
    body = read(bodies.Rotation, request.body)
    uri = desk.resources.by_id(request.params["id"]).uri
    given = desk.resources.rotate_secret(uri, by=desk.by, overlap_ms=body.overlap * 1000)
    return as_json(200, documents.resource_secret(given).model_dump())


def delete(_site: Site, request: HttpRequest, desk: Desk) -> HttpResponse:
    """DELETE /api/resources/<id>: answers what ended with it."""
    uri = desk.resources.by_id(request.params["id"]).uri
    deleted = desk.resources.delete(uri, by=desk.by)
    answer = wire.DeletedResource(
        uri=uri,
        tokens_revoked=deleted.tokens_revoked,
        requests_cancelled=deleted.requests_cancelled,
        agents_narrowed=list(deleted.agents_narrowed),
        apps_narrowed=list(deleted.apps_narrowed),
    )
    return as_json(200, answer.model_dump())


def _risks(scopes: Mapping[str, str]) -> dict[str, Risk]:
    return {name: Risk(word) for name, word in scopes.items()}

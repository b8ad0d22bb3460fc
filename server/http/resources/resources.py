"""Endpoints to administer resources."""

from collections.abc import Mapping

from server.http import listing
from server.http.message import HttpRequest, HttpResponse, as_json
from server.http.resources import resource_wire
from server.http.site import Site
from server.http.wire import Rotation, read, tag
from server.protocol.policy.risks import Risk
from server.services.operations.administration import AdminServices
from server.services.resources.resources import ResourceChanges


def listed(_site: Site, request: HttpRequest, admin: AdminServices) -> HttpResponse:
    """GET /api/resources."""
    part = admin.resources.page(listing.cursor(request), listing.limit(request))
    items = [resource_wire.resource(resource) for resource in part.items]
    answer = resource_wire.ManagedResources(items=items, next=listing.write_cursor(part.next))
    return as_json(200, answer.model_dump())


def add(_site: Site, request: HttpRequest, admin: AdminServices) -> HttpResponse:
    """POST /api/resources."""
    body = read(resource_wire.NewResource, request.body)
    given = admin.resources.add(
        body.uri,
        _risks(body.scopes),
        body.requires,
        by=admin.by,
        token_seconds=body.token_seconds,
        default_scopes=body.default_scopes,
        unknown_clients=body.unknown_clients,
    )
    return as_json(201, resource_wire.resource_secret(given).model_dump())


def show(_site: Site, request: HttpRequest, admin: AdminServices) -> HttpResponse:
    """GET /api/resources/<id>."""
    document = resource_wire.resource(admin.resources.by_id(request.params["id"]))
    return as_json(200, document.model_dump(), tag(document.version))


def update(_site: Site, request: HttpRequest, admin: AdminServices) -> HttpResponse:
    """PATCH /api/resources/<id>."""
    body = read(resource_wire.ResourceChanges, request.body)
    usual = "token_seconds" in body.model_fields_set and body.token_seconds is None
    changes = ResourceChanges(
        _risks(body.scopes),
        tuple(body.without),
        body.requires,
        body.token_seconds,
        usual_token_seconds=usual,
        default_scopes=None if body.default_scopes is None else tuple(body.default_scopes),
        unknown_clients=body.unknown_clients,
    )
    uri = admin.resources.by_id(request.params["id"]).uri
    document = resource_wire.resource(admin.resources.update(uri, changes, by=admin.by))
    return as_json(200, document.model_dump(), tag(document.version))


def rotate(_site: Site, request: HttpRequest, admin: AdminServices) -> HttpResponse:
    """POST /api/resources/<id>/secret."""
    body = read(Rotation, request.body)
    uri = admin.resources.by_id(request.params["id"]).uri
    given = admin.resources.rotate_secret(uri, by=admin.by, overlap_ms=body.overlap * 1000)
    return as_json(200, resource_wire.resource_secret(given).model_dump())


def delete(_site: Site, request: HttpRequest, admin: AdminServices) -> HttpResponse:
    """DELETE /api/resources/<id>: returns what ended with it."""
    uri = admin.resources.by_id(request.params["id"]).uri
    deleted = admin.resources.delete(uri, by=admin.by)
    answer = resource_wire.DeletedResource(
        uri=uri,
        tokens_revoked=deleted.tokens_revoked,
        requests_cancelled=deleted.requests_cancelled,
        agents_narrowed=list(deleted.agents_narrowed),
        apps_narrowed=list(deleted.apps_narrowed),
    )
    return as_json(200, answer.model_dump())


def _risks(scopes: Mapping[str, str]) -> dict[str, Risk]:
    return {name: Risk(word) for name, word in scopes.items()}

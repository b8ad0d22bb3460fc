"""Endpoints of action types. The body is the file itself."""

from server.http import listing
from server.http.message import NO_STORE, HttpRequest, HttpResponse, as_json
from server.http.policy import action_type_wire
from server.http.site import Site
from server.http.wire import read, tag
from server.protocol import errors
from server.protocol.names import name_id
from server.services.operations.administration import AdminServices
from server.services.policy import action_types


def listed(_site: Site, request: HttpRequest, admin: AdminServices) -> HttpResponse:
    """GET /api/actions."""
    part = admin.actions.page(listing.cursor(request), listing.limit(request))
    items = [action_type_wire.action(row) for row in part.items]
    answer = action_type_wire.ManagedActions(items=items, next=listing.write_cursor(part.next))
    return as_json(200, answer.model_dump())


def add(_site: Site, request: HttpRequest, admin: AdminServices) -> HttpResponse:
    """POST /api/actions."""
    row = admin.actions.add(_file(request), by=admin.by)
    return as_json(201, action_type_wire.action(row).model_dump())


def preview(_site: Site, request: HttpRequest, admin: AdminServices) -> HttpResponse:
    """POST /api/actions/preview: how an approver would see it; registers nothing."""
    body = read(action_type_wire.ActionTrial, request.body)
    found = admin.previews.of(body.document, body.details)
    return as_json(200, action_type_wire.preview(found).model_dump())


def show(_site: Site, request: HttpRequest, admin: AdminServices) -> HttpResponse:
    """GET /api/actions/<id>."""
    document = action_type_wire.action(admin.actions.by_id(request.params["id"]))
    return as_json(200, document.model_dump(), tag(document.version))


def replace(_site: Site, request: HttpRequest, admin: AdminServices) -> HttpResponse:
    """PUT /api/actions/<id>: the next version of the type."""
    file = _file(request)
    if name_id(action_types.read(file).type) != request.params["id"]:
        raise errors.Problem(422, "invalid_body", "The file is about another type.")
    document = action_type_wire.action(admin.actions.update(file, by=admin.by))
    return as_json(200, document.model_dump(), tag(document.version))


def delete(_site: Site, request: HttpRequest, admin: AdminServices) -> HttpResponse:
    """DELETE /api/actions/<id>."""
    admin.actions.delete(admin.actions.by_id(request.params["id"]).type, by=admin.by)
    return HttpResponse(204, headers=NO_STORE)


def _file(request: HttpRequest) -> str:
    try:
        return request.body.decode()
    except UnicodeDecodeError as error:
        raise errors.Problem(422, "invalid_body", "The file is not UTF-8.") from error

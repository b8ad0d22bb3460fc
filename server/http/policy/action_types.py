"""Endpoints of action types. The body is the file itself."""

from typing import Final

from server.http import listing
from server.http.policy import action_type_wire as wire
from server.http.route import READS, HttpRequest, managed
from server.http.site import Site
from server.protocol import errors
from server.protocol.names import name_id
from server.services.operations.administration import AdminServices
from server.services.policy import action_types


def listed(_site: Site, request: HttpRequest, admin: AdminServices) -> wire.ManagedActions:
    """GET /api/actions."""
    part = admin.actions.page(listing.cursor(request), listing.limit(request))
    return listing.page(wire.ManagedActions, part, wire.action)


def add(_site: Site, request: HttpRequest, admin: AdminServices) -> wire.ManagedAction:
    """POST /api/actions."""
    row = admin.actions.add(_file(request), by=admin.by)
    return wire.action(row)


def preview(
    _site: Site, _request: HttpRequest, admin: AdminServices, body: wire.ActionPreviewInput
) -> wire.ActionPreview:
    """POST /api/actions/preview: how an approver would see it; registers nothing."""
    found = admin.previews.of(body.document, body.details)
    return wire.preview(found)


def show(_site: Site, request: HttpRequest, admin: AdminServices) -> wire.ManagedAction:
    """GET /api/actions/<id>."""
    return wire.action(admin.actions.by_id(request.params["id"]))


def replace(_site: Site, request: HttpRequest, admin: AdminServices) -> wire.ManagedAction:
    """PUT /api/actions/<id>: the next version of the type."""
    file = _file(request)
    if name_id(action_types.read(file).type) != request.params["id"]:
        raise errors.Problem(422, "invalid_body", "The file is about another type.")
    return wire.action(admin.actions.update(file, by=admin.by))


def delete(_site: Site, request: HttpRequest, admin: AdminServices) -> None:
    """DELETE /api/actions/<id>."""
    admin.actions.delete(admin.actions.by_id(request.params["id"]).type, by=admin.by)


def _file(request: HttpRequest) -> str:
    try:
        return request.body.decode()
    except UnicodeDecodeError as error:
        raise errors.Problem(422, "invalid_body", "The file is not UTF-8.") from error


ACTION_TYPE_ROUTES: Final = (
    managed("GET /api/actions", listed, "List action types by name.", query=listing.QUERY),
    managed(
        "POST /api/actions",
        add,
        "Register an action type. The body is its file.",
        body=wire.ActionDocument,
        status=201,
        signed=True,
    ),
    managed(
        "POST /api/actions/preview",
        preview,
        "Preview an action type without registering it.",
        errors=READS,
    ),
    managed("GET /api/actions/<id>", show, "Get one action type with its file."),
    managed(
        "PUT /api/actions/<id>",
        replace,
        "Update an action type. The body is its file.",
        body=wire.ActionDocument,
        versioned=True,
    ),
    managed("DELETE /api/actions/<id>", delete, "Delete an action type."),
)

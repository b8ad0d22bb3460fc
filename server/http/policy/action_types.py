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


@managed("GET /api/actions", query=listing.QUERY)
def listed(_site: Site, request: HttpRequest, admin: AdminServices) -> wire.ManagedActions:
    """List action types by name."""
    part = admin.actions.page(listing.cursor(request), listing.limit(request))
    return listing.page(wire.ManagedActions, part, wire.action)


@managed("POST /api/actions", body=wire.ActionDocument, status=201, signed=True)
def add(_site: Site, request: HttpRequest, admin: AdminServices) -> wire.ManagedAction:
    """Register an action type. The body is its file."""
    row = admin.actions.add(_file(request), by=admin.by)
    return wire.action(row)


@managed("POST /api/actions/preview", errors=READS)
def preview(
    _site: Site, _request: HttpRequest, admin: AdminServices, body: wire.ActionPreviewInput
) -> wire.ActionPreview:
    """Preview an action type without registering it."""
    found = admin.previews.of(body.document, body.details)
    return wire.preview(found)


@managed("GET /api/actions/<id>")
def show(_site: Site, request: HttpRequest, admin: AdminServices) -> wire.ManagedAction:
    """Get one action type with its file."""
    return wire.action(admin.actions.by_id(request.params["id"]))


@managed("PUT /api/actions/<id>", body=wire.ActionDocument, versioned=True)
def replace(_site: Site, request: HttpRequest, admin: AdminServices) -> wire.ManagedAction:
    """Update an action type. The body is its file."""
    file = _file(request)
    if name_id(action_types.read(file).type) != request.params["id"]:
        raise errors.invalid_body("The file is about another type.")
    return wire.action(admin.actions.update(file, by=admin.by))


@managed("DELETE /api/actions/<id>")
def delete(_site: Site, request: HttpRequest, admin: AdminServices) -> None:
    """Delete an action type."""
    admin.actions.delete(admin.actions.by_id(request.params["id"]).type, by=admin.by)


def _file(request: HttpRequest) -> str:
    try:
        return request.body.decode()
    except UnicodeDecodeError as error:
        raise errors.invalid_body("The file is not UTF-8.") from error


ACTION_TYPE_ROUTES: Final = (listed, add, preview, show, replace, delete)

"""Endpoints of groups of approvers."""

from server.http import listing
from server.http.approvers import group_wire as wire
from server.http.message import NO_STORE, HttpRequest, HttpResponse, as_json
from server.http.site import Site
from server.http.wire import read, tag
from server.model.approvers import Group
from server.services import paging
from server.services.approvers.groups import GroupChanges
from server.services.operations.administration import AdminServices


def listed(_site: Site, request: HttpRequest, admin: AdminServices) -> HttpResponse:
    """GET /api/groups."""
    where, limit = listing.cursor(request), listing.limit(request)
    part = paging.after(admin.groups.all(), lambda group: group.name.casefold(), where, limit)
    items = [_document(admin, group) for group in part.items]
    answer = wire.ManagedGroups(items=items, next=listing.write_cursor(part.next))
    return as_json(200, answer.model_dump())


def add(_site: Site, request: HttpRequest, admin: AdminServices) -> HttpResponse:
    """POST /api/groups."""
    body = read(wire.NewGroup, request.body)
    return as_json(
        201, _document(admin, admin.groups.add(body.name, body.members, by=admin.by)).model_dump()
    )


def show(_site: Site, request: HttpRequest, admin: AdminServices) -> HttpResponse:
    """GET /api/groups/<id>."""
    return _answer(admin, admin.groups.show(request.params["id"]))


def update(_site: Site, request: HttpRequest, admin: AdminServices) -> HttpResponse:
    """PATCH /api/groups/<id>."""
    body = read(wire.GroupChange, request.body)
    members = None if body.members is None else tuple(body.members)
    changes = GroupChanges(name=body.name, members=members)
    return _answer(admin, admin.groups.update(request.params["id"], changes, by=admin.by))


def delete(_site: Site, request: HttpRequest, admin: AdminServices) -> HttpResponse:
    """DELETE /api/groups/<id>."""
    admin.groups.delete(request.params["id"], by=admin.by)
    return HttpResponse(204, headers=NO_STORE)


def _answer(admin: AdminServices, group: Group) -> HttpResponse:
    document = _document(admin, group)
    return as_json(200, document.model_dump(), tag(document.version))


def _document(admin: AdminServices, group: Group) -> wire.ManagedGroup:
    return wire.document(group, admin.names(group.members))

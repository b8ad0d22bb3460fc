"""Endpoints of deputies, for users and for administrators."""

from server.http.approvers import deputy_wire as wire
from server.http.message import NO_STORE, HttpRequest, HttpResponse, as_json
from server.http.site import Site
from server.http.wire import read
from server.services.operations.administration import AdminServices
from server.services.users.device_auth import Person


def listed(site: Site, _request: HttpRequest, person: Person) -> HttpResponse:
    """GET /api/deputies."""
    mine, others = site.approvers.deputies.of(person)
    answer = wire.Deputies(
        mine=[wire.deputy(one) for one in mine], others=[wire.deputy(one) for one in others]
    )
    return as_json(200, answer.model_dump(by_alias=True))


def name(site: Site, request: HttpRequest, person: Person) -> HttpResponse:
    """POST /api/deputies."""
    body = read(wire.NewDeputy, request.body)
    named = site.approvers.deputies.name(person, body.record(), body.statement)
    return as_json(201, wire.deputy(named).model_dump(by_alias=True))


def end(site: Site, request: HttpRequest, person: Person) -> HttpResponse:
    """DELETE /api/deputies/<id>."""
    site.approvers.deputies.end(person, request.params["id"])
    return HttpResponse(204, headers=NO_STORE)


def all_listed(_site: Site, _request: HttpRequest, admin: AdminServices) -> HttpResponse:
    """GET /api/admin/deputies."""
    answer = wire.ManagedDeputies(items=[wire.deputy(one) for one in admin.deputies.all()])
    return as_json(200, answer.model_dump(by_alias=True))


def revoke(_site: Site, request: HttpRequest, admin: AdminServices) -> HttpResponse:
    """POST /api/admin/deputies/<id>/revoke."""
    ended = admin.deputies.end(request.params["id"], by=admin.by)
    return as_json(200, wire.deputy(ended).model_dump(by_alias=True))

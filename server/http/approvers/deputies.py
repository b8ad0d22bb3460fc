"""Endpoints of deputies, for users and for administrators."""

from typing import Final

from server.http.approvers import deputy_wire as wire
from server.http.route import HttpRequest, managed, own
from server.http.site import Site
from server.services.operations.administration import AdminServices
from server.services.users.device_auth import Person


def listed(site: Site, _request: HttpRequest, person: Person) -> wire.Deputies:
    """GET /api/deputies."""
    mine, others = site.approvers.deputies.of(person)
    return wire.Deputies(
        mine=[wire.deputy(one) for one in mine], others=[wire.deputy(one) for one in others]
    )


def name(site: Site, _request: HttpRequest, person: Person, body: wire.NewDeputy) -> wire.Deputy:
    """POST /api/deputies."""
    named = site.approvers.deputies.name(person, body.record(), body.statement)
    return wire.deputy(named)


def end(site: Site, request: HttpRequest, person: Person) -> None:
    """DELETE /api/deputies/<id>."""
    site.approvers.deputies.end(person, request.params["id"])


def all_listed(_site: Site, _request: HttpRequest, admin: AdminServices) -> wire.ManagedDeputies:
    """GET /api/admin/deputies."""
    return wire.ManagedDeputies(items=[wire.deputy(one) for one in admin.deputies.all()])


def revoke(_site: Site, request: HttpRequest, admin: AdminServices) -> wire.Deputy:
    """POST /api/admin/deputies/<id>/revoke."""
    ended = admin.deputies.end(request.params["id"], by=admin.by)
    return wire.deputy(ended)


DEPUTY_ROUTES: Final = (
    own("GET /api/deputies", listed, "List your deputies and those you are a deputy for."),
    own(
        "POST /api/deputies",
        name,
        "Add a deputy for a time.",
        status=201,
        errors=(404, 409, 422),
    ),
    own("DELETE /api/deputies/<id>", end, "End a deputy.", errors=(404,)),
)

MANAGED_DEPUTY_ROUTES: Final = (
    managed("GET /api/admin/deputies", all_listed, "List deputies.", errors=(401, 403)),
    managed("POST /api/admin/deputies/<id>/revoke", revoke, "End a deputy."),
)

"""Endpoints of deputies, for users and for administrators."""

from server.http.approvers import deputy_wire as wire
from server.http.route import managed, own
from server.http.site import Site
from server.services.operations.administration import AdminServices
from server.services.users.device_auth import Person


@own("GET /api/deputies")
def list_deputies(site: Site, person: Person) -> wire.Deputies:
    """List your deputies and the people you are a deputy for."""
    own_deputies, deputy_for = site.approvers.deputies.list_for(person)
    return wire.Deputies(
        mine=[wire.deputy(deputy) for deputy in own_deputies],
        others=[wire.deputy(deputy) for deputy in deputy_for],
    )


@own("POST /api/deputies", status=201, errors=(404, 409, 422))
def add(site: Site, person: Person, body: wire.NewDeputy) -> wire.Deputy:
    """Add a deputy for a period."""
    deputy = site.approvers.deputies.add(person, body.record(), body.statement)
    return wire.deputy(deputy)


@own("DELETE /api/deputies/<id>", errors=(404,))
def end(site: Site, person: Person, record_id: str) -> None:
    """Revoke a deputy."""
    site.approvers.deputies.end(person, record_id)


@managed("GET /api/admin/deputies", errors=(401, 403))
def list_all(admin: AdminServices) -> wire.ManagedDeputies:
    """List deputies."""
    return wire.ManagedDeputies(items=[wire.deputy(deputy) for deputy in admin.deputies.all()])


@managed("POST /api/admin/deputies/<id>/revoke")
def revoke(admin: AdminServices, record_id: str) -> wire.Deputy:
    """Revoke a deputy."""
    deputy = admin.deputies.end(record_id, by=admin.by)
    return wire.deputy(deputy)

"""Endpoints for the person's password for apps."""

from server.http import wire
from server.http.message import HttpRequest, HttpResponse, as_json
from server.http.site import Site
from server.http.users import password_wire
from server.services.users.device_auth import Person


def shown(site: Site, _request: HttpRequest, person: Person) -> HttpResponse:
    """GET /api/password."""
    return as_json(
        200, password_wire.PasswordState(set=site.devices.passwords.is_set(person)).model_dump()
    )


def changed(site: Site, request: HttpRequest, person: Person) -> HttpResponse:
    """POST /api/password."""
    body = wire.read(password_wire.PasswordChange, request.body)
    ended = site.devices.passwords.set(person, body.password, body.statement)
    return as_json(200, password_wire.PasswordChanged(set=True, sign_ins_ended=ended).model_dump())

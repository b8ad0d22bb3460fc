"""The password with which a person signs in to apps."""

from server.http import wire
from server.http.message import HttpRequest, HttpResponse, as_json
from server.http.site import Site
from server.services.people import Person


def shown(site: Site, _request: HttpRequest, person: Person) -> HttpResponse:
    """GET /api/password."""
    return as_json(200, wire.PasswordState(set=site.passwords.is_set(person)).model_dump())


def changed(site: Site, request: HttpRequest, person: Person) -> HttpResponse:
    """POST /api/password."""
    body = wire.read(wire.PasswordChange, request.body)
    ended = site.passwords.set(person, body.password, body.statement)
    return as_json(200, wire.PasswordChanged(set=True, sign_ins_ended=ended).model_dump())

"""The code that a person wants of agents."""

from server.http import wire
from server.http.message import HttpRequest, HttpResponse, as_json
from server.http.site import Site
from server.services.people import Person


def shown(site: Site, _request: HttpRequest, person: Person) -> HttpResponse:
    """GET /api/user-code."""
    return as_json(200, wire.UserCode(set=site.user_codes.is_set(person)).model_dump())


def changed(site: Site, request: HttpRequest, person: Person) -> HttpResponse:
    """POST /api/user-code."""
    body = wire.read(wire.UserCodeChange, request.body)
    if body.code is None:
        site.user_codes.clear(person, body.statement)
    else:
        site.user_codes.set(person, body.code, body.statement)
    return as_json(200, wire.UserCode(set=body.code is not None).model_dump())

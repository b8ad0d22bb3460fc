"""Endpoints for a person's user code, which agents must know."""

from server.http import wire
from server.http.ciba import user_code_wire
from server.http.message import HttpRequest, HttpResponse, as_json
from server.http.site import Site
from server.services.users.device_auth import Person


def shown(site: Site, _request: HttpRequest, person: Person) -> HttpResponse:
    """GET /api/user-code."""
    return as_json(
        200, user_code_wire.UserCode(set=site.ciba.user_codes.is_set(person)).model_dump()
    )


def changed(site: Site, request: HttpRequest, person: Person) -> HttpResponse:
    """POST /api/user-code."""
    body = wire.read(user_code_wire.UserCodeChange, request.body)
    if body.code is None:
        site.ciba.user_codes.clear(person, body.statement)
    else:
        site.ciba.user_codes.set(person, body.code, body.statement)
    return as_json(200, user_code_wire.UserCode(set=body.code is not None).model_dump())

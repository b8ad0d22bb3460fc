"""Endpoints for a person's user code, which agents must know."""

from server.http.ciba import user_code_wire
from server.http.route import HttpRequest, own
from server.http.site import Site
from server.services.users.device_auth import Person


@own("GET /api/user-code")
def shown(site: Site, _request: HttpRequest, person: Person) -> user_code_wire.UserCode:
    """Check whether you have a user code."""
    return user_code_wire.UserCode(set=site.ciba.user_codes.is_set(person))


@own("POST /api/user-code", errors=(422,))
def changed(
    site: Site, _request: HttpRequest, person: Person, body: user_code_wire.UserCodeChange
) -> user_code_wire.UserCode:
    """Set or remove your user code."""
    if body.code is None:
        site.ciba.user_codes.clear(person, body.statement)
    else:
        site.ciba.user_codes.set(person, body.code, body.statement)
    return user_code_wire.UserCode(set=body.code is not None)

"""Endpoints for the person's password for apps."""

from server.http.route import HttpRequest, own
from server.http.site import Site
from server.http.users import password_wire
from server.services.users.device_auth import Person


@own("GET /api/password", browsers=False)
def shown(site: Site, _request: HttpRequest, person: Person) -> password_wire.PasswordState:
    """Check whether you have a password."""
    return password_wire.PasswordState(set=site.devices.passwords.is_set(person))


@own("POST /api/password", errors=(422,), browsers=False)
def changed(
    site: Site, _request: HttpRequest, person: Person, body: password_wire.PasswordChange
) -> password_wire.PasswordChanged:
    """Set your password for signing in to apps."""
    ended = site.devices.passwords.set(person, body.password, body.statement)
    return password_wire.PasswordChanged(set=True, sign_ins_ended=ended)

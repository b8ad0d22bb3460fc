"""Endpoints for the person's password for apps."""

from pydantic import BaseModel, Field

from server.http.route import own
from server.http.site import Site
from server.http.wire import SignedStatement
from server.services.users.device_auth import Person


class PasswordChange(SignedStatement):
    """A new password for signing in to apps, and a signed statement."""

    password: str = Field(max_length=1_024)


class PasswordState(BaseModel):
    """Whether the person has a password for signing in to apps."""

    set: bool


class PasswordChanged(PasswordState):
    """The number of browsers that were signed out."""

    sign_ins_ended: int


@own("GET /api/password", browsers=False)
def show_password(site: Site, person: Person) -> PasswordState:
    """Check whether you have a password."""
    return PasswordState(set=site.devices.passwords.is_set(person))


@own("POST /api/password", errors=(422,), browsers=False)
def set_password(site: Site, person: Person, body: PasswordChange) -> PasswordChanged:
    """Set your password for signing in to apps."""
    ended = site.devices.passwords.set(person, body.password, body.statement)
    return PasswordChanged(set=True, sign_ins_ended=ended)

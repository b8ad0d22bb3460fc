"""Endpoints for a person's user code, which agents must know."""

from pydantic import BaseModel, Field

from server.http.route import own
from server.http.site import Site
from server.http.wire import SignedStatement
from server.services.users.device_auth import Person


class UserCodeChange(SignedStatement):
    """A new user code, and a signed statement. A null code removes the user code."""

    code: str | None = Field(max_length=256)


class UserCode(BaseModel):
    """Whether a person has a user code."""

    set: bool


@own("GET /api/user-code")
def show_user_code(site: Site, person: Person) -> UserCode:
    """Check whether you have a user code."""
    return UserCode(set=site.ciba.user_codes.is_set(person))


@own("POST /api/user-code", errors=(422, 429))
def set_user_code(site: Site, person: Person, body: UserCodeChange) -> UserCode:
    """Set or remove your user code."""
    if body.code is None:
        site.ciba.user_codes.clear(person, body.statement)
    else:
        site.ciba.user_codes.set(person, body.code, body.statement)
    return UserCode(set=body.code is not None)

"""User codes as JSON."""

from pydantic import BaseModel, Field

from server.http.wire import StrictBody


class UserCodeChange(StrictBody):
    """A new user code, signed; null removes it."""

    code: str | None = Field(max_length=256)
    statement: str = Field(max_length=8_192)


class UserCode(BaseModel):
    """Whether a person has a user code."""

    set: bool

"""A person's user code: what is sent and answered."""

from pydantic import BaseModel, Field

from server.http.wire import StrictBody


class UserCodeChange(StrictBody):
    """The code that I want of agents from now on, signed; null for none any more."""

    code: str | None = Field(max_length=256)
    statement: str = Field(max_length=8_192)


class UserCode(BaseModel):
    """Whether agents that take user codes need mine."""

    set: bool

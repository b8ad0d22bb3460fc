"""A person's password: what is sent and answered."""

from pydantic import BaseModel, Field

from server.http.wire import StrictBody


class PasswordChange(StrictBody):
    """The password with which I sign in to apps from now on, signed."""

    password: str = Field(max_length=1_024)
    statement: str = Field(max_length=8_192)


class PasswordState(BaseModel):
    """Whether I can sign in to apps."""

    set: bool


class PasswordChanged(PasswordState):
    """How many browsers were signed out with the old one."""

    sign_ins_ended: int

"""Passwords as JSON."""

from pydantic import BaseModel, Field

from server.http.wire import StrictBody


class PasswordChange(StrictBody):
    """A new password for signing in to apps, signed."""

    password: str = Field(max_length=1_024)
    statement: str = Field(max_length=8_192)


class PasswordState(BaseModel):
    """Whether the person can sign in to apps with a password."""

    set: bool


class PasswordChanged(PasswordState):
    """How many browsers were signed out."""

    sign_ins_ended: int

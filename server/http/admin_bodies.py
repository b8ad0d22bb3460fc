"""What the administration API is sent, as models. What it answers is in `admin_wire.py`."""

from typing import Annotated, Any

from pydantic import BaseModel, ConfigDict, Field

from server.http.wire import Moment, Names, RiskWord, Text

_Url = Annotated[str, Field(max_length=2_000)]

_Icon = Annotated[str, Field(max_length=43_691)]
"""A file of 32 KiB at most, as base64url without padding."""


class Body(BaseModel):
    """A body that has no members but its own, each of its own type."""

    model_config = ConfigDict(extra="forbid", strict=True)


class NewUser(Body):
    """Somebody who is let in."""

    name: Text
    email: Text | None = None
    roles: Names = []


class UserChanges(Body):
    """What becomes different; what is left out stays, a null takes e-mail or backup away."""

    email: Text | None = None
    roles: Names | None = None
    backup: Text | None = None


class Rotation(Body):
    """How long old secrets go on working, in seconds."""

    overlap: int = Field(default=86_400, ge=0, le=2_592_000)


class AuthChange(Body):
    """How an agent proves itself, the keys that it takes, and how long the old way counts too."""

    method: Text
    jwks: dict[str, Any] | None = None
    overlap: int = Field(default=86_400, ge=0, le=2_592_000)


class NewResource(Body):
    """A protected API: its scopes with their risks, and the action types that they need."""

    uri: _Url
    scopes: dict[str, RiskWord] = {}
    requires: dict[str, str] = {}
    token_seconds: int | None = None


class ResourceChanges(Body):
    """Scopes that come or change, that go, and needs; an empty need is taken away.

    A `token_seconds` of null lets tokens live as long as is usual.
    """

    scopes: dict[str, RiskWord] = {}
    without: Names = []
    requires: dict[str, str] = {}
    token_seconds: int | None = None


class NewInvitation(Body):
    """A right to register agents; `asks` left out means the owner alone."""

    owner: Text
    grant_types: Names | None = None
    resources: Names = []
    scopes: Names = []
    action_types: Names | None = None
    asks: Names = []
    asks_everybody: bool = False
    uses: int = Field(default=1, ge=1, le=1_000)
    expires_at: Moment | None = None

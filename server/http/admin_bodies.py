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
    """A user to add."""

    name: Text
    email: Text | None = None
    roles: Names = []


class UserChanges(Body):
    """The changes; omitted members stay, null removes the email address or backup."""

    email: Text | None = None
    roles: Names | None = None
    backup: Text | None = None


class Rotation(Body):
    """How many seconds the old secrets still work."""

    overlap: int = Field(default=86_400, ge=0, le=2_592_000)


class AuthChange(Body):
    """How an agent authenticates, its keys, and how long the old way still works."""

    method: Text
    jwks: dict[str, Any] | None = None
    overlap: int = Field(default=86_400, ge=0, le=2_592_000)


class NewResource(Body):
    """A resource with its scopes, their risks, and the action types that they require."""

    uri: _Url
    scopes: dict[str, RiskWord] = {}
    requires: dict[str, str] = {}
    token_seconds: int | None = None


class ResourceChanges(Body):
    """Scopes to add, change or remove, and required action types; an empty one is removed.

    A `token_seconds` of null uses the default.
    """

    scopes: dict[str, RiskWord] = {}
    without: Names = []
    requires: dict[str, str] = {}
    token_seconds: int | None = None


class NewInvitation(Body):
    """An invitation to create; without `asks`, the agents may ask their owner only."""

    owner: Text
    grant_types: Names | None = None
    resources: Names = []
    scopes: Names = []
    action_types: Names | None = None
    asks: Names = []
    asks_everybody: bool = False
    uses: int = Field(default=1, ge=1, le=1_000)
    expires_at: Moment | None = None

"""What the administration API is sent, as models. What it answers is in `admin_wire.py`."""

from datetime import datetime
from typing import Annotated, Any, Literal

from pydantic import AfterValidator, BaseModel, ConfigDict, Field

_LONGEST = 400
Text = Annotated[str, Field(max_length=_LONGEST)]
"""A text of a sensible length."""
Names = Annotated[list[Text], Field(max_length=200)]
"""A list of a sensible length."""
_Url = Annotated[str, Field(max_length=2_000)]
_RiskWord = Literal["low", "medium", "high", "critical"]


def milliseconds(text: str) -> int:
    """A moment of RFC 3339 with its offset. ValueError otherwise."""
    moment = datetime.fromisoformat(text)
    if moment.tzinfo is None:
        raise ValueError("must say its offset from UTC")
    return int(moment.timestamp() * 1000)


def _moment(text: str) -> str:
    try:
        milliseconds(text)
    except (ValueError, OverflowError) as error:
        raise ValueError("must be a time like 2027-01-31T00:00:00Z") from error
    return text


Moment = Annotated[str, Field(max_length=40), AfterValidator(_moment)]
"""RFC 3339, with its offset."""


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
    scopes: dict[str, _RiskWord] = {}
    requires: dict[str, str] = {}
    token_seconds: int | None = None


class ResourceChanges(Body):
    """Scopes that come or change, that go, and needs; an empty need is taken away.

    A `token_seconds` of null lets tokens live as long as is usual.
    """

    scopes: dict[str, _RiskWord] = {}
    without: Names = []
    requires: dict[str, str] = {}
    token_seconds: int | None = None


class ActionDocument(BaseModel):
    """The file of an action type."""

    model_config = ConfigDict(extra="allow")

    type: str


class Cancellation(Body):
    """Why a request is withdrawn; the agent and the log are told."""

    reason: Text


class Escalation(Body):
    """Whom to ask about a request too, by name, e-mail or id."""

    to: Text


class KeyRotation(Body):
    """Which algorithm gets a new key."""

    alg: Text


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

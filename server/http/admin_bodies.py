"""What the administration API is sent, as models. What it answers is in `admin_wire.py`."""

from datetime import datetime
from typing import Annotated, Any, Literal

from pydantic import AfterValidator, BaseModel, ConfigDict, Field

from server.protocol import names

_LONGEST = 400
Text = Annotated[str, Field(max_length=_LONGEST)]
"""A text of a sensible length."""
Names = Annotated[list[Text], Field(max_length=200)]
"""A list of a sensible length."""
_Url = Annotated[str, Field(max_length=2_000)]
_Icon = Annotated[str, Field(max_length=43_691)]
"""A file of 32 KiB at most, as base64url without padding."""
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


class NewAgent(Body):
    """An agent to be registered; owners and `asks` by name, address or id."""

    name: Text
    owners: Names
    description: Text = ""
    auth_method: Text = names.AUTH_METHODS[0]
    jwks: dict[str, Any] | None = None
    grant_types: Names | None = None
    delivery: Text = "poll"
    backchannel_client_notification_endpoint: _Url | None = None
    resources: Names = []
    scopes: Names = []
    only: dict[str, Names] = {}
    serves: Names = []
    token_seconds: int | None = None
    action_types: Names | None = None
    asks: Names | None = None
    id_token_signed_response_alg: Text = "ES256"  # noqa: S105  # an algorithm
    dpop_bound_access_tokens: bool = False
    backchannel_user_code_parameter: bool = False
    high_grants: bool = False
    interactive: bool = False
    backchannel_authentication_request_signing_alg: Text | None = None
    expires_at: Moment | None = None
    labels: Names = []
    external_id: Text | None = None
    review_at: Moment | None = None
    icon: _Icon | None = None


class AgentChanges(Body):
    """What becomes different; what is left out stays.

    Null lets it ask everybody, ask for every action type, live for ever, send unsigned requests, be
    reviewed never, have no external id or icon, or have tokens as long as is usual.
    """

    name: Text | None = None
    description: Text | None = None
    add_owners: Names = []
    remove_owners: Names = []
    jwks: dict[str, Any] | None = None
    grant_types: Names | None = None
    delivery: Text | None = None
    backchannel_client_notification_endpoint: _Url | None = None
    resources: Names | None = None
    scopes: Names | None = None
    only: dict[str, Names] | None = None
    serves: Names | None = None
    token_seconds: int | None = None
    action_types: Names | None = None
    asks: Names | None = None
    id_token_signed_response_alg: Text | None = None
    dpop_bound_access_tokens: bool | None = None
    backchannel_user_code_parameter: bool | None = None
    high_grants: bool | None = None
    interactive: bool | None = None
    backchannel_authentication_request_signing_alg: Text | None = None
    expires_at: Moment | None = None
    labels: Names | None = None
    external_id: Text | None = None
    review_at: Moment | None = None
    icon: _Icon | None = None


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

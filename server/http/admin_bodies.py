"""What the administration API is sent, as models. What it answers is in `admin_wire.py`."""

from datetime import datetime
from typing import Annotated, Any, Literal

from pydantic import AfterValidator, BaseModel, ConfigDict, Field

from server.protocol import names

_LONGEST = 400
_Text = Annotated[str, Field(max_length=_LONGEST)]
_Names = Annotated[list[_Text], Field(max_length=200)]
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


_Moment = Annotated[str, Field(max_length=40), AfterValidator(_moment)]


class _Body(BaseModel):
    model_config = ConfigDict(extra="forbid", strict=True)


class NewUser(_Body):
    """Somebody who is let in."""

    name: _Text
    email: _Text | None = None
    roles: _Names = []


class UserChanges(_Body):
    """What becomes different; what is left out stays, an e-mail of null is taken away."""

    email: _Text | None = None
    roles: _Names | None = None


class NewAgent(_Body):
    """An agent to be registered; owners and `asks` by name, address or id."""

    name: _Text
    owners: _Names
    description: _Text = ""
    auth_method: _Text = names.AUTH_METHODS[0]
    jwks: dict[str, Any] | None = None
    grant_types: _Names | None = None
    delivery: _Text = "poll"
    backchannel_client_notification_endpoint: _Url | None = None
    resources: _Names = []
    scopes: _Names = []
    only: dict[str, _Names] = {}
    serves: _Names = []
    token_seconds: int | None = None
    action_types: _Names | None = None
    asks: _Names | None = None
    id_token_signed_response_alg: _Text = "ES256"  # noqa: S105  # an algorithm
    dpop_bound_access_tokens: bool = False
    backchannel_user_code_parameter: bool = False
    backchannel_authentication_request_signing_alg: _Text | None = None
    expires_at: _Moment | None = None


class AgentChanges(_Body):
    """What becomes different; what is left out stays.

    Null lets it ask everybody, ask for every action type, live for ever, send unsigned requests, or
    have tokens as long as is usual.
    """

    name: _Text | None = None
    description: _Text | None = None
    add_owners: _Names = []
    remove_owners: _Names = []
    jwks: dict[str, Any] | None = None
    grant_types: _Names | None = None
    delivery: _Text | None = None
    backchannel_client_notification_endpoint: _Url | None = None
    resources: _Names | None = None
    scopes: _Names | None = None
    only: dict[str, _Names] | None = None
    serves: _Names | None = None
    token_seconds: int | None = None
    action_types: _Names | None = None
    asks: _Names | None = None
    id_token_signed_response_alg: _Text | None = None
    dpop_bound_access_tokens: bool | None = None
    backchannel_user_code_parameter: bool | None = None
    backchannel_authentication_request_signing_alg: _Text | None = None
    expires_at: _Moment | None = None


class Rotation(_Body):
    """How long old secrets go on working, in seconds."""

    overlap: int = Field(default=86_400, ge=0, le=2_592_000)


class NewResource(_Body):
    """A protected API: its scopes with their risks, and the action types that they need."""

    uri: _Url
    scopes: dict[str, _RiskWord] = {}
    requires: dict[str, str] = {}
    token_seconds: int | None = None


class ResourceChanges(_Body):
    """Scopes that come or change, that go, and needs; an empty need is taken away.

    A `token_seconds` of null lets tokens live as long as is usual.
    """

    scopes: dict[str, _RiskWord] = {}
    without: _Names = []
    requires: dict[str, str] = {}
    token_seconds: int | None = None


class ActionDocument(BaseModel):
    """The file of an action type."""

    model_config = ConfigDict(extra="allow")

    type: str


class Cancellation(_Body):
    """Why a request is withdrawn; the agent and the log are told."""

    reason: _Text


class KeyRotation(_Body):
    """Which algorithm gets a new key."""

    alg: _Text


class NewInvitation(_Body):
    """A right to register agents; `asks` left out means the owner alone."""

    owner: _Text
    grant_types: _Names | None = None
    resources: _Names = []
    scopes: _Names = []
    action_types: _Names | None = None
    asks: _Names = []
    asks_everybody: bool = False
    uses: int = Field(default=1, ge=1, le=1_000)
    expires_at: _Moment | None = None

"""What the JSON API's bodies share: how they are read, and the types of their members."""

from datetime import datetime
from typing import Annotated, Literal, TypeVar

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, ValidationError

from server.model.clients import Secret
from server.protocol import errors, json_text
from server.services.policy.displays import rfc3339

_SHOWN_PLACE = 200

Model = TypeVar("Model", bound=BaseModel)

_LONGEST = 400

Text = Annotated[str, Field(max_length=_LONGEST)]
"""A text of a sensible length."""

Names = Annotated[list[Text], Field(max_length=200)]
"""A list of a sensible length."""

Url = Annotated[str, Field(max_length=2_000)]


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

RiskWord = Literal["low", "medium", "high", "critical"]


class StrictBody(BaseModel):
    """What somebody sends: nothing that we do not know, nothing of another type."""

    model_config = ConfigDict(extra="forbid", strict=True)


class SignedStatement(StrictBody):
    """A signed statement (compact JWS)."""

    statement: str = Field(max_length=8_192)


class Named(BaseModel):
    """Something with an id and a name."""

    id: str
    name: str


class Problem(BaseModel):
    """RFC 9457: what went wrong, with a stable code."""

    type: str
    title: str
    status: int
    detail: str
    code: str


class OAuthError(BaseModel):
    """RFC 6749 5.2."""

    error: str
    error_description: str


class Rotation(StrictBody):
    """How many seconds the old secrets still work."""

    overlap: int = Field(default=86_400, ge=0, le=2_592_000)


class ClientSecret(BaseModel):
    """A secret of an app, without the secret itself."""

    id: str
    hint: str
    created_at: str
    expires_at: str | None
    last_used_at: str | None


def read(kind: type[Model], body: bytes) -> Model:
    """The body as this model. Raises errors.Problem 422 that names the member."""
    try:
        value = json_text.parse(body)
    except errors.InvalidRequest as error:
        raise errors.Problem(422, "invalid_body", error.description) from error
    try:
        return kind.model_validate(value)
    except ValidationError as error:
        first = error.errors(include_input=False, include_url=False)[0]
        where = ("/" + "/".join(str(part) for part in first["loc"]))[:_SHOWN_PLACE]
        member = {"member": str(first["loc"][0])[:_SHOWN_PLACE]} if first["loc"] else {}
        said = f"{where}: {first['msg']}"
        raise errors.Problem(422, "invalid_body", said, members=member) from error


def moment(at: int | None) -> str | None:
    """A time, or never."""
    return None if at is None else rfc3339(at)


def tag(version: str) -> dict[str, str]:
    """The version as the header that `If-Match` repeats (RFC 9110 8.8.3)."""
    return {"ETag": f'"{version}"'}


def secret(record: Secret) -> ClientSecret:
    """Everything about a secret but the secret."""
    return ClientSecret(
        id=record.id,
        hint=record.hint,
        created_at=rfc3339(record.created_at),
        expires_at=moment(record.expires_at),
        last_used_at=moment(record.last_used_at),
    )

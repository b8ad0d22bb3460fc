"""Shared by the models of the JSON API: parsing of request bodies, and common types."""

from collections.abc import Mapping
from datetime import datetime
from typing import TYPE_CHECKING, Annotated, Final, Generic, Literal, Self, TypeVar

from pydantic import (
    AfterValidator,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    ValidationError,
)

from server.http.route import MAX_BODY_BYTES
from server.protocol import errors, json_text
from server.protocol.times import rfc3339

if TYPE_CHECKING:
    from pydantic_core import ErrorDetails

_MAX_POINTER = 200
_ERROR_MESSAGES: Final[Mapping[str, str]] = {
    "missing": "is required",
    "extra_forbidden": "is unknown",
    "string_type": "must be a string",
    "int_type": "must be a whole number",
    "float_type": "must be a number",
    "bool_type": "must be true or false",
    "list_type": "must be a list",
    "dict_type": "must be an object",
    "model_type": "must be an object",
    "literal_error": "must be {expected}",
    "string_too_short": "must have at least {min_length} characters",
    "string_too_long": "must have at most {max_length} characters",
    "too_short": "must have at least {min_length} items",
    "too_long": "must have at most {max_length} items",
    "greater_than_equal": "must be at least {ge}",
    "less_than_equal": "must be at most {le}",
    "value_error": "{error}",
}
"""The text of each kind of error. Pydantic's own texts are for Python developers."""

Model = TypeVar("Model", bound=BaseModel)
Item = TypeVar("Item")

_MAX_TEXT = 400

Text = Annotated[str, Field(max_length=_MAX_TEXT)]
"""A string of limited length."""

Names = Annotated[list[Text], Field(max_length=200)]
"""A list of short strings."""

Url = Annotated[str, Field(max_length=2_000)]


def milliseconds(text: str) -> int:
    """Parse an RFC 3339 time with an offset. Raises ValueError."""
    moment = datetime.fromisoformat(text)
    if moment.tzinfo is None:
        raise ValueError("must have an offset from UTC")
    return int(moment.timestamp() * 1000)


def _check_moment(text: str) -> str:
    try:
        milliseconds(text)
    except (ValueError, OverflowError) as error:
        raise ValueError("must be a time like 2027-01-31T00:00:00Z") from error
    return text


Moment = Annotated[str, Field(max_length=40), AfterValidator(_check_moment)]
"""An RFC 3339 time with an offset."""


def _as_time(value: object) -> object:
    return rfc3339(value) if isinstance(value, int) else value


Time = Annotated[str, BeforeValidator(_as_time)]
"""An RFC 3339 time in a response. Records have milliseconds."""

RiskWord = Literal["low", "medium", "high", "critical"]


class StrictBody(BaseModel):
    """A request body: unknown fields and wrong types are rejected."""

    model_config = ConfigDict(extra="forbid", strict=True)


class SignedStatement(StrictBody):
    """A signed statement (compact JWS)."""

    statement: str = Field(max_length=8_192)


class RecordResponse(BaseModel):
    """A response about a record: its members have the same names as the record's."""

    model_config = ConfigDict(from_attributes=True, populate_by_name=True)

    @classmethod
    def of(cls, record: object, **members: object) -> Self:
        """Return the response with these members, and all others from the record."""
        names = cls.model_fields.keys() - members.keys()
        return cls.model_validate({name: getattr(record, name) for name in names} | members)


class Reference(RecordResponse):
    """The ID and name of a record."""

    id: str
    name: str


class Problem(BaseModel):
    """A problem document with a stable code (RFC 9457)."""

    type: str
    title: str
    status: int
    detail: str
    code: str


class OAuthError(BaseModel):
    """An OAuth error (RFC 6749 5.2)."""

    error: str
    error_description: str


class Listed(BaseModel, Generic[Item]):
    """A page of a list, and the cursor of the next page."""

    items: list[Item]
    next: str | None


class Rotation(StrictBody):
    """The number of seconds that the old secrets keep working."""

    overlap: int = Field(default=86_400, ge=0, le=2_592_000)


class ClientSecret(RecordResponse):
    """Metadata of a client secret."""

    id: str
    hint: str
    created_at: Time
    expires_at: Time | None
    last_used_at: Time | None


def read(model: type[Model], body: bytes, *, status: int = 422) -> Model:
    """Parse the body as this model. Raises errors.Problem, which names the member."""
    try:
        value = json_text.parse(body, max_bytes=MAX_BODY_BYTES)
    except errors.InvalidRequest as error:
        raise errors.invalid_body(error.description, status=status) from error
    try:
        return model.model_validate(value)
    except ValidationError as error:
        first_error = error.errors(include_input=False, include_url=False)[0]
        pointer = ("/" + "/".join(str(part) for part in first_error["loc"]))[:_MAX_POINTER]
        member = {"member": str(first_error["loc"][0])[:_MAX_POINTER]} if first_error["loc"] else {}
        detail = f"{pointer}: {_error_message(first_error)}."
        raise errors.invalid_body(detail, status=status, members=member) from error


def _error_message(error: "ErrorDetails") -> str:
    limits = error.get("ctx", {})
    if limits.get("min_length") == 1:
        return "must not be empty"
    return _ERROR_MESSAGES.get(error["type"], "is invalid").format_map(limits)

"""Members in the JSON API: the fields of requests and responses, made from a table of members.

Owns: the wire form of each kind of value. Never: which members there are, or their checks.
"""

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Annotated, Any, Final, TypeAlias, TypeVar

from pydantic import BaseModel, Field, create_model

from server.http.wire import Moment, Names, Reference, RiskWord, StrictBody, Text, Url, milliseconds
from server.protocol import base64url
from server.protocol.policy.risks import Risk
from server.protocol.times import rfc3339
from server.services.clients import icons
from server.services.members import (
    Having,
    Kind,
    Member,
    Members,
    filterable_members,
    members_for_new,
    members_for_update,
)
from server.services.refusals import Invalid

Fields: TypeAlias = dict[str, Any]
"""Name → type and default, in the form of pydantic's `create_model`."""
NamesById: TypeAlias = Mapping[str, str]
"""ID → name of users and groups."""
_Model = TypeVar("_Model", bound=BaseModel)

_NO_NAMES: Final[NamesById] = {}
_Icon = Annotated[str, Field(max_length=43_691)]
"""A file of at most 32 KiB, as base64url without padding."""


@dataclass(frozen=True, slots=True)
class _WireKind:
    """The wire form of a kind of value: its types in requests and responses, and conversions."""

    request: Any
    response: Any
    read: Callable[[Any], object] = lambda value: value
    write: Callable[[Any, NamesById], object] = lambda value, _names: value
    optional: bool = False
    """A request that creates a record may set it to null."""
    merged: bool = False
    """An update adds to the stored value; null is refused."""


def _read_icon(text: str) -> bytes:
    try:
        return base64url.decode(text)
    except ValueError:
        raise Invalid(
            "The icon must be a file as base64url without padding.", member="icon"
        ) from None


def references(ids: tuple[str, ...], names_by_id: NamesById) -> list[Reference]:
    """Return the ID and name of each person; a person without a name has the ID as name."""
    return [
        Reference(id=person_id, name=names_by_id.get(person_id, person_id)) for person_id in ids
    ]


def _write_lists(value: Mapping[str, tuple[str, ...]], _names: NamesById) -> dict[str, list[str]]:
    return {name: list(items) for name, items in value.items()}


def _write_list(value: tuple[str, ...], _names: NamesById) -> list[str]:
    return list(value)


def _read_risks(value: Mapping[str, str]) -> dict[str, Risk]:
    return {name: Risk(word) for name, word in value.items()}


def _write_risks(value: Mapping[str, Risk], _names: NamesById) -> dict[str, str]:
    return {name: str(risk) for name, risk in value.items()}


def _read_lists(value: Mapping[str, list[str]]) -> dict[str, tuple[str, ...]]:
    return {name: tuple(items) for name, items in value.items()}


_KINDS: Final[Mapping[Kind, _WireKind]] = {
    Kind.TEXT: _WireKind(Text, str),
    Kind.URI: _WireKind(Url, str),
    Kind.PERSON: _WireKind(Text, str),
    Kind.RISKS: _WireKind(
        dict[str, RiskWord], dict[str, RiskWord], _read_risks, _write_risks, merged=True
    ),
    Kind.NEEDS: _WireKind(
        dict[str, str], dict[str, str], dict, lambda value, _names: dict(value), merged=True
    ),
    Kind.CHOICE: _WireKind(Text, str),
    Kind.CHOICES: _WireKind(Names, list[str], tuple, _write_list),
    Kind.NAMES: _WireKind(Names, list[str], tuple, _write_list),
    Kind.PEOPLE: _WireKind(Names, list[Reference], tuple, references),
    Kind.LISTS: _WireKind(dict[str, Names], dict[str, list[str]], _read_lists, _write_lists),
    Kind.SWITCH: _WireKind(bool, bool),
    Kind.NUMBER: _WireKind(int, int),
    Kind.MOMENT: _WireKind(Moment, str, milliseconds, lambda at, _names: rfc3339(at)),
    Kind.KEYS: _WireKind(dict[str, Any], list[dict[str, str]], json.dumps, optional=True),
    Kind.ICON: _WireKind(_Icon, str, _read_icon, lambda digest, _names: icons.path_of(digest)),
}


def with_fields(fields: Fields) -> Callable[[type[_Model]], type[_Model]]:
    """Decorate a model with additional fields."""

    def extended(model: type[_Model]) -> type[_Model]:
        return create_model(
            model.__name__,
            __base__=model,
            __module__=model.__module__,
            __doc__=model.__doc__,
            **fields,
        )

    return extended


def new_fields(members: Members) -> Fields:
    """The fields of the request that creates a record."""
    return {member.wire_name: _new_field(member) for member in members_for_new(members)}


def _new_field(member: Member) -> tuple[Any, Any]:
    kind = _request_type(member)
    if member.required:
        return kind, ...
    # Null means the default choices.
    has_default = member.kind is Kind.CHOICES and bool(member.default)
    if member.nullable or has_default or _KINDS[member.kind].optional:
        return kind | None, None
    initial = list(member.default) if isinstance(member.default, tuple) else member.default
    return kind, initial


def change_fields(members: Members) -> Fields:
    """The fields of the request that updates a record; absent members stay unchanged."""
    return {
        member.wire_name: (_request_type(member), {})
        if _KINDS[member.kind].merged
        else (_request_type(member) | None, None)
        for member in members_for_update(members)
    }


def answer_fields(members: Members) -> Fields:
    """The fields of the response that shows a record."""
    return {
        member.wire_name: (_response_type(member), ...) for member in members if member.in_responses
    }


def _request_type(member: Member) -> Any:  # noqa: ANN401  # a type for pydantic
    if member.kind is Kind.TEXT:
        return Annotated[str, Field(max_length=member.max_length)]
    return _KINDS[member.kind].request


def _response_type(member: Member) -> Any:  # noqa: ANN401  # as above
    kind = _KINDS[member.kind].response
    return kind | None if member.nullable else kind


def submitted_members(members: Members, body: StrictBody) -> dict[str, Any]:
    """The members in a request; null clears a nullable member and is ignored for others."""
    values: dict[str, Any] = {}
    for member in members:
        if member.wire_name not in body.model_fields_set:
            continue
        value = getattr(body, member.wire_name)
        if value is not None:
            values[member.name] = _KINDS[member.kind].read(value)
        elif member.nullable:
            values[member.name] = None
    return values


def search_names(members: Members) -> tuple[str, ...]:
    """The query parameters that filter a list."""
    return tuple(member.wire_name for member in filterable_members(members))


def filters(members: Members, query: Mapping[str, str]) -> Having:
    """The filters in a list's query."""
    return {
        member.name: query[member.wire_name]
        for member in filterable_members(members)
        if member.wire_name in query
    }


def response_members(
    members: Members, record: object, names_by_id: NamesById = _NO_NAMES
) -> dict[str, Any]:
    """The members of a record for a response."""
    return {
        member.wire_name: _response_value(member, getattr(record, member.name), names_by_id)
        for member in members
        if member.in_responses
    }


def _response_value(member: Member, value: object, names_by_id: NamesById) -> object:
    return None if value is None else _KINDS[member.kind].write(value, names_by_id)
